//! The one place where the shim waits: epoll, level-triggered, with a token for each descriptor.

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// A number that this shim gives once: of a connection, a client or a process.
pub(crate) type Number = u32;

/// What a descriptor is to the shim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// The ttrpc socket, for new connections.
    Listener,
    /// Ended children.
    Signals,
    /// The attach socket, for new clients.
    Attach,
    /// The kernel's word that memory ran out.
    Memory,
    /// A ttrpc connection.
    Connection(Number),
    /// An attached client.
    Client(Number),
    /// A process's standard output, or its terminal.
    Stdout(Number),
    /// A process's standard error.
    Stderr(Number),
    /// A process's standard input, to write to.
    Stdin(Number),
    /// A FIFO that feeds a process's standard input.
    Source(Number),
    /// A FIFO that takes a process's standard output.
    StdoutSink(Number),
    /// A FIFO that takes a process's standard error.
    StderrSink(Number),
    /// A connection on which an event was published.
    Publication(Number),
}

impl Token {
    fn encode(self) -> u64 {
        let (kind, number) = match self {
            Self::Listener => (0, 0),
            Self::Signals => (1, 0),
            Self::Attach => (2, 0),
            Self::Memory => (3, 0),
            Self::Connection(number) => (4, number),
            Self::Client(number) => (5, number),
            Self::Stdout(number) => (6, number),
            Self::Stderr(number) => (7, number),
            Self::Stdin(number) => (8, number),
            Self::Source(number) => (9, number),
            Self::StdoutSink(number) => (10, number),
            Self::StderrSink(number) => (11, number),
            Self::Publication(number) => (12, number),
        };
        (kind << 32) | u64::from(number)
    }

    fn decode(data: u64) -> Self {
        let number = (data & u64::from(u32::MAX)) as u32;
        match data >> 32 {
            0 => Self::Listener,
            1 => Self::Signals,
            2 => Self::Attach,
            3 => Self::Memory,
            4 => Self::Connection(number),
            5 => Self::Client(number),
            6 => Self::Stdout(number),
            7 => Self::Stderr(number),
            8 => Self::Stdin(number),
            9 => Self::Source(number),
            10 => Self::StdoutSink(number),
            11 => Self::StderrSink(number),
            _ => Self::Publication(number),
        }
    }
}

/// What to be woken for. Any interest includes the hang-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) hang_up: bool,
}

impl Interest {
    pub(crate) const READ: Self = Self { read: true, write: false, hang_up: true };
    pub(crate) const WRITE: Self = Self { read: false, write: true, hang_up: true };
    pub(crate) const NONE: Self = Self { read: false, write: false, hang_up: false };

    /// Both, either, or at least the hang-up.
    pub(crate) fn of(read: bool, write: bool) -> Self {
        Self { read, write, hang_up: true }
    }

    fn flags(self) -> EventFlags {
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, self.read);
        flags.set(EventFlags::OUT, self.write);
        flags
    }
}

/// A descriptor that is ready.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) token: Token,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) hung_up: bool,
}

/// The set of descriptors waited for.
#[derive(Debug)]
pub(crate) struct Poll {
    epoll: OwnedFd,
}

/// A descriptor of the set, with what it is watched for at present.
#[derive(Debug)]
pub(crate) struct Watch<T> {
    pub(crate) of: T,
    token: Token,
    interest: Interest,
}

impl<T: AsFd> Watch<T> {
    /// Not watched yet.
    pub(crate) fn new(of: T, token: Token) -> Self {
        Self { of, token, interest: Interest::NONE }
    }

    /// Watches for something else. With no interest at all the descriptor leaves the set, since its hang-up would
    /// wake the loop for ever.
    pub(crate) fn set(&mut self, poll: &Poll, interest: Interest) {
        let data = EventData::new_u64(self.token.encode());
        let result = match (self.interest, interest) {
            (before, now) if before == now => return,
            (_, Interest::NONE) => epoll::delete(&poll.epoll, &self.of),
            (Interest::NONE, _) => epoll::add(&poll.epoll, &self.of, data, interest.flags()),
            _ => epoll::modify(&poll.epoll, &self.of, data, interest.flags()),
        };
        match result {
            Ok(()) => self.interest = interest,
            // Only the kernel's memory can be short here. The loop goes on without this descriptor.
            Err(error) => crate::log::note(format_args!("watch {:?}: {error}", self.token)),
        }
    }
}

impl Poll {
    pub(crate) fn new() -> rustix::io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)? })
    }

    /// Waits for something to be ready, at most for `limit`.
    pub(crate) fn wait(&self, ready: &mut Vec<Ready>, limit: Option<Duration>) -> rustix::io::Result<()> {
        ready.clear();
        let limit = limit.map(|limit| {
            let nanos = limit.subsec_nanos();
            Timespec { tv_sec: limit.as_secs().cast_signed(), tv_nsec: nanos.into() }
        });
        let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; 16];
        let (events, _) = match epoll::wait(&self.epoll, &mut events, limit.as_ref()) {
            Err(Errno::INTR) => return Ok(()),
            result => result?,
        };
        let hung_up = EventFlags::HUP | EventFlags::ERR;
        ready.extend(events.iter().map(|&epoll::Event { flags, data }| Ready {
            token: Token::decode(data.u64()),
            readable: flags.intersects(EventFlags::IN | hung_up),
            writable: flags.intersects(EventFlags::OUT | hung_up),
            hung_up: flags.intersects(hung_up),
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_the_kernel() {
        for token in [Token::Listener, Token::Memory, Token::Stderr(7), Token::Publication(u32::MAX)] {
            assert_eq!(Token::decode(token.encode()), token);
        }
    }
}
