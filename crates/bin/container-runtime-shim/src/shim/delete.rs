//! Delete: of an exec's record, or of the container.

use super::Shim;
use super::state::timestamp;
use crate::container::Container;
use crate::error::{Error, Result};
use crate::poll::Interest;
use crate::process::{INIT, Phase};
use crate::rootfs;
use crate::trace::Steps;
use containerd_shim_protos::api::{DeleteRequest, DeleteResponse};
use rustix::process::{Pid, WaitOptions, waitpid};
use shim_protocol::{Exit, file};

impl Shim {
    pub(super) fn delete(&mut self, request: &DeleteRequest) -> Result<DeleteResponse> {
        let container = self.container_of(&request.id)?;
        let number = container.find(&request.exec_id)?;
        let (pid, exit) =
            if number == INIT { self.delete_container(&request.id)? } else { self.delete_exec(number)? };
        Ok(DeleteResponse {
            pid: pid.unwrap_or_default().cast_unsigned(),
            exit_status: exit.map_or(0, |exit| exit.status),
            exited_at: exit.map(timestamp).into(),
            ..DeleteResponse::default()
        })
    }

    fn delete_exec(&mut self, number: u32) -> Result<(Option<i32>, Option<Exit>)> {
        self.hurry(number);
        let processes = self.container.as_mut().map(|container| &mut container.processes);
        let Some(processes) = processes else { return Ok((None, None)) };
        match processes.get(&number) {
            Some(process) if process.living().is_some() => {
                Err(Error::State { verb: "delete", process: process.name(), state: process.state() })
            }
            _ => Ok(processes.remove(&number).map_or((None, None), |process| (process.pid, process.exit()))),
        }
    }

    fn delete_container(&mut self, id: &str) -> Result<(Option<i32>, Option<Exit>)> {
        let mut steps = Steps::of("delete");
        let init = self.container_of(id)?.init();
        match (init.phase, init.pid) {
            (Phase::Running, _) => {
                return Err(Error::State { verb: "delete", process: init.name(), state: init.state() });
            }
            (Phase::Created, Some(pid)) => self.put_down(pid)?,
            _ => {}
        }
        self.hurry(INIT);
        let container = self.container_of(id)?;
        if let Some(group) = &container.cgroup {
            group.signal(KILL).map_err(Error::kernel("kill what the container left"))?;
        }
        steps.done("kill");
        container.backend.delete()?;
        steps.done("runtime");
        if let Some(container) = self.container.take() {
            let ended = (container.init().pid, container.init().exit());
            // In a namespace of this shim's own they go along with it: unmounting waits for every processor.
            if !self.private {
                rootfs::unmount_all(container.mounts, &container.bundle.join(file::ROOTFS));
            }
            let _ = std::fs::remove_file(container.bundle.join(file::ATTACH));
            self.forget(container);
            steps.done("clear");
            return Ok(ended);
        }
        Ok((None, None))
    }

    /// Kills a first process that never started, and waits for its end.
    fn put_down(&mut self, pid: i32) -> Result<()> {
        sys::signals::send(pid, KILL).map_err(Error::kernel("kill the container"))?;
        let status = waitpid(Pid::from_raw(pid), WaitOptions::empty());
        if let Some((_, status)) = status.map_err(Error::kernel("wait for the container's end"))? {
            self.ended(INIT, status);
        }
        Ok(())
    }

    /// Lets those go who waited for processes that are no more.
    fn forget(&mut self, container: Container) {
        let Container { id, processes, memory, mount_namespace, .. } = container;
        let memory = memory.map(|mut watch| {
            // The kernel signals it when the cgroup goes: left in the set, it would wake the loop for ever.
            watch.set(&self.poll, Interest::NONE);
            watch.of.fd
        });
        self.slow_to_close.extend(memory.into_iter().chain(mount_namespace));
        for waiter in processes.into_values().flat_map(|process| process.waiters) {
            self.respond(waiter, Err(Error::NoContainer { id: id.clone() }));
        }
        self.close_all_clients();
    }
}

const KILL: i32 = 9;
