//! The form of messages to and from the packet filter (`linux/netfilter/nfnetlink.h`, `nf_tables.h`).

use crate::{Error, Result};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::os::fd::OwnedFd;

/// `NFPROTO_INET`.
pub(crate) const FAMILY_INET: u8 = 1;
/// `NFNL_SUBSYS_NFTABLES`.
pub(crate) const SUBSYSTEM: u16 = 10;
pub(crate) const BATCH_BEGIN: u16 = 16;
pub(crate) const BATCH_END: u16 = 17;
pub(crate) const NLMSG_ERROR: u16 = 2;
pub(crate) const REQUEST: u16 = 1;
pub(crate) const ACK: u16 = 4;
pub(crate) const CREATE: u16 = 0x400;
const NESTED: u16 = 0x8000;
/// Bytes of `struct nlmsghdr`.
pub(crate) const HEADER: usize = 16;
/// Bytes of `struct nfgenmsg`.
pub(crate) const GENERIC: usize = 4;

/// Opens a socket to the packet filter of the calling thread's namespace.
///
/// # Errors
/// [`Error::NoNftables`] where the kernel has no such sockets.
pub(crate) fn open() -> Result<OwnedFd> {
    sys::netlink::open_netfilter().map_err(|cause| match Errno::from_io_error(&cause) {
        Some(Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT) => Error::NoNftables,
        _ => Error::Socket { action: "open", cause },
    })
}

pub(crate) fn send(socket: &OwnedFd, bytes: &[u8]) -> Result<()> {
    let sent = rustix::io::retry_on_intr(|| rustix::net::send(socket, bytes, SendFlags::empty()));
    sent.map(drop).map_err(failed("write to"))
}

/// Waits for an answer, and says how long it is.
pub(crate) fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> Result<usize> {
    let received = rustix::io::retry_on_intr(|| rustix::net::recv(socket, &mut *buffer, RecvFlags::empty()));
    received.map(|(length, _)| length).map_err(failed("read from"))
}

pub(crate) fn failed(action: &'static str) -> impl FnOnce(Errno) -> Error {
    move |errno| Error::Socket { action, cause: errno.into() }
}

/// Writes `struct nlmsghdr` and `struct nfgenmsg`, whose length is theirs alone until [`close`] says otherwise.
pub(crate) fn header(bytes: &mut Vec<u8>, kind: u16, flags: u16, sequence: u32, family: u8, resource: u16) {
    let length = u32::try_from(HEADER + GENERIC).unwrap_or(u32::MAX);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend([family, 0]);
    bytes.extend(resource.to_be_bytes());
}

/// What of a message counts here.
pub(crate) struct Answer {
    pub(crate) kind: u16,
    pub(crate) sequence: u32,
    /// Of an `NLMSG_ERROR`: the negated error number.
    pub(crate) code: i32,
}

impl Answer {
    /// What an `NLMSG_ERROR` says of an operation.
    pub(crate) fn outcome(&self, operation: impl FnOnce() -> String) -> Result<()> {
        if self.code == 0 {
            return Ok(());
        }
        let cause = io::Error::from_raw_os_error(self.code.wrapping_neg());
        Err(Error::Refused { operation: operation(), explanation: None, cause })
    }

    /// The first message, and what is behind it.
    pub(crate) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let word = |at: usize| <[u8; 4]>::try_from(bytes.get(at..at + 4)?).ok();
        let length = usize::try_from(u32::from_ne_bytes(word(0)?)).ok()?;
        let [low, high, _, _] = word(4)?;
        let answer = Self {
            kind: u16::from_ne_bytes([low, high]),
            sequence: u32::from_ne_bytes(word(8)?),
            code: i32::from_ne_bytes(word(HEADER)?),
        };
        Some((answer, bytes.get(length.max(HEADER).next_multiple_of(4)..).unwrap_or_default()))
    }
}

pub(crate) fn text(bytes: &mut Vec<u8>, kind: u16, text: &str) {
    attribute(bytes, kind, &[text.as_bytes(), &[0]].concat());
}

/// A value of at most some hundred bytes.
pub(crate) fn attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let start = bytes.len();
    bytes.extend([0, 0]);
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    close_attribute(bytes, start);
}

pub(crate) fn nested(bytes: &mut Vec<u8>, kind: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = bytes.len();
    bytes.extend([0, 0]);
    bytes.extend((kind | NESTED).to_ne_bytes());
    fill(bytes);
    close_attribute(bytes, start);
}

fn close_attribute(bytes: &mut Vec<u8>, start: usize) {
    // `PER_MESSAGE` elements stay below the limit.
    let length = u16::try_from(bytes.len() - start).unwrap_or(u16::MAX);
    bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// Gives a message that begins at `start` its length.
pub(crate) fn close(bytes: &mut [u8], start: usize) {
    let length = u32::try_from(bytes.len() - start).unwrap_or(u32::MAX);
    bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_ends_the_splitting() {
        assert!(Answer::split(&[1, 2, 3]).is_none());
        assert!(Answer::split(&[255; 20]).is_some_and(|(_, rest)| rest.is_empty()));
    }
}
