//! A client of the attach socket: its greeting, then output to it and input from it.

use crate::queue::Queue;
use logs::Stream;
use rustix::io::Errno;
use serde::Serialize;
use shim_protocol::{Hello, Welcome};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A greeting that is longer is none.
const GREETING_LIMIT: usize = 4096;
/// A client that is so far behind is cut off: the application must not wait for it, nor the shim grow without end.
const BACKLOG_LIMIT: usize = 64 << 20;

/// A connection to the attach socket.
#[derive(Debug)]
pub(crate) struct Client {
    fd: OwnedFd,
    greeting: Vec<u8>,
    output: Queue,
    /// What it asked for, once it has.
    pub(crate) attached: Option<Attached>,
    /// Whether the connection ends once all output is sent.
    pub(crate) closing: bool,
}

/// What a client gets and gives.
#[derive(Debug)]
pub(crate) struct Attached {
    /// The process's number.
    pub(crate) process: u32,
    pub(crate) terminal: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    /// Whether its bytes are input; false from its half-close on.
    pub(crate) stdin: bool,
}

/// How far a greeting is.
#[derive(Debug)]
pub(crate) enum Greeting {
    Incomplete,
    Complete(Hello),
    Broken(String),
    Gone,
}

impl Client {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self { fd, greeting: Vec::new(), output: Queue::default(), attached: None, closing: false }
    }

    /// Reads the greeting, a byte at a time: what follows the newline is input already.
    pub(crate) fn read_greeting(&mut self) -> Greeting {
        let mut byte = [0];
        loop {
            match rustix::io::read(&self.fd, &mut byte) {
                Ok(0) => return Greeting::Gone,
                Ok(_) if byte[0] == b'\n' => break,
                Ok(_) => self.greeting.push(byte[0]),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Greeting::Incomplete,
                Err(_) => return Greeting::Gone,
            }
            if self.greeting.len() > GREETING_LIMIT {
                return Greeting::Broken("the first line is too long".to_owned());
            }
        }
        match serde_json::from_slice(&std::mem::take(&mut self.greeting)) {
            Ok(hello) => Greeting::Complete(hello),
            Err(error) => Greeting::Broken(format!("the first line is not a greeting: {error}")),
        }
    }

    /// Answers the greeting.
    pub(crate) fn welcome(&mut self, welcome: &Welcome) {
        self.output.push(&line(welcome));
    }

    /// Queues output. False: the client is too far behind.
    pub(crate) fn push(&mut self, stream: Stream, bytes: &[u8]) -> bool {
        let Some(attached) = &self.attached else { return true };
        let (wanted, number) = match stream {
            Stream::Stdout => (attached.stdout, 1),
            Stream::Stderr => (attached.stderr, 2),
        };
        if !wanted {
            return true;
        }
        if self.output.len() + bytes.len() > BACKLOG_LIMIT {
            return false;
        }
        if !attached.terminal {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
            self.output.push(&[number, 0, 0, 0, length[0], length[1], length[2], length[3]]);
        }
        self.output.push(bytes);
        true
    }

    /// Sends what the socket takes. False: the client has gone, or all is sent and the connection ends.
    pub(crate) fn flush(&mut self) -> bool {
        self.output.flush(&self.fd).is_ok() && !(self.closing && self.output.is_empty())
    }

    /// Whether output waits for the socket.
    pub(crate) fn is_behind(&self) -> bool {
        !self.output.is_empty()
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn line(message: &impl Serialize) -> Vec<u8> {
    // Plain structures with string keys always serialise.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    fn pair() -> (OwnedFd, Client) {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
        (ours, Client::new(theirs))
    }

    fn attached(terminal: bool) -> Attached {
        Attached { process: 0, terminal, stdout: true, stderr: false, stdin: true }
    }

    #[test]
    fn input_after_the_greeting_stays_in_the_socket() {
        let (peer, mut client) = pair();
        let hello = b"{\"exec\":null,\"stdin\":true,\"stdout\":true,\"stderr\":false}\nls\n";
        rustix::io::write(&peer, hello).unwrap();
        assert!(matches!(client.read_greeting(), Greeting::Complete(hello) if hello.stdin));
        let mut rest = [0; 8];
        assert_eq!(rustix::io::read(&client, &mut rest).unwrap(), 3);
    }

    #[test]
    fn output_is_framed_without_a_terminal_and_only_what_was_asked_for() {
        let (peer, mut client) = pair();
        client.attached = Some(attached(false));
        assert!(client.push(Stream::Stdout, b"hi") && client.push(Stream::Stderr, b"no"));
        client.closing = true;
        assert!(!client.flush(), "all is sent, so the connection ends");
        let mut received = [0; 32];
        let n = rustix::io::read(&peer, &mut received).unwrap();
        assert_eq!(received[..n], *b"\x01\0\0\0\0\0\0\x02hi");
    }

    #[test]
    fn a_client_without_end_of_line_is_broken_off() {
        let (peer, mut client) = pair();
        rustix::io::write(&peer, &[b'x'; GREETING_LIMIT + 2]).unwrap();
        assert!(matches!(client.read_greeting(), Greeting::Broken(_)));
    }
}
