//! The init process, and those that `exec` adds.

use super::{console_size, nonempty, some};
use crate::wire::config::ContainerConfig;
use crate::wire::exec::ExecConfig;
use crate::wire::host_config::{HostConfig, Ulimit};
use spec::{ExecSpec, Process, Rlimit};

pub(super) fn process(config: &ContainerConfig, host: &HostConfig) -> Process {
    Process {
        entrypoint: config.entrypoint.clone(),
        command: config.cmd.clone(),
        env: config.env.clone(),
        working_dir: config.working_dir.clone(),
        user: config.user.clone(),
        additional_groups: host.group_add.clone().unwrap_or_default(),
        tty: config.tty,
        open_stdin: config.open_stdin,
        stdin_once: config.stdin_once,
        attach_stdin: config.attach_stdin,
        attach_stdout: config.attach_stdout,
        attach_stderr: config.attach_stderr,
        init: host.init,
        stop_signal: some(&config.stop_signal),
        stop_timeout: config.stop_timeout,
        oom_score_adj: (host.oom_score_adj != 0).then_some(host.oom_score_adj),
        rlimits: host.ulimits.iter().map(rlimit).collect(),
    }
}

fn rlimit(wire: &Ulimit) -> Rlimit {
    Rlimit { name: wire.name.to_ascii_lowercase(), soft: wire.soft, hard: wire.hard }
}

pub(super) fn into_host(process: &Process, host: &mut HostConfig) {
    host.group_add = nonempty(&process.additional_groups);
    host.init = process.init;
    host.oom_score_adj = process.oom_score_adj.unwrap_or(0);
    host.ulimits = process
        .rlimits
        .iter()
        .map(|limit| Ulimit { name: limit.name.clone(), hard: limit.hard, soft: limit.soft })
        .collect();
}

/// What `POST /containers/{id}/exec` asks for.
pub(crate) fn exec_spec(wire: ExecConfig) -> ExecSpec {
    ExecSpec {
        args: wire.cmd.unwrap_or_default(),
        env: wire.env,
        working_dir: wire.working_dir,
        user: wire.user,
        tty: wire.tty,
        attach_stdin: wire.attach_stdin,
        attach_stdout: wire.attach_stdout,
        attach_stderr: wire.attach_stderr,
        privileged: wire.privileged,
        detach_keys: some(&wire.detach_keys),
        console_size: console_size(&wire.console_size),
    }
}
