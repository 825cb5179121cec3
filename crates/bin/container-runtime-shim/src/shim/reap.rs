//! The end of processes: reaping them, reading what they printed last, and telling who waits.

use super::Shim;
use super::publish::Topic;
use super::state::wait_response;
use crate::log::note;
use crate::poll::Number;
use crate::process::{INIT, Phase};
use rustix::process::{WaitOptions, WaitStatus, wait};
use shim_protocol::{Exit, file};
use std::path::Path;
use std::time::{Duration, Instant};
use sys::clock::now;

/// How long a process that has ended may be survived by a child that holds its output open.
const LINGER: Duration = Duration::from_millis(200);
const KILL: i32 = 9;

impl Shim {
    /// Takes every child that has ended: those of the container, and orphans that came to their subreaper.
    pub(super) fn reap(&mut self) {
        // What it says is only that there is something; several ends may be one signal.
        let mut information = [0; 512];
        while matches!(rustix::io::read(&self.signals.of, &mut information), Ok(read) if read > 0) {}
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let pid = pid.as_raw_pid();
            let processes = self.container.iter().flat_map(|container| &container.processes);
            let found = processes.into_iter().find(|(_, process)| process.living() == Some(pid));
            if let Some((&number, _)) = found {
                self.ended(number, status);
            } else {
                self.compressor.ended(pid);
            }
        }
    }

    /// A process has been reaped.
    pub(super) fn ended(&mut self, number: Number, status: WaitStatus) {
        let Some(container) = &mut self.container else { return };
        let killed = |signal: i32| 128 + signal;
        let code = status.exit_status().or_else(|| status.terminating_signal().map(killed)).unwrap_or(255);
        let mut exit = Exit { status: code.cast_unsigned(), at: now(), oom_killed: false };
        if number == INIT
            && let Some(group) = &container.cgroup
        {
            let pid = container.init().pid.unwrap_or_default();
            let counted = group.memory_kills().max(container.memory_kills) > 0;
            exit.oom_killed = counted || (code == 128 + KILL && group.lost_a_process_for_memory(pid));
            // With a namespace of its own the kernel has ended the others already.
            if !container.linux.has_own_pid_namespace()
                && let Err(error) = group.signal(KILL)
            {
                note(format_args!("kill what the container left: {error}"));
            }
        }
        if let Some(process) = container.processes.get_mut(&number) {
            process.phase = Phase::Ended(exit, Instant::now() + LINGER);
            process.streams.stdin = None;
            process.streams.source = None;
        }
        self.drain(number);
        self.finish_if_silent(number);
    }

    /// The next moment at which a process's output is given up, or a process forgotten.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let processes = self.container.iter().flat_map(|container| container.processes.values());
        processes.filter_map(|process| deadline(process.phase).or_else(|| process.over_at())).min()
    }

    /// Gives up on output whose time is over, forgets what nobody came back for, and returns memory that was only needed
    /// for a while.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        let processes = self.container.iter().flat_map(|container| &container.processes);
        let expired = |phase| deadline(phase).is_some_and(|deadline| deadline <= now);
        let expired: Vec<_> =
            processes.filter(|(_, process)| expired(process.phase)).map(|(&n, _)| n).collect();
        for number in expired {
            self.finish(number);
        }
        if let Some(container) = &mut self.container {
            container.processes.retain(|_, process| process.over_at().is_none_or(|over| over > now));
        }
        if std::mem::take(&mut self.untrimmed) {
            sys::heap::trim();
        }
    }

    /// Ends the wait for a process's last output.
    pub(super) fn hurry(&mut self, number: Number) {
        let process = self.container.as_ref().and_then(|container| container.processes.get(&number));
        if process.is_some_and(|process| matches!(process.phase, Phase::Ended(..))) {
            self.drain(number);
            self.finish(number);
        }
    }

    /// Finishes a process that has ended and can print no more.
    pub(super) fn finish_if_silent(&mut self, number: Number) {
        let process = self.container.as_ref().and_then(|container| container.processes.get(&number));
        let Some(process) = process else { return };
        let sent = [&process.streams.stdout_sink, &process.streams.stderr_sink];
        let sent = sent.into_iter().flatten().all(|sink| sink.of.queue.is_empty());
        if matches!(process.phase, Phase::Ended(..)) && process.streams.are_silent() && sent {
            self.finish(number);
        }
    }

    fn finish(&mut self, number: Number) {
        let Some(container) = &mut self.container else { return };
        let Some(process) = container.processes.get_mut(&number) else { return };
        let Phase::Ended(exit, _) = process.phase else { return };
        process.phase = Phase::Finished(exit);
        process.streams = Default::default();
        let (id, pid) = (process.id.clone(), process.pid.unwrap_or_default());
        let waiters = std::mem::take(&mut process.waiters);
        let container_id = container.id.clone();
        if number == INIT {
            if let Some(mut log) = container.log.take()
                && let Err(error) = log.flush(now())
            {
                note(format_args!("output is lost: {}", errors::chain(&error)));
            }
            if let Err(error) = write_exit(&container.bundle, exit) {
                note(format_args!("write {}: {error}", file::EXIT));
            }
        }
        self.close_clients(number);
        for waiter in waiters {
            self.respond_message(waiter, &wait_response(exit));
        }
        self.publish(&Topic::Exit { container: container_id, exec: id, pid, exit });
    }
}

fn deadline(phase: Phase) -> Option<Instant> {
    match phase {
        Phase::Ended(_, deadline) => Some(deadline),
        _ => None,
    }
}

/// Whole or not at all, for a daemon that reads it after this shim is gone.
fn write_exit(bundle: &Path, exit: Exit) -> std::io::Result<()> {
    let temporary = bundle.join("exit.json.new");
    std::fs::write(&temporary, serde_json::to_vec(&exit)?)?;
    std::fs::rename(&temporary, bundle.join(file::EXIT))
}
