//! End-to-end tests that need a machine of their own: they use its systemd, its AppArmor and its cgroups of version 2,
//! and the engine's own names. `cargo xtask vm --systemd --tests` runs them; on any other machine they fail, saying what is
//! lacking.

#![expect(clippy::print_stderr, reason = "what a failed unit logged")]

mod activation;
mod apparmor;
mod cgroup2;
mod clock;
mod networks;
mod scopes;
mod sctp;
mod without_ipv6;
mod without_nftables;

use tests::Need;

/// Fails where the machine is not the one that these tests are for.
#[track_caller]
fn needs(paths: &[&str]) {
    let needs: Vec<_> = paths.iter().map(|path| Need::Path(path)).collect();
    let lacking = tests::lacks(&needs);
    assert!(lacking.is_none(), "this test is for a machine of `cargo xtask vm --systemd`: no {lacking:?}");
}

/// Fails where the machine is not one that lacks `what`, which this path would be a part of.
#[track_caller]
fn lacks(what: &str, paths: &[&str], path: &str) {
    needs(paths);
    let there = std::path::Path::new(path).exists();
    assert!(
        !there,
        "this test is for a machine of `cargo xtask vm --systemd --without {what}`: it has {path}"
    );
}

const SYSTEMD: &str = "/run/systemd/system";
const UNIFIED: &str = "/sys/fs/cgroup/cgroup.controllers";
const APPARMOR: &str = "/sys/kernel/security/apparmor/profiles";
