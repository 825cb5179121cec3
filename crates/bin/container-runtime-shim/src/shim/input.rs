//! Standard input: from clients and FIFOs to the process, at the pace at which it reads.

use super::Shim;
use crate::error::{Error, Result};
use crate::poll::{Interest, Number};
use crate::process::INIT;
use containerd_shim_protos::api::{CloseIORequest, Empty};
use rustix::io::Errno;
use std::os::fd::AsFd;

/// Beyond this many bytes the shim stops reading from those who write.
const BACKLOG: usize = 64 << 10;

/// What a descriptor had.
enum Read {
    Bytes(Vec<u8>),
    Nothing,
    End,
}

impl Shim {
    pub(super) fn close_io(&mut self, request: &CloseIORequest) -> Result<Empty> {
        let container = self.container_of(&request.id)?;
        let number = container.find(&request.exec_id)?;
        if !request.stdin {
            return Err(Error::invalid("only standard input can be closed"));
        }
        self.end_input(number);
        Ok(Empty::new())
    }

    /// Takes input from a client.
    pub(super) fn read_client_input(&mut self, number: Number) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        let Some(attached) = client.of.attached.as_mut().filter(|attached| attached.stdin) else { return };
        let process = attached.process;
        match read(&client.of) {
            Read::Bytes(bytes) => self.feed(process, &bytes),
            Read::Nothing => {}
            Read::End => self.client_input_ended(number),
        }
    }

    /// A client has half-closed, or gone.
    pub(super) fn client_input_ended(&mut self, number: Number) {
        let attached = self.clients.get_mut(&number).and_then(|client| client.of.attached.as_mut());
        let Some(attached) = attached.filter(|attached| attached.stdin) else { return };
        attached.stdin = false;
        let process = attached.process;
        self.watch_client(number);
        let once = self.container.as_ref().is_some_and(|container| container.options.stdin_once);
        if process != INIT || once {
            self.end_input(process);
        }
    }

    pub(super) fn read_source(&mut self, number: Number) {
        let Some(source) = self.streams(number).and_then(|streams| streams.source.as_ref()) else { return };
        match read(&source.of) {
            Read::Bytes(bytes) => self.feed(number, &bytes),
            Read::Nothing => {}
            Read::End => {
                if let Some(streams) = self.streams(number) {
                    streams.source = None;
                }
                self.end_input(number);
            }
        }
    }

    /// Writes what has been waiting.
    pub(super) fn write_input(&mut self, number: Number) {
        let Self { container: Some(container), poll, .. } = self else { return };
        let Some(process) = container.processes.get_mut(&number) else { return };
        let Some(stdin) = &mut process.streams.stdin else { return };
        let written = stdin.of.queue.flush(&stdin.of.fd);
        let behind = !stdin.of.queue.is_empty();
        // An error: nobody will read it any more.
        if written.is_err() || (stdin.of.ending && !behind && !process.terminal) {
            process.streams.stdin = None;
        } else {
            stdin.set(poll, if behind { Interest::WRITE } else { Interest::NONE });
        }
        self.watch_writers(number);
    }

    fn feed(&mut self, number: Number, bytes: &[u8]) {
        if let Some(stdin) = self.streams(number).and_then(|streams| streams.stdin.as_mut()) {
            stdin.of.queue.push(bytes);
        }
        self.write_input(number);
    }

    /// Closes the process's input once all is written. A terminal has no end; its user types one.
    fn end_input(&mut self, number: Number) {
        if let Some(stdin) = self.streams(number).and_then(|streams| streams.stdin.as_mut()) {
            stdin.of.ending = true;
        }
        self.write_input(number);
    }

    /// Whether more input is welcome.
    pub(super) fn takes_input(&self, number: Number) -> bool {
        let process = self.container.as_ref().and_then(|container| container.processes.get(&number));
        // Without a process to write to, what comes is thrown away.
        let waiting =
            process.and_then(|process| process.streams.stdin.as_ref()).map_or(0, |s| s.of.queue.len());
        waiting < BACKLOG
    }

    fn watch_writers(&mut self, number: Number) {
        let open = self.takes_input(number);
        let Self { container, clients, poll, .. } = self;
        let process = container.as_mut().and_then(|container| container.processes.get_mut(&number));
        if let Some(source) = process.and_then(|process| process.streams.source.as_mut()) {
            source.set(poll, if open { Interest::READ } else { Interest::NONE });
        }
        let feeds = |attached: &crate::streams::Attached| attached.process == number && attached.stdin;
        let feeding: Vec<_> = clients
            .iter()
            .filter(|(_, client)| client.of.attached.as_ref().is_some_and(feeds))
            .map(|(&n, _)| n)
            .collect();
        for client in feeding {
            self.watch_client(client);
        }
    }
}

fn read(fd: impl AsFd) -> Read {
    let mut bytes = Vec::with_capacity(16 << 10);
    match rustix::io::read(fd, rustix::buffer::spare_capacity(&mut bytes)) {
        Ok(0) => Read::End,
        Ok(_) => Read::Bytes(bytes),
        Err(Errno::AGAIN | Errno::INTR) => Read::Nothing,
        Err(_) => Read::End,
    }
}
