//! The processes in the OCI document: the init process and those that `exec` adds.

use super::capabilities;
use super::error::BundleError;
use super::host::available_capabilities;
use super::mounts::INIT_PATH;
use super::resolved::Resolved;
use super::rlimits;
use crate::user::User;
use oci_spec::runtime::{
    Box as ConsoleSize, BoxBuilder, Capability, Process, ProcessBuilder, Spec, UserBuilder,
};
use spec::{ContainerSpec, ExecSpec, JoinMode};
use std::collections::HashSet;

/// The init process.
pub(super) fn init_process(
    spec: &ContainerSpec,
    resolved: &Resolved,
    bounding: &HashSet<Capability>,
) -> Result<Process, BundleError> {
    if resolved.args.is_empty() {
        return Err(BundleError::NoCommand);
    }
    let mut env = resolved.env.clone();
    set_default_home(&mut env, &resolved.user.home);
    let mut process = ProcessBuilder::default()
        .terminal(spec.process.tty)
        .user(oci_user(&resolved.user))
        .args(args(spec, resolved))
        .env(env)
        .cwd(if resolved.working_dir.is_empty() { "/" } else { &resolved.working_dir })
        .capabilities(capabilities::sets(bounding))
        .build()
        .expect(super::ALL_SET);
    let rlimits = rlimits::merge(&spec.process.rlimits, &resolved.default_rlimits)?;
    process.set_rlimits((!rlimits.is_empty()).then_some(rlimits));
    // Absent, not false: libcontainer takes `false` for a filter that is loaded without privileges, which fails.
    process.set_no_new_privileges(spec.security.no_new_privileges.then_some(true));
    process.set_oom_score_adj(rlimits::oom_score_adj(spec.process.oom_score_adj, resolved.oom_score_adj));
    process.set_apparmor_profile(resolved.apparmor.clone());
    process.set_selinux_label(resolved.selinux.as_ref().map(|(process, _)| process.clone()));
    process.set_console_size(console_size(spec.process.tty, spec.console_size));
    Ok(process)
}

/// With the small init before it, unless the container lives in pid namespace that has its own.
fn args(spec: &ContainerSpec, resolved: &Resolved) -> Vec<String> {
    let mut args = resolved.args.clone();
    if uses_init(spec, resolved) {
        args.splice(..0, [INIT_PATH.to_owned(), "--".to_owned()]);
    }
    args
}

pub(super) fn uses_init(spec: &ContainerSpec, resolved: &Resolved) -> bool {
    resolved.init.is_some() && spec.namespaces.pid == JoinMode::Private
}

/// The OCI process of an exec in the container that `container` describes.
///
/// `user` is what the exec's own user resolved to; none: it runs as the container does. `client_env` is what the
/// client and the image set in the container's environment: a `HOME` among it stays for every user, otherwise `HOME`
/// follows `user`.
pub fn exec_process(
    container: &Spec,
    exec: &ExecSpec,
    user: Option<&User>,
    client_env: &[String],
) -> Result<Process, BundleError> {
    if exec.args.is_empty() {
        return Err(BundleError::NoCommand);
    }
    let mut process = container.process().clone().unwrap_or_default();
    process.set_env(Some(exec_env(process.env().as_deref().unwrap_or_default(), exec, user, client_env)));
    process.set_args(Some(exec.args.clone()));
    process.set_terminal(Some(exec.tty));
    process.set_console_size(console_size(exec.tty, exec.console_size));
    if !exec.working_dir.is_empty() {
        process.set_cwd(exec.working_dir.clone().into());
    }
    if let Some(user) = user {
        process.set_user(oci_user(user));
    }
    if exec.privileged {
        process.set_capabilities(Some(capabilities::sets(available_capabilities())));
    }
    Ok(process)
}

fn exec_env(
    container: &[String],
    exec: &ExecSpec,
    user: Option<&User>,
    client_env: &[String],
) -> Vec<String> {
    let mut env = container.to_vec();
    if let Some(user) = user.filter(|_| !has(client_env, "HOME")) {
        env.retain(|entry| name(entry) != "HOME");
        set_default_home(&mut env, &user.home);
    }
    if exec.tty && !has(&env, "TERM") {
        env.push("TERM=xterm".to_owned());
    }
    for entry in &exec.env {
        set(&mut env, entry);
    }
    env
}

/// Replaces the variable, or appends it; an entry without `=` removes it, as Docker does.
fn set(env: &mut Vec<String>, entry: &str) {
    if !entry.contains('=') {
        env.retain(|known| name(known) != entry);
    } else if let Some(known) = env.iter_mut().find(|known| name(known) == name(entry)) {
        entry.clone_into(known);
    } else {
        env.push(entry.to_owned());
    }
}

fn name(entry: &str) -> &str {
    entry.split_once('=').map_or(entry, |(name, _)| name)
}

fn has(env: &[String], wanted: &str) -> bool {
    env.iter().any(|entry| name(entry) == wanted)
}

fn set_default_home(env: &mut Vec<String>, home: &str) {
    if !has(env, "HOME") {
        env.push(format!("HOME={}", if home.is_empty() { "/" } else { home }));
    }
}

fn console_size(tty: bool, size: Option<(u16, u16)>) -> Option<ConsoleSize> {
    let (rows, columns) = size.filter(|(rows, columns)| tty && *rows > 0 && *columns > 0)?;
    let size = BoxBuilder::default().height(u64::from(rows)).width(u64::from(columns)).build();
    Some(size.expect(super::ALL_SET))
}

fn oci_user(user: &User) -> oci_spec::runtime::User {
    UserBuilder::default()
        .uid(user.uid)
        .gid(user.gid)
        .additional_gids(user.additional_gids.clone())
        .build()
        .expect(super::ALL_SET)
}
