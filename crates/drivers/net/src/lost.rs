//! Somebody takes addresses away: a device is deleted or put down, an address removed.

use crate::nfnetlink::failed;
use crate::stop::{self, Stop, Stopped};
use crate::{Error, Result};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{RecvFlags, bind, recv};
use std::os::fd::OwnedFd;

/// `RTMGRP_IPV4_IFADDR` and `RTMGRP_IPV6_IFADDR`. Those of links tell of each container that comes; of addresses only bridges have
/// some in the host's namespace.
const GROUPS: u32 = 0x10 | 0x100;
const RTM_DELADDR: u16 = 21;

/// Hears of addresses that devices lose in the namespace of the thread that opened it.
#[derive(Debug)]
pub struct Lost {
    events: OwnedFd,
    stopped: Stopped,
}

impl Lost {
    /// Has `each` done on a thread of its own whenever addresses are lost, until the answer is dropped.
    ///
    /// # Errors
    /// Where there is no socket or thread for it.
    pub fn keep(mut each: impl FnMut() + Send + 'static) -> Result<Stop> {
        let (mut lost, stop) = Self::open()?;
        let wait = move || Ok(lost.wait()?.then_some(()));
        stop::keep("bridge-watch", "a bridge that is deleted stays so", wait, move |()| each())?;
        Ok(stop)
    }

    fn open() -> Result<(Self, Stop)> {
        let events = sys::netlink::open_route().map_err(|cause| Error::Socket { action: "open", cause })?;
        bind(&events, &SocketAddrNetlink::new(0, GROUPS)).map_err(failed("bind"))?;
        let (stopped, stop) = stop::pair()?;
        Ok((Self { events, stopped }, stop))
    }

    /// Blocks until addresses are lost; false when the watch is to end.
    fn wait(&mut self) -> Result<bool> {
        while self.stopped.wait(&self.events)? {
            if self.drain()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads all that is there; says whether some of it was of a loss.
    fn drain(&self) -> Result<bool> {
        let mut lost = false;
        let mut buffer = [0; 16 * 1024];
        loop {
            match rustix::io::retry_on_intr(|| recv(&self.events, &mut buffer[..], RecvFlags::DONTWAIT)) {
                Ok((length, _)) => lost |= tells_of_loss(&buffer[..length]),
                // More happened than the socket holds.
                Err(Errno::NOBUFS) => lost = true,
                Err(Errno::AGAIN) => return Ok(lost),
                Err(errno) => return Err(failed("read from")(errno)),
            }
        }
    }
}

/// Whether a message of `struct nlmsghdr`, length and kind, is among these.
fn tells_of_loss(mut messages: &[u8]) -> bool {
    while let Some((header, _)) = messages.split_at_checked(16) {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        if u16::from_ne_bytes([header[4], header[5]]) == RTM_DELADDR {
            return true;
        }
        messages = messages.get(length.max(16).next_multiple_of(4)..).unwrap_or_default();
    }
    false
}
