//! End-to-end tests that need a machine of their own: they use its systemd, its AppArmor and its cgroups of version 2,
//! and the engine's own names. `cargo xtask vm --systemd --tests` runs them; on any other machine they fail, saying what is
//! lacking.

#![expect(clippy::print_stderr, reason = "what a failed unit logged")]

mod activation;
mod apparmor;
mod cgroup2;
mod scopes;

use tests::{Need, lacks};

/// Fails where the machine is not the one that these tests are for.
#[track_caller]
fn needs(paths: &[&str]) {
    let needs: Vec<_> = paths.iter().map(|path| Need::Path(path)).collect();
    let lacking = lacks(&needs);
    assert!(lacking.is_none(), "this test is for a machine of `cargo xtask vm --systemd`: no {lacking:?}");
}

const SYSTEMD: &str = "/run/systemd/system";
const UNIFIED: &str = "/sys/fs/cgroup/cgroup.controllers";
const APPARMOR: &str = "/sys/kernel/security/apparmor/profiles";
