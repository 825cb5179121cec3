//! Pause, Resume, Update and ResizePty, and what happens when memory runs out.

use super::Shim;
use super::create::resize;
use super::publish::Topic;
use crate::bundle::{Resources, parse};
use crate::container::Container;
use crate::error::{Error, Result};
use crate::log::note;
use crate::poll::{Interest, Token, Watch};
use crate::process::Phase;
use containerd_shim_protos::api::{Empty, PauseRequest, ResizePtyRequest, ResumeRequest, UpdateTaskRequest};
use std::path::Path;

impl Shim {
    pub(super) fn pause(&mut self, request: &PauseRequest) -> Result<Empty> {
        let container = self.container_of(&request.id)?;
        let init = container.init();
        let paused = container.is_paused();
        if paused || !matches!(init.phase, Phase::Running) {
            let state = if paused { "paused" } else { init.state() };
            return Err(Error::State { verb: "pause", process: init.name(), state });
        }
        container.pause(true)?;
        Ok(Empty::new())
    }

    pub(super) fn resume(&mut self, request: &ResumeRequest) -> Result<Empty> {
        let container = self.container_of(&request.id)?;
        if !container.is_paused() {
            let init = container.init();
            return Err(Error::State { verb: "resume", process: init.name(), state: init.state() });
        }
        container.pause(false)?;
        Ok(Empty::new())
    }

    pub(super) fn update(&mut self, request: &UpdateTaskRequest) -> Result<Empty> {
        let container = self.container_of(&request.id)?;
        let resources = request.resources.as_ref().map(|any| any.value.as_slice()).unwrap_or_default();
        container.backend.update(resources)?;
        if let Some(guard) = &mut container.devices
            && let Some(rules) = parse::<Resources>(Path::new("resources"), resources)?.devices
        {
            guard.replace(&rules)?;
        }
        Ok(Empty::new())
    }

    pub(super) fn resize(&mut self, request: &ResizePtyRequest) -> Result<Empty> {
        let process = self.container_of(&request.id)?.process(&request.exec_id)?;
        let size =
            |value: u32| u16::try_from(value).map_err(|_| Error::invalid("the terminal's size is too large"));
        let (columns, rows) = (size(request.width)?, size(request.height)?);
        match &process.streams.stdout {
            Some(terminal) if process.terminal => resize(&terminal.of, columns, rows)?,
            _ if process.terminal => {
                return Err(Error::State { verb: "resize", process: process.name(), state: process.state() });
            }
            _ => return Err(Error::invalid(format!("{} has no terminal", process.name()))),
        }
        Ok(Empty::new())
    }

    /// Asks to be told when memory runs out; a container without that runs all the same.
    pub(super) fn watch_memory(&self, container: &mut Container) {
        let Some(group) = &container.cgroup else { return };
        match group.watch_memory() {
            Ok(Some(watch)) => {
                let mut watch = Watch::new(watch, Token::Memory);
                watch.set(&self.poll, Interest::READ);
                container.memory = Some(watch);
            }
            Ok(None) => {}
            Err(error) => note(format_args!("can't tell when the container runs out of memory: {error}")),
        }
    }

    pub(super) fn memory_ran_out(&mut self) {
        let Some(container) = &mut self.container else { return };
        let (Some(watch), Some(group)) = (&mut container.memory, &container.cgroup) else { return };
        let mut word = [0; 4096];
        if !matches!(rustix::io::read(&watch.of, &mut word), Ok(read) if read > 0) || !group.has_memory() {
            container.memory = None;
            return;
        }
        let kills = group.memory_kills();
        // Version 1 tells before it counts; version 2 tells of everything that it counts.
        let ran_out = kills > container.memory_kills || !group.is_unified();
        container.memory_kills = kills;
        if ran_out {
            let id = container.id.clone();
            self.publish(&Topic::OutOfMemory { id });
        }
    }
}
