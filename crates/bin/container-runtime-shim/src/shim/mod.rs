//! The serving shim: one loop over all descriptors, and what each of them asks for.

mod adopt;
mod attach;
mod compress;
mod create;
mod delete;
mod exec;
mod input;
mod limits;
mod output;
mod publish;
mod reap;
mod respond;
mod service;
mod state;

pub(crate) use state::timestamp;

use crate::container::Container;
use crate::error::{Error, Result};
use crate::poll::{Interest, Number, Poll, Ready, Token, Watch};
use crate::process::ReplyTo;
use crate::streams::Client;
use crate::ttrpc::{Connection, Incoming};
use compress::Compressor;
use containerd_shim_protos::ttrpc::Request;
use rustix::net::{SocketFlags, accept_with};
use rustix::process::Pid;
use shim_protocol::Options;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a shim without a container waits for its first connection.
const FIRST_CONNECTION: Duration = Duration::from_secs(60);

/// How often it looks meanwhile whether the daemon that started it still lives.
const PARENT_CHECK: Duration = Duration::from_millis(250);

/// Everything that a serving shim has.
#[derive(Debug)]
pub(crate) struct Shim {
    poll: Poll,
    /// The ttrpc socket; a shim that only keeps streams has none.
    listener: Option<Watch<OwnedFd>>,
    signals: Watch<OwnedFd>,
    connections: BTreeMap<Number, Watch<Connection>>,
    clients: BTreeMap<Number, Watch<Client>>,
    publications: BTreeMap<Number, Watch<OwnedFd>>,
    container: Option<Container>,
    /// What is left of a deleted container: descriptors whose closing waits for other processors. They go with the shim.
    slow_to_close: Vec<OwnedFd>,
    /// Whether the mount namespace is this shim's own.
    private: bool,
    /// The ttrpc address for events of a containerd that started this shim.
    containerd: Option<String>,
    namespace: String,
    numbers: Number,
    /// Since when it waits for its first connection; none: it has had one.
    unconnected_since: Option<Instant>,
    /// The daemon that started this shim for itself; none where whoever started it goes on purpose.
    parent: Option<Pid>,
    compressor: Compressor,
    /// Whether memory was freed that the heap still holds.
    untrimmed: bool,
    done: bool,
}

/// How a shim was started.
#[derive(Debug, Default)]
pub(crate) struct Setting {
    /// Where containerd takes events.
    pub(crate) containerd: Option<String>,
    /// containerd's namespace, for events.
    pub(crate) namespace: String,
    /// Whether the mount namespace is this shim's own already.
    pub(crate) private: bool,
    /// The daemon that started this shim for itself.
    pub(crate) parent: Option<Pid>,
}

impl Shim {
    /// Over a listening socket.
    pub(crate) fn new(listener: OwnedFd, setting: Setting) -> Result<Self> {
        rustix::io::ioctl_fionbio(&listener, true).map_err(Error::kernel("prepare the ttrpc socket"))?;
        Self::over(Some(listener), setting)
    }

    /// Without a service, for streams of a process that another shim has made.
    pub(crate) fn for_streams(bundle: &Path, options: Options, outputs: [OwnedFd; 2]) -> Result<Self> {
        let mut shim = Self::over(None, Setting::default())?;
        let container = shim.adopt(bundle, options, outputs)?;
        shim.container = Some(container);
        Ok(shim)
    }

    fn over(listener: Option<OwnedFd>, setting: Setting) -> Result<Self> {
        let poll = Poll::new().map_err(Error::kernel("make an epoll set"))?;
        let children = sys::signals::descriptor(&[rustix::process::Signal::CHILD.as_raw()]);
        let signals = children.map_err(Error::kernel("take signals through a descriptor"))?;
        let mut shim = Self {
            poll,
            listener: listener.map(|listener| Watch::new(listener, Token::Listener)),
            signals: Watch::new(signals, Token::Signals),
            connections: BTreeMap::new(),
            clients: BTreeMap::new(),
            publications: BTreeMap::new(),
            container: None,
            slow_to_close: Vec::new(),
            private: setting.private,
            containerd: setting.containerd,
            namespace: setting.namespace,
            numbers: 0,
            unconnected_since: Some(Instant::now()),
            parent: setting.parent,
            compressor: Compressor::default(),
            untrimmed: false,
            done: false,
        };
        if let Some(listener) = &mut shim.listener {
            listener.set(&shim.poll, Interest::READ);
        }
        shim.signals.set(&shim.poll, Interest::READ);
        Ok(shim)
    }

    /// Serves until there is nothing left to serve.
    pub(crate) fn run(mut self) -> Result<()> {
        let mut ready = Vec::new();
        while !self.is_done() {
            self.poll.wait(&mut ready, self.patience()).map_err(Error::kernel("wait for something to do"))?;
            for &ready in &ready {
                self.handle(ready);
            }
            self.expire();
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        if self.listener.is_none() {
            return self.are_streams_over();
        }
        // A shim outlives its container until its clients have what that printed.
        if self.clients.values().any(|client| client.of.closing && client.of.is_behind()) {
            return false;
        }
        let unconnected = self
            .unconnected_since
            .is_none_or(|since| since.elapsed() >= FIRST_CONNECTION || self.is_orphan());
        self.done || (self.container.is_none() && self.connections.is_empty() && unconnected)
    }

    /// Whether the daemon that started this shim is gone: it died before it could connect.
    fn is_orphan(&self) -> bool {
        self.parent.is_some() && self.parent != rustix::process::getppid()
    }

    /// Until the next thing that happens by itself.
    fn patience(&self) -> Option<Duration> {
        let unconnected =
            self.unconnected_since.filter(|_| self.listener.is_some()).map(|since| match self.parent {
                Some(_) => Instant::now() + PARENT_CHECK,
                None => since + FIRST_CONNECTION,
            });
        let until = self.next_deadline().into_iter().chain(unconnected).min()?;
        Some(until.saturating_duration_since(Instant::now()))
    }

    fn handle(&mut self, ready: Ready) {
        use logs::Stream::{Stderr, Stdout};
        match ready.token {
            Token::Listener => self.accept_connections(),
            Token::Signals => self.reap(),
            Token::Attach => self.accept_clients(),
            Token::Memory => self.memory_ran_out(),
            Token::Connection(number) => self.serve_connection(number, ready),
            Token::Client(number) => self.serve_client(number, ready),
            Token::Stdout(process) => self.read_output(process, Stdout),
            Token::Stderr(process) => self.read_output(process, Stderr),
            Token::Stdin(process) => self.write_input(process),
            Token::Source(process) => self.read_source(process),
            Token::StdoutSink(process) => self.flush_sink(process, Stdout),
            Token::StderrSink(process) => self.flush_sink(process, Stderr),
            Token::Publication(number) => {
                // Whatever the answer, or the hang-up: the event has been delivered as far as it can be.
                self.publications.remove(&number);
            }
        }
    }

    /// A number that no descriptor has had, so that an event for one that has just gone finds nobody.
    fn next_number(&mut self) -> Number {
        self.numbers += 1;
        self.numbers
    }

    fn accept_connections(&mut self) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        while let Some(Ok(fd)) = self.listener.as_ref().map(|listener| accept_with(&listener.of, flags)) {
            let number = self.next_number();
            let mut connection = Watch::new(Connection::new(fd), Token::Connection(number));
            connection.set(&self.poll, Interest::READ);
            self.connections.insert(number, connection);
            self.unconnected_since = None;
        }
    }

    fn serve_connection(&mut self, number: Number, ready: Ready) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        if ready.writable && !connection.of.flush() {
            return self.drop_connection(number);
        }
        let incoming = if ready.readable { connection.of.receive() } else { Vec::new() };
        for incoming in incoming {
            match incoming {
                Incoming::Request(stream, request) => self.serve_request(number, stream, &request),
                Incoming::Nonsense(stream, status) => {
                    self.respond_status(ReplyTo { connection: number, stream }, status);
                }
                Incoming::Gone => return self.drop_connection(number),
            }
        }
        self.watch_connection(number);
    }

    fn serve_request(&mut self, connection: Number, stream: u32, request: &Request) {
        let to = ReplyTo { connection, stream };
        if let Some(answer) = self.dispatch(to, request) {
            self.respond(to, answer);
        }
    }

    fn watch_connection(&mut self, number: Number) {
        if let Some(connection) = self.connections.get_mut(&number) {
            let write = connection.of.is_behind();
            connection.set(&self.poll, Interest::of(true, write));
        }
    }

    fn drop_connection(&mut self, number: Number) {
        self.connections.remove(&number);
        for process in self.container.iter_mut().flat_map(|container| container.processes.values_mut()) {
            process.waiters.retain(|waiter| waiter.connection != number);
        }
        if self.connections.is_empty() {
            self.forsake_execs();
        }
    }
}
