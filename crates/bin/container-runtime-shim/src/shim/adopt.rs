//! Keeping the streams of a process that another shim has made.

use super::Shim;
use super::create::{listen, open_log};
use crate::bundle::Linux;
use crate::container::Container;
use crate::error::{Error, Result};
use crate::log::note;
use crate::poll::{Interest, Token, Watch};
use crate::process::{INIT, Phase, Process};
use crate::runtime::Backend;
use crate::streams::{Endpoint, Endpoints, Input, Ours, Output};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use shim_protocol::{Options, file};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use sys::clock::now;

impl Shim {
    /// A container that is nothing but a process's streams.
    pub(super) fn adopt(&self, bundle: &Path, options: Options, outputs: [OwnedFd; 2]) -> Result<Container> {
        let log = open_log(&options)?;
        let mut attach = Watch::new(listen(bundle)?, Token::Attach);
        attach.set(&self.poll, Interest::READ);
        let [stdout, stderr] = outputs.map(|fd| Some(Output { fd, sink: None }));
        let ours = Ours { stdin: input(bundle)?, source: None, stdout, stderr };
        let stdin = if ours.stdin.is_some() { Endpoint::Attach } else { Endpoint::Null };
        let endpoints = Endpoints { stdin, stdout: Endpoint::Attach, stderr: Endpoint::Attach };
        // A terminal's output comes on standard output alone, which as frames would be of no use to anyone.
        let terminal = bundle.join(file::CONFIG).exists() && crate::bundle::config(bundle)?.process.terminal;
        let mut init = Process::recorded(String::new(), terminal, endpoints, Vec::new());
        init.phase = Phase::Running;
        init.connect(INIT, ours, &self.poll);
        Ok(Container {
            id: String::new(),
            bundle: bundle.to_owned(),
            options,
            backend: Backend::Elsewhere,
            linux: Linux::default(),
            mounts: 0,
            cgroup: None,
            devices: None,
            memory: None,
            mount_namespace: None,
            memory_kills: 0,
            attach,
            log,
            processes: BTreeMap::from([(INIT, init)]),
        })
    }

    /// Whether the output has ended and every client has it.
    pub(super) fn are_streams_over(&self) -> bool {
        let silent = self.container.as_ref().is_none_or(|container| container.init().streams.are_silent());
        silent && self.clients.values().all(|client| client.of.attached.is_none())
    }

    /// Ends the log and the clients' connections once the output has ended.
    pub(super) fn end_adopted(&mut self) {
        let Some(container) = self.container.as_mut().filter(|_| self.listener.is_none()) else { return };
        if !container.init().streams.are_silent() {
            return;
        }
        if let Some(mut log) = container.log.take()
            && let Err(error) = log.flush(now())
        {
            note(format_args!("output is lost: {}", errors::chain(&error)));
        }
        self.close_clients(INIT);
    }
}

/// The FIFO that is the process's input, if it has one.
fn input(bundle: &Path) -> Result<Option<Input>> {
    let path = bundle.join(file::STDIN);
    // Both ways, so that opening does not fail while the process is not there yet.
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    match rustix::fs::open(&path, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(Input::new(fd))),
        Err(Errno::NOENT) => Ok(None),
        Err(cause) => Err(Error::file("open", &path, cause)),
    }
}
