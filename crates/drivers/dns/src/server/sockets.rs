//! All sockets for datagrams, and waiting for any of them.

use super::socket::Socket;
use crate::error::{Error, Result};
use arc_swap::ArcSwap;
use rpds::HashTrieMapSync;
use rustix::event::{EventfdFlags, epoll};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sockets by number. A number is never used twice, so that an event of a socket that was just closed finds nothing.
#[derive(Debug)]
pub(super) struct Sockets {
    epoll: OwnedFd,
    end: OwnedFd,
    open: ArcSwap<HashTrieMapSync<u64, Arc<Socket>>>,
    next: AtomicU64,
}

/// The number of what ends the waiting.
const END: u64 = 0;

/// Sockets that are told of at a time.
const EVENTS: usize = 16;

impl Sockets {
    pub(super) fn new() -> Result<Self> {
        let make = || -> io::Result<Self> {
            let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
            let end = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            epoll::add(&epoll, &end, epoll::EventData::new_u64(END), epoll::EventFlags::IN)?;
            let open = ArcSwap::from_pointee(HashTrieMapSync::new_sync());
            Ok(Self { epoll, end, open, next: AtomicU64::new(END + 1) })
        };
        make().map_err(|source| Error::Start { action: "make an epoll descriptor", source })
    }

    /// Sockets with something to read; none at the end.
    pub(super) fn wait(&self) -> Option<impl Iterator<Item = Arc<Socket>>> {
        let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; EVENTS];
        let ready = match epoll::wait(&self.epoll, &mut events, None) {
            Ok((ready, _)) => &*ready,
            Err(rustix::io::Errno::INTR) => &[],
            Err(_) => return None,
        };
        let mut numbers = [END; EVENTS];
        for (number, event) in numbers.iter_mut().zip(ready) {
            *number = event.data.u64();
            if *number == END {
                return None;
            }
        }
        let count = ready.len();
        let open = self.open.load();
        Some(numbers.into_iter().take(count).filter_map(move |number| open.get(&number).cloned()))
    }

    /// Opens the ears to a socket; says its number.
    pub(super) fn add(&self, socket: Socket) -> io::Result<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let socket = Arc::new(socket);
        self.open.rcu(|open| open.insert(number, Arc::clone(&socket)));
        let data = epoll::EventData::new_u64(number);
        epoll::add(&self.epoll, &socket.fd, data, epoll::EventFlags::IN)
            .inspect_err(|_| self.forget(number))?;
        Ok(number)
    }

    /// Closes a socket, unless somebody is just answering there: then a moment later.
    pub(super) fn close(&self, number: u64) {
        if let Some(socket) = self.open.load().get(&number) {
            // It is not there only if adding it failed.
            let _ = epoll::delete(&self.epoll, &socket.fd);
        }
        self.forget(number);
    }

    fn forget(&self, number: u64) {
        self.open.rcu(|open| open.remove(&number));
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.open.load().size()
    }

    /// Ends all waiting.
    pub(super) fn end(&self) {
        // It can fail only by being signalled already.
        let _ = rustix::io::write(&self.end, &1_u64.to_ne_bytes());
    }
}
