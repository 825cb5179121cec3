//! One process of a container: its state and its streams.

use crate::poll::Interest;
use crate::poll::{Number, Poll, Token, Watch};
use crate::streams::{Endpoints, Input, Ours, Output, Sink};
use logs::Stream;
use shim_protocol::Exit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// The number of a container's first process.
pub(crate) const INIT: Number = 0;

/// Who waits for an answer: a connection, and its stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReplyTo {
    pub(crate) connection: Number,
    pub(crate) stream: u32,
}

/// ```text
/// Recorded ──▶ Running ──▶ Ended ──▶ Finished      an exec
/// Created  ──▶ Running ──▶ Ended ──▶ Finished      the first process; from Created to Ended when it is killed
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) enum Phase {
    /// Nothing runs yet.
    Recorded,
    /// It waits to execute its program.
    Created,
    /// It runs.
    Running,
    /// It is gone; what it printed last is still being read, until this moment at most.
    Ended(Exit, Instant),
    /// It is gone and so are its streams.
    Finished(Exit),
}

/// A process.
#[derive(Debug)]
pub(crate) struct Process {
    /// The exec's id; empty for the first process.
    pub(crate) id: String,
    pub(crate) phase: Phase,
    pub(crate) pid: Option<i32>,
    pub(crate) terminal: bool,
    pub(crate) endpoints: Endpoints,
    /// An exec's OCI description, until it starts.
    pub(crate) document: Vec<u8>,
    pub(crate) streams: Streams,
    pub(crate) waiters: Vec<ReplyTo>,
    /// Set where whoever made it has gone: until when that one may come back and ask for it.
    pub(crate) forsaken: Option<Instant>,
}

/// The shim's ends of a process's streams.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    pub(crate) stdin: Option<Watch<Input>>,
    pub(crate) source: Option<Watch<OwnedFd>>,
    pub(crate) stdout: Option<Watch<Output>>,
    pub(crate) stderr: Option<Watch<Output>>,
    pub(crate) stdout_sink: Option<Watch<Sink>>,
    pub(crate) stderr_sink: Option<Watch<Sink>>,
}

impl AsFd for Input {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsFd for Sink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Process {
    /// That exists in the records alone.
    pub(crate) fn recorded(id: String, terminal: bool, endpoints: Endpoints, document: Vec<u8>) -> Self {
        let (phase, pid) = (Phase::Recorded, None);
        Self {
            id,
            phase,
            pid,
            terminal,
            endpoints,
            document,
            streams: Streams::default(),
            waiters: Vec::new(),
            forsaken: None,
        }
    }

    /// For messages.
    pub(crate) fn name(&self) -> String {
        match self.id.as_str() {
            "" => "the container".to_owned(),
            id => format!("exec \"{id}\""),
        }
    }

    pub(crate) fn state(&self) -> &'static str {
        match self.phase {
            Phase::Recorded => "not started",
            Phase::Created => "created",
            Phase::Running => "running",
            Phase::Ended(..) | Phase::Finished(_) => "stopped",
        }
    }

    /// How it ended, once it has.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match self.phase {
            Phase::Ended(exit, _) | Phase::Finished(exit) => Some(exit),
            _ => None,
        }
    }

    /// When it can be forgotten, unless somebody asks for it before.
    pub(crate) fn over_at(&self) -> Option<Instant> {
        self.forsaken.filter(|_| matches!(self.phase, Phase::Recorded | Phase::Finished(_)))
    }

    /// Its number, while that is not another's.
    pub(crate) fn living(&self) -> Option<i32> {
        matches!(self.phase, Phase::Created | Phase::Running).then_some(self.pid).flatten()
    }

    /// Takes the shim's ends of its streams and watches them.
    pub(crate) fn connect(&mut self, number: Number, ours: Ours, poll: &Poll) {
        let mut stdout = ours.stdout.map(|output| Watch::new(output, Token::Stdout(number)));
        let mut stderr = ours.stderr.map(|output| Watch::new(output, Token::Stderr(number)));
        let mut source = ours.source.map(|source| Watch::new(source, Token::Source(number)));
        let sink = |output: &mut Option<Watch<Output>>| output.as_mut()?.of.sink.take();
        let stdout_sink = sink(&mut stdout).map(|sink| Watch::new(sink, Token::StdoutSink(number)));
        let stderr_sink = sink(&mut stderr).map(|sink| Watch::new(sink, Token::StderrSink(number)));
        for output in stdout.iter_mut().chain(&mut stderr) {
            output.set(poll, Interest::READ);
        }
        if let Some(source) = &mut source {
            source.set(poll, Interest::READ);
        }
        let stdin = ours.stdin.map(|input| Watch::new(input, Token::Stdin(number)));
        self.streams = Streams { stdin, source, stdout, stderr, stdout_sink, stderr_sink };
    }
}

impl Streams {
    pub(crate) fn output(&mut self, stream: Stream) -> &mut Option<Watch<Output>> {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    pub(crate) fn sink(&mut self, stream: Stream) -> &mut Option<Watch<Sink>> {
        match stream {
            Stream::Stdout => &mut self.stdout_sink,
            Stream::Stderr => &mut self.stderr_sink,
        }
    }

    /// Whether nothing more can be printed.
    pub(crate) fn are_silent(&self) -> bool {
        self.stdout.is_none() && self.stderr.is_none()
    }
}
