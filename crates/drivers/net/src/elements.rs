//! Elements of the table's sets and maps, put in and taken out by netlink: no process, some ten microseconds each call.
//!
//! The messages are those of nf_tables (`linux/netfilter/nf_tables.h`, `nfnetlink.h`): a batch is a transaction.

use crate::{Error, Result};
use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::os::fd::OwnedFd;

/// An element of a set or map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// The fields of its key in the kernel's order of bytes, each a multiple of four long.
    pub key: Vec<u8>,
    /// The last key of a range.
    pub end: Option<Vec<u8>>,
    /// What a map has for it.
    pub value: Option<Vec<u8>>,
}

impl Element {
    /// One key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field to the key.
    #[must_use]
    pub fn key(mut self, field: &[u8]) -> Self {
        pad(&mut self.key, field);
        if let Some(end) = &mut self.end {
            pad(end, field);
        }
        self
    }

    /// Adds a field that is a range to the key.
    #[must_use]
    pub fn range(mut self, first: &[u8], last: &[u8]) -> Self {
        let end = self.end.get_or_insert_with(|| self.key.clone());
        pad(end, last);
        pad(&mut self.key, first);
        self
    }

    /// Adds a field to what the map has for it.
    #[must_use]
    pub fn value(mut self, field: &[u8]) -> Self {
        pad(self.value.get_or_insert_default(), field);
        self
    }
}

/// Fields begin at multiples of four bytes.
fn pad(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.extend(field);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

const FAMILY_INET: u8 = 1;
const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const NEW_ELEMENT: u16 = SUBSYSTEM << 8 | 12;
const DELETE_ELEMENT: u16 = SUBSYSTEM << 8 | 14;
const NLMSG_ERROR: u16 = 2;
const REQUEST: u16 = 1;
const ACK: u16 = 4;
const CREATE: u16 = 0x400;
const NESTED: u16 = 0x8000;
const HEADER: usize = 16;

/// So many go into a message, whose list may have 64 KiB; and so many into a transaction, which the socket has to hold.
const PER_MESSAGE: usize = 500;
const PER_BATCH: usize = 1000;

/// Puts elements into the sets of one table, and takes them out. It acts on the namespace of the thread that opened it.
#[derive(Debug)]
pub struct Elements {
    table: String,
    fd: OwnedFd,
    sequence: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Delete,
}

impl Elements {
    /// For a table of the family `inet`.
    ///
    /// # Errors
    /// Where the kernel has no nf_tables.
    pub fn open(table: &str) -> Result<Self> {
        let fd = sys::netlink::open_netfilter().map_err(|cause| Error::Socket { action: "open", cause })?;
        Ok(Self { table: table.to_owned(), fd, sequence: 0 })
    }

    /// Puts elements into a set. In one transaction, but for thousands in several: after an error those of this call are out again.
    ///
    /// # Errors
    /// [`Error::Refused`]: [`Error::is_exists`] where a map has something else for a key.
    pub fn add(&mut self, set: &str, elements: &[Element]) -> Result<()> {
        for (number, batch) in elements.chunks(PER_BATCH).enumerate() {
            if let Err(error) = self.transact(&[Verb::Add], set, batch) {
                for added in elements.chunks(PER_BATCH).take(number) {
                    self.transact(&[Verb::Delete], set, added)?;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes elements out of a set. Not an error where one is not in it, or there is no such set.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn remove(&mut self, set: &str, elements: &[Element]) -> Result<()> {
        for batch in elements.chunks(PER_BATCH) {
            // What is put in can be taken out, whether it was there or not; to delete what is missing is an error, and dear.
            match self.transact(&[Verb::Add, Verb::Delete], set, batch) {
                Err(error) if !error.is_absent() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn transact(&mut self, verbs: &[Verb], set: &str, elements: &[Element]) -> Result<()> {
        let mut bytes = Vec::with_capacity(elements.len() * 80 + 256);
        self.header(&mut bytes, BATCH_BEGIN, REQUEST, 0, SUBSYSTEM);
        let mut expected = Vec::new();
        let parts = verbs.iter().flat_map(|verb| elements.chunks(PER_MESSAGE).map(|part| (*verb, part)));
        for (verb, part) in parts {
            let start = bytes.len();
            let (kind, flags) = match verb {
                Verb::Add => (NEW_ELEMENT, REQUEST | ACK | CREATE),
                Verb::Delete => (DELETE_ELEMENT, REQUEST | ACK),
            };
            expected.push((self.header(&mut bytes, kind, flags, FAMILY_INET, 0), verb));
            write_message(&mut bytes, &self.table, set, part, verb);
            close(&mut bytes, start);
        }
        self.header(&mut bytes, BATCH_END, REQUEST, 0, SUBSYSTEM);
        rustix::io::retry_on_intr(|| rustix::net::send(&self.fd, &bytes, SendFlags::empty()))
            .map_err(|cause| Error::Socket { action: "write to", cause: cause.into() })?;
        let mut outcome = Ok(());
        for (sequence, verb) in expected {
            let answer = self.acknowledgement(sequence, verb, set);
            outcome = outcome.and(answer);
        }
        outcome
    }

    /// Writes `struct nlmsghdr` and `struct nfgenmsg`, whose length is theirs alone until [`close`] says otherwise.
    fn header(&mut self, bytes: &mut Vec<u8>, kind: u16, flags: u16, family: u8, resource: u16) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        let length = u32::try_from(HEADER + 4).unwrap_or(u32::MAX);
        bytes.extend(length.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(self.sequence.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend([family, 0]);
        bytes.extend(resource.to_be_bytes());
        self.sequence
    }

    fn acknowledgement(&self, sequence: u32, verb: Verb, set: &str) -> Result<()> {
        let operation = || {
            let verb = if verb == Verb::Add { "put elements into" } else { "take elements out of" };
            format!("{verb} the set {set} of the nftables table {}", self.table)
        };
        let mut buffer = [0; 4096];
        loop {
            let length = rustix::io::retry_on_intr(|| {
                rustix::net::recv(&self.fd, &mut buffer[..], RecvFlags::empty())
            })
            .map_err(|cause| Error::Socket { action: "read from", cause: cause.into() })?
            .0;
            let mut answers = &buffer[..length];
            while let Some((answer, rest)) = Answer::split(answers) {
                answers = rest;
                // Another number is of an earlier call that did not wait for it; a batch as a whole has the first's.
                let own = answer.sequence == sequence;
                if answer.kind != NLMSG_ERROR || (!own && answer.code == 0) {
                    continue;
                }
                return match answer.code {
                    0 => Ok(()),
                    code => Err(Error::Refused {
                        operation: operation(),
                        explanation: None,
                        cause: io::Error::from_raw_os_error(code.wrapping_neg()),
                    }),
                };
            }
        }
    }
}

/// What of a message counts here.
struct Answer {
    kind: u16,
    sequence: u32,
    code: i32,
}

impl Answer {
    fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
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

fn write_message(bytes: &mut Vec<u8>, table: &str, set: &str, elements: &[Element], verb: Verb) {
    const TABLE: u16 = 1;
    const SET: u16 = 2;
    const ELEMENTS: u16 = 3;
    const ELEMENT: u16 = 1;
    const KEY: u16 = 1;
    const DATA: u16 = 2;
    const KEY_END: u16 = 10;
    text(bytes, TABLE, table);
    text(bytes, SET, set);
    nested(bytes, ELEMENTS, |bytes| {
        for element in elements {
            nested(bytes, ELEMENT, |bytes| {
                data(bytes, KEY, &element.key);
                if let Some(end) = &element.end {
                    data(bytes, KEY_END, end);
                }
                if let Some(value) = element.value.as_ref().filter(|_| verb == Verb::Add) {
                    data(bytes, DATA, value);
                }
            });
        }
    });
}

/// `NFTA_DATA_VALUE` within an attribute.
fn data(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    nested(bytes, kind, |bytes| attribute(bytes, 1, value));
}

fn text(bytes: &mut Vec<u8>, kind: u16, text: &str) {
    attribute(bytes, kind, &[text.as_bytes(), &[0]].concat());
}

/// A value of at most some hundred bytes.
fn attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let start = bytes.len();
    bytes.extend([0, 0]);
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    close_attribute(bytes, start);
}

fn nested(bytes: &mut Vec<u8>, kind: u16, fill: impl FnOnce(&mut Vec<u8>)) {
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
fn close(bytes: &mut [u8], start: usize) {
    let length = u32::try_from(bytes.len() - start).unwrap_or(u32::MAX);
    bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_begin_at_multiples_of_four() {
        let element =
            Element::new().key(&[6]).range(&[0, 80], &[0, 90]).value(&[10, 0, 0, 2]).value(&[31, 144]);
        assert_eq!(element.key, [6, 0, 0, 0, 0, 80, 0, 0]);
        assert_eq!(element.end.unwrap(), [6, 0, 0, 0, 0, 90, 0, 0]);
        assert_eq!(element.value.unwrap(), [10, 0, 0, 2, 31, 144, 0, 0]);
    }

    #[test]
    fn what_is_no_answer_ends_the_splitting() {
        assert!(Answer::split(&[1, 2, 3]).is_none());
        assert!(Answer::split(&[255; 20]).is_some_and(|(_, rest)| rest.is_empty()));
    }
}
