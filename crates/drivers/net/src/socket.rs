//! A blocking rtnetlink socket: several requests in one send, one answer each.

use crate::attributes::{attributes, text};
use crate::{Error, Result};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::os::fd::OwnedFd;

/// What is asked, and how an error calls it.
#[derive(Debug, Clone)]
pub struct Request {
    operation: String,
    message: RouteNetlinkMessage,
    flags: u16,
}

impl Request {
    /// A request; `flags` are those of `nlmsghdr` besides `NLM_F_REQUEST` and `NLM_F_ACK`.
    pub fn new(operation: impl Into<String>, message: RouteNetlinkMessage, flags: u16) -> Self {
        Self { operation: operation.into(), message, flags }
    }
}

/// A blocking rtnetlink socket. It acts on the namespace of the thread that opened it, whoever uses it.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    sequence: u32,
}

// An answer never exceeds what the kernel allocates for it: 32 KiB for dumps, far less for the rest.
const ANSWER: usize = 32 * 1024;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLM_F_DUMP_INTR: u16 = 0x10;
/// How often a list is asked for that changes meanwhile.
const DUMPS: usize = 4;
const HEADER: usize = 16;

impl Socket {
    /// Opens a socket in the calling thread's network namespace.
    pub fn open() -> Result<Self> {
        let fd = sys::netlink::open_route().map_err(|cause| Error::Socket { action: "open", cause })?;
        Ok(Self { fd, sequence: 0 })
    }

    /// Asks for several things in one send. The kernel tries all of them in order.
    ///
    /// # Errors
    /// That of the first request that was refused; later ones may have been carried out.
    pub fn batch(&mut self, requests: Vec<Request>) -> Result<()> {
        let first = self.sequence + 1;
        let mut bytes = Vec::with_capacity(1024);
        let mut operations = Vec::with_capacity(requests.len());
        for request in requests {
            operations.push(self.write(&mut bytes, request, NLM_F_ACK));
        }
        self.send(&bytes)?;
        let mut outcome = Ok(());
        for (sequence, operation) in (first..).zip(operations) {
            let answer = self.acknowledgement(sequence, &operation);
            outcome = outcome.and(answer);
        }
        outcome
    }

    /// Asks for one thing whose answer is a message.
    pub fn get(&mut self, request: Request) -> Result<RouteNetlinkMessage> {
        let mut found = None;
        let operation = request.operation.clone();
        self.ask(request, 0, |message| found = decode(message, &operation))?;
        found.ok_or(Error::BadAnswer { operation })
    }

    /// Asks for all things of a kind. Messages that the library can't read are left out.
    pub fn dump(&mut self, request: &Request) -> Result<Vec<RouteNetlinkMessage>> {
        self.dump_with(request, |message| decode(message, &request.operation))
    }

    /// Asks for one thing and reads its message alone. The library writes a text about each attribute before it knows
    /// whether there is an error to tell: with three devices looked at, that was 4 % of what a container's start costs.
    pub(crate) fn get_with<T>(
        &mut self,
        request: Request,
        read: impl Fn(&NetlinkBuffer<&[u8]>) -> Option<T>,
    ) -> Result<T> {
        let mut found = None;
        let operation = request.operation.clone();
        self.ask(request, 0, |message| found = read(message))?;
        found.ok_or(Error::BadAnswer { operation })
    }

    /// The same for all things of a kind: as the library has it, a device takes 10 kB. What can't be read is left out.
    pub(crate) fn dump_with<T>(
        &mut self,
        request: &Request,
        read: impl Fn(&NetlinkBuffer<&[u8]>) -> Option<T>,
    ) -> Result<Vec<T>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut found = Vec::new();
            let is_whole = self.ask(request.clone(), NLM_F_DUMP, |message| found.extend(read(message)))?;
            // The last one counts on a host where there is never a quiet moment.
            if is_whole || tries == DUMPS {
                return Ok(found);
            }
        }
    }

    /// Hands each message of the answer to `each`. False: something changed while the kernel listed, and may be missing.
    fn ask(
        &mut self,
        request: Request,
        flags: u16,
        mut each: impl FnMut(&NetlinkBuffer<&[u8]>),
    ) -> Result<bool> {
        let mut bytes = Vec::with_capacity(256);
        let operation = self.write(&mut bytes, request, flags);
        self.send(&bytes)?;
        let mut is_whole = true;
        let mut buffer = vec![0; ANSWER];
        loop {
            let length = self.receive(&mut buffer)?;
            for message in split(&buffer[..length]) {
                let Some(message) = message else { return Err(Error::BadAnswer { operation }) };
                if message.sequence_number() != self.sequence {
                    continue;
                }
                is_whole &= message.flags() & NLM_F_DUMP_INTR == 0;
                match message.message_type() {
                    // A list that breaks off ends with the reason, too.
                    NLMSG_DONE | NLMSG_ERROR => {
                        check(&message, &operation)?;
                        return Ok(is_whole);
                    }
                    _ => each(&message),
                }
                if flags & NLM_F_DUMP == 0 {
                    return Ok(is_whole);
                }
            }
        }
    }

    fn write(&mut self, bytes: &mut Vec<u8>, request: Request, flags: u16) -> String {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.sequence_number = self.sequence;
        header.flags = NLM_F_REQUEST | request.flags | flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request.message));
        message.finalize();
        let start = bytes.len();
        bytes.resize(start + message.buffer_len().next_multiple_of(4), 0);
        message.serialize(&mut bytes[start..]);
        request.operation
    }

    fn send(&self, bytes: &[u8]) -> Result<()> {
        rustix::io::retry_on_intr(|| rustix::net::send(&self.fd, bytes, SendFlags::empty()))
            .map_err(|cause| Error::Socket { action: "write to", cause: cause.into() })?;
        Ok(())
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<usize> {
        let (_, length) =
            rustix::io::retry_on_intr(|| rustix::net::recv(&self.fd, &mut *buffer, RecvFlags::TRUNC))
                .map_err(|cause| Error::Socket { action: "read from", cause: cause.into() })?;
        if length > buffer.len() {
            let cause = io::Error::new(io::ErrorKind::InvalidData, "an answer is too long");
            return Err(Error::Socket { action: "read from", cause });
        }
        Ok(length)
    }

    fn acknowledgement(&self, sequence: u32, operation: &str) -> Result<()> {
        let mut buffer = [0; 1024];
        loop {
            let length = self.receive(&mut buffer)?;
            for message in split(&buffer[..length]) {
                let message = message.ok_or_else(|| Error::BadAnswer { operation: operation.to_owned() })?;
                // A smaller number is an answer that an earlier, failed call did not wait for.
                if message.sequence_number() == sequence && message.message_type() == NLMSG_ERROR {
                    return check(&message, operation);
                }
            }
        }
    }
}

fn split(mut bytes: &[u8]) -> impl Iterator<Item = Option<NetlinkBuffer<&[u8]>>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let Ok(message) = NetlinkBuffer::new_checked(bytes) else {
            bytes = &[];
            return Some(None);
        };
        let length = message.length() as usize;
        let whole = NetlinkBuffer::new(&bytes[..length]);
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Some(whole))
    })
}

fn decode(message: &NetlinkBuffer<&[u8]>, operation: &str) -> Option<RouteNetlinkMessage> {
    match NetlinkMessage::deserialize(message.clone().into_inner()) {
        Ok(NetlinkMessage { payload: NetlinkPayload::InnerMessage(inner), .. }) => Some(inner),
        Ok(_) => None,
        Err(error) => {
            tracing::debug!(operation, %error, "a netlink message of the kernel was not understood");
            None
        }
    }
}

/// Reads an `NLMSG_ERROR`: the negated error number, the request's header, then attributes.
fn check(message: &NetlinkBuffer<&[u8]>, operation: &str) -> Result<()> {
    let payload = message.payload();
    let Some(code) = payload.first_chunk::<4>() else {
        return Err(Error::BadAnswer { operation: operation.to_owned() });
    };
    let code = i32::from_ne_bytes(*code);
    if code == 0 {
        return Ok(());
    }
    let explanation = if message.flags() & NLM_F_ACK_TLVS != 0 {
        payload.get(4 + HEADER..).and_then(explanation)
    } else {
        None
    };
    let cause = io::Error::from_raw_os_error(code.wrapping_neg());
    Err(Error::Refused { operation: operation.to_owned(), explanation, cause })
}

/// The text attribute (`NLMSGERR_ATTR_MSG`, 1) of an extended answer.
fn explanation(bytes: &[u8]) -> Option<String> {
    let found = attributes(bytes).find(|(kind, _)| *kind == 1).map(|(_, value)| text(value));
    found.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_found_behind_other_attributes() {
        let mut attributes = vec![8, 0, 2, 0, 1, 0, 0, 0];
        attributes.extend([9, 0, 1, 0, b'b', b'u', b's', b'y', 0, 0, 0, 0]);
        assert_eq!(explanation(&attributes).as_deref(), Some("busy"));
        assert_eq!(explanation(&[200, 0, 1, 0]), None);
        assert_eq!(explanation(&[0, 0, 1, 0]), None);
    }

    #[test]
    fn hostile_answers_end_the_splitting() {
        assert_eq!(split(&[1, 2, 3]).map(|message| message.is_some()).collect::<Vec<_>>(), [false]);
        assert_eq!(split(&[255; 16]).map(|message| message.is_some()).collect::<Vec<_>>(), [false]);
    }
}
