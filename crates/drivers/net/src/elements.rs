//! Elements of the table's sets and maps, put in and taken out by netlink: no process, some ten microseconds each call.
//!
//! The messages are those of nf_tables (`linux/netfilter/nf_tables.h`, `nfnetlink.h`): a batch is a transaction.

mod dump;

use crate::nfnetlink::{
    self, ACK, Answer, BATCH_BEGIN, BATCH_END, CREATE, FAMILY_INET, NLMSG_ERROR, REQUEST, SUBSYSTEM,
};
use crate::{Result, firewall};
use std::os::fd::OwnedFd;

/// An element of a set or map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
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

const NEW_ELEMENT: u16 = nfnetlink::SUBSYSTEM << 8 | 12;
const DELETE_ELEMENT: u16 = nfnetlink::SUBSYSTEM << 8 | 14;

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
    /// [`crate::Error::NoNftables`] where the kernel has no sockets for it; where it lacks the rest, the first message says so.
    pub fn open(table: &str) -> Result<Self> {
        Ok(Self { table: table.to_owned(), fd: nfnetlink::open()?, sequence: 0 })
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
        let batch = self.header(&mut bytes, BATCH_BEGIN, REQUEST, 0, SUBSYSTEM);
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
            nfnetlink::close(&mut bytes, start);
        }
        self.header(&mut bytes, BATCH_END, REQUEST, 0, SUBSYSTEM);
        nfnetlink::send(&self.fd, &bytes)?;
        let mut outcome = Ok(());
        for (sequence, verb) in expected {
            let (answered, answer) = self.acknowledgement(sequence, verb, set)?;
            outcome = outcome.and(answer);
            // What is said of the batch as a whole is all that is said.
            if answered == batch {
                break;
            }
        }
        match outcome {
            Err(error) if error.is_unsupported() => {
                Err(firewall::is_there(&self.table).err().unwrap_or(error))
            }
            outcome => outcome,
        }
    }

    fn header(&mut self, bytes: &mut Vec<u8>, kind: u16, flags: u16, family: u8, resource: u16) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        nfnetlink::header(bytes, kind, flags, self.sequence, family, resource);
        self.sequence
    }

    /// The number of the message that was answered, and what was said.
    fn acknowledgement(&self, sequence: u32, verb: Verb, set: &str) -> Result<(u32, Result<()>)> {
        let operation = || {
            let verb = if verb == Verb::Add { "put elements into" } else { "take elements out of" };
            format!("{verb} the set {set} of the nftables table {}", self.table)
        };
        let mut buffer = [0; 4096];
        loop {
            let length = nfnetlink::receive(&self.fd, &mut buffer)?;
            let mut answers = &buffer[..length];
            while let Some((answer, rest)) = Answer::split(answers) {
                answers = rest;
                // Another number is of an earlier call that did not wait for it; a batch as a whole has the first's.
                let own = answer.sequence == sequence;
                if answer.kind != NLMSG_ERROR || (!own && answer.code == 0) {
                    continue;
                }
                return Ok((answer.sequence, answer.outcome(operation)));
            }
        }
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
    nfnetlink::text(bytes, TABLE, table);
    nfnetlink::text(bytes, SET, set);
    nfnetlink::nested(bytes, ELEMENTS, |bytes| {
        for element in elements {
            nfnetlink::nested(bytes, ELEMENT, |bytes| {
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
    nfnetlink::nested(bytes, kind, |bytes| nfnetlink::attribute(bytes, 1, value));
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
}
