//! One client of the ttrpc socket.

use super::frame::{HEADER, Header, Kind, LIMIT, encode};
use crate::queue::Queue;
use containerd_shim_protos::ttrpc::{Code, Request, Response, Status};
use protobuf::Message;
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A connection with what was read and not yet understood, and what was answered and not yet sent.
#[derive(Debug)]
pub(crate) struct Connection {
    fd: OwnedFd,
    input: Vec<u8>,
    output: Queue,
}

/// What arrived.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A request and the stream to answer on.
    Request(u32, Request),
    /// A frame that is no request; the status to answer with.
    Nonsense(u32, Status),
    /// The client has gone, or does not speak ttrpc.
    Gone,
}

impl Connection {
    /// Takes a non-blocking socket.
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self { fd, input: Vec::new(), output: Queue::default() }
    }

    /// Reads what there is.
    pub(crate) fn receive(&mut self) -> Vec<Incoming> {
        let mut incoming = Vec::new();
        let gone = self.fill();
        while let Some(next) = self.next_frame() {
            let last = matches!(next, Incoming::Gone);
            incoming.push(next);
            if last {
                return incoming;
            }
        }
        if self.input.is_empty() {
            self.input = Vec::new();
        }
        if gone {
            incoming.push(Incoming::Gone);
        }
        incoming
    }

    /// Queues an answer and sends what the socket takes. False: the client has gone.
    pub(crate) fn send(&mut self, stream: u32, response: &Response) -> bool {
        // Writing a message to memory fails only for one without its required fields; proto3 has none.
        let message = response.write_to_bytes().unwrap_or_default();
        self.output.push(&encode(Kind::Response, stream, &message));
        self.flush()
    }

    /// Sends what the socket takes. False: the client has gone.
    pub(crate) fn flush(&mut self) -> bool {
        self.output.flush(&self.fd).is_ok()
    }

    /// Whether answers wait for the socket.
    pub(crate) fn is_behind(&self) -> bool {
        !self.output.is_empty()
    }

    /// Reads until the socket is empty. True: it ended.
    fn fill(&mut self) -> bool {
        loop {
            self.input.reserve(4096);
            match rustix::io::read(&self.fd, rustix::buffer::spare_capacity(&mut self.input)) {
                Ok(0) => return true,
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return false,
                Err(_) => return true,
            }
            if self.input.len() > LIMIT + HEADER {
                return false; // one frame at a time is enough; the rest waits in the socket
            }
        }
    }

    fn next_frame(&mut self) -> Option<Incoming> {
        let header = Header::parse(&self.input)?;
        if header.length > LIMIT {
            return Some(Incoming::Gone); // what follows can't be told apart from the message
        }
        let end = HEADER + header.length;
        let message = self.input.get(HEADER..end)?;
        let incoming = match header.kind {
            Kind::Request => match Request::parse_from_bytes(message) {
                Ok(request) => Incoming::Request(header.stream, request),
                Err(error) => {
                    Incoming::Nonsense(header.stream, nonsense(format!("malformed request: {error}")))
                }
            },
            _ => Incoming::Nonsense(header.stream, nonsense("not a unary request".to_owned())),
        };
        self.input.drain(..end);
        Some(incoming)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn nonsense(message: String) -> Status {
    Status { code: Code::INVALID_ARGUMENT.into(), message, ..Status::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    fn pair() -> (OwnedFd, Connection) {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
        (ours, Connection::new(theirs))
    }

    #[test]
    fn requests_arrive_whole_in_whatever_pieces() {
        let (client, mut connection) = pair();
        let request = Request { method: "State".to_owned(), ..Request::default() };
        let frame = encode(Kind::Request, 5, &request.write_to_bytes().unwrap());
        rustix::io::write(&client, &frame[..7]).unwrap();
        assert!(connection.receive().is_empty());
        rustix::io::write(&client, &[&frame[7..], &frame[..]].concat()).unwrap();
        let incoming = connection.receive();
        assert_eq!(incoming.len(), 2);
        assert!(matches!(&incoming[0], Incoming::Request(5, request) if request.method == "State"));
    }

    #[test]
    fn a_client_that_speaks_something_else_is_dropped() {
        let (client, mut connection) = pair();
        rustix::io::write(&client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert!(matches!(connection.receive()[..], [Incoming::Gone]));
    }

    #[test]
    fn a_closed_client_is_gone_after_its_last_request() {
        let (client, mut connection) = pair();
        rustix::io::write(&client, &encode(Kind::Request, 1, &[])).unwrap();
        drop(client);
        assert!(matches!(connection.receive()[..], [Incoming::Request(1, _), Incoming::Gone]));
    }
}
