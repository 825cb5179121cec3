//! The threads that answer datagrams: one `epoll` for all sockets, many datagrams a system call, no lock and no
//! allocation on the way of a name that is known here.

use super::socket::Socket;
use super::{Asking, sockets::Sockets};
use crate::answer::{Known, Outcome, coded};
use crate::message::code;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use sys::datagrams::Batch;
use tokio::sync::mpsc::Sender;

/// Datagrams that are taken at a time.
const BATCH: usize = 32;

/// Bytes of the longest datagram, in and out.
const SIZE: usize = 4096;

/// Answers until the sockets are closed.
pub(super) fn run(sockets: &Sockets, known: &Known, outside: &Sender<Asking>) {
    let mut worker = Worker { known, outside, turn: 0 };
    let mut batch = Batch::new(BATCH, SIZE);
    while let Some(ready) = sockets.wait() {
        for socket in ready {
            worker.serve(&socket, &mut batch);
        }
    }
}

struct Worker<'a> {
    known: &'a Known,
    outside: &'a Sender<Asking>,
    turn: usize,
}

impl Worker<'_> {
    fn serve(&mut self, socket: &Arc<Socket>, batch: &mut Batch) {
        // Another thread may have been faster; an ICMP error of an earlier answer is nobody's business.
        let Ok(count) = batch.receive(socket.fd.as_fd()) else { return };
        for index in 0..count {
            let Some((buffer, length, from)) = batch.datagram(index) else { continue };
            if let Some(answer) = self.answer(socket, buffer, length, from) {
                batch.answer(index, answer);
            }
        }
        batch.send(socket.fd.as_fd());
    }

    fn answer(
        &mut self,
        socket: &Arc<Socket>,
        buffer: &mut [u8],
        length: usize,
        from: SocketAddr,
    ) -> Option<usize> {
        self.turn = self.turn.wrapping_add(1);
        let asker = socket.asker.who(from.ip());
        match self.known.answer(asker.as_deref(), buffer, length, None, self.turn) {
            Outcome::Answer(length) => Some(length),
            Outcome::Silence => None,
            Outcome::Ask(query, servers) => {
                let packet = buffer[..length].into();
                let asking = Asking { socket: Arc::downgrade(socket), from, packet, query, servers };
                let full = self.outside.try_send(asking).err()?.into_inner();
                match coded(buffer, &full.query, code::SERVFAIL) {
                    Outcome::Answer(length) => Some(length),
                    _ => None,
                }
            }
        }
    }
}
