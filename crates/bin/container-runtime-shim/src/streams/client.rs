//! A client of the attach socket: its greeting, then output to it and input from it.

use super::spool::Spool;
use crate::queue::Queue;
use logs::Stream;
use rustix::io::Errno;
use serde::Serialize;
use shim_protocol::{Hello, Welcome};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A greeting that is longer is none.
const GREETING_LIMIT: usize = 4096;
/// What waits in memory for a client that is slower than the application; more waits on disk.
const IN_MEMORY: usize = 256 << 10;
/// As much as is read back at once, and sent before others have their turn.
const CHUNK: usize = 64 << 10;
const TURN: usize = 32;
/// The Engine API's number for what is no output but a word of the engine's about it.
const NOTICE: u8 = 3;

/// A connection to the attach socket.
#[derive(Debug)]
pub(crate) struct Client {
    fd: OwnedFd,
    greeting: Vec<u8>,
    output: Queue,
    /// What comes after `output`; none: nothing has had to wait on disk yet.
    spool: Option<Spool>,
    /// Where that may be.
    directory: Option<PathBuf>,
    /// Bytes of output that found no place.
    missed: u64,
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
    /// Output that it does not take waits in a file in `directory`, beyond what waits in memory.
    pub(crate) fn new(fd: OwnedFd, directory: Option<&Path>) -> Self {
        Self {
            fd,
            greeting: Vec::new(),
            output: Queue::default(),
            spool: None,
            directory: directory.map(Path::to_path_buf),
            missed: 0,
            attached: None,
            closing: false,
        }
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

    /// Queues output. What finds no place, neither in memory nor on disk, is counted, and the client is told.
    pub(crate) fn push(&mut self, stream: Stream, bytes: &[u8]) {
        let Some(attached) = &self.attached else { return };
        let (wanted, number) = match stream {
            Stream::Stdout => (attached.stdout, 1),
            Stream::Stderr => (attached.stderr, 2),
        };
        if !wanted {
            return;
        }
        let head = frame_head(number, bytes.len());
        let head = if attached.terminal { &[] } else { &head[..] };
        // Once something is missed all is, until the client has what came before.
        if self.missed > 0 || !self.keep(head, bytes) {
            self.missed += bytes.len() as u64;
        }
    }

    /// False: there is no place for it.
    fn keep(&mut self, head: &[u8], bytes: &[u8]) -> bool {
        if self.is_spool_empty() && self.output.len() + bytes.len() <= IN_MEMORY {
            self.output.push(head);
            self.output.push(bytes);
            return true;
        }
        if self.spool.is_none() {
            self.spool = self.directory.as_deref().and_then(|directory| Spool::new(directory).ok());
        }
        self.spool.as_mut().is_some_and(|spool| spool.push(&[head, bytes].concat()).is_ok())
    }

    /// Sends what the socket takes. False: the client has gone, or all is sent and the connection ends.
    pub(crate) fn flush(&mut self) -> bool {
        for _ in 0..TURN {
            if self.output.flush(&self.fd).is_err() {
                return false;
            }
            if !self.output.is_empty() || !self.refill() {
                break;
            }
        }
        !self.closing || self.is_behind()
    }

    /// Gets into memory what is to be sent next. False: there is nothing.
    fn refill(&mut self) -> bool {
        let chunk = match &mut self.spool {
            Some(spool) if !spool.is_empty() => spool.take(CHUNK),
            _ if self.missed > 0 => Ok(self.notice()),
            _ => return false,
        };
        match chunk {
            Ok(chunk) => self.output.push(&chunk),
            // What frames there were can't be told any more: better an early end than wrong output.
            Err(_) => (self.spool, self.missed, self.closing) = (None, 0, true),
        }
        true
    }

    /// Tells how much was missed.
    fn notice(&mut self) -> Vec<u8> {
        let missed = std::mem::take(&mut self.missed);
        let text =
            format!("{missed} bytes of output are missing here: they came faster than they were read\r\n");
        let terminal = self.attached.as_ref().is_some_and(|attached| attached.terminal);
        let head = frame_head(NOTICE, text.len());
        [if terminal { b"\r\n" } else { &head[..] }, text.as_bytes()].concat()
    }

    /// Whether output waits for the socket.
    pub(crate) fn is_behind(&self) -> bool {
        !self.output.is_empty() || !self.is_spool_empty() || self.missed > 0
    }

    fn is_spool_empty(&self) -> bool {
        self.spool.as_ref().is_none_or(Spool::is_empty)
    }
}

/// Of the Engine API's stream format.
fn frame_head(stream: u8, length: usize) -> [u8; 8] {
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [stream, 0, 0, 0, length[0], length[1], length[2], length[3]]
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
        (ours, Client::new(theirs, Some(&std::env::temp_dir())))
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
        client.push(Stream::Stdout, b"hi");
        client.push(Stream::Stderr, b"no");
        client.closing = true;
        assert!(!client.flush(), "all is sent, so the connection ends");
        let mut received = [0; 32];
        let n = rustix::io::read(&peer, &mut received).unwrap();
        assert_eq!(received[..n], *b"\x01\0\0\0\0\0\0\x02hi");
    }

    /// All that a client gets, when it begins to read late.
    fn read_late(peer: &OwnedFd, client: &mut Client) -> Vec<u8> {
        let mut received = Vec::new();
        let mut buffer = [0; 1 << 16];
        client.closing = true;
        loop {
            let goes_on = client.flush();
            while let Ok(read) = rustix::io::read(peer, &mut buffer) {
                received.extend_from_slice(&buffer[..read]);
            }
            if !goes_on {
                return received;
            }
        }
    }

    #[test]
    fn a_slow_client_misses_nothing_and_costs_little_memory() {
        let (peer, mut client) = pair();
        client.attached = Some(attached(true));
        let chunk: Vec<u8> = (0..16_384_u32).flat_map(u32::to_ne_bytes).collect();
        for _ in 0..100 {
            client.push(Stream::Stdout, &chunk);
            client.flush();
        }
        assert!(client.output.len() <= IN_MEMORY, "{} bytes wait in memory", client.output.len());
        assert!(read_late(&peer, &mut client) == chunk.repeat(100));
    }

    #[test]
    fn a_client_for_which_there_is_no_place_hears_how_much_it_missed() {
        let (peer, mut client) = pair();
        client.directory = None;
        client.attached = Some(attached(false));
        let chunk = [b'x'; CHUNK];
        for _ in 0..100 {
            client.push(Stream::Stdout, &chunk);
            client.flush();
        }
        let mut rest = &*read_late(&peer, &mut client);
        let (mut got, mut told) = (0, String::new());
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
            match head[0] {
                1 => got += length,
                NOTICE => told.push_str(std::str::from_utf8(&after[..length]).unwrap()),
                other => panic!("stream {other}"),
            }
            rest = &after[length..];
        }
        assert!(told.starts_with(&format!("{} bytes", 100 * CHUNK - got)), "{told} after {got}");
    }

    #[test]
    fn a_client_without_end_of_line_is_broken_off() {
        let (peer, mut client) = pair();
        rustix::io::write(&peer, &[b'x'; GREETING_LIMIT + 2]).unwrap();
        assert!(matches!(client.read_greeting(), Greeting::Broken(_)));
    }
}
