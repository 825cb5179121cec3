//! Writing an answer where the question stands.

use super::{CLASS_IN, HEADER, Query, code, flag, kind};
use std::net::IpAddr;

/// What we tell clients that we take by datagram: what passes everywhere in one piece.
const OUR_SIZE: u16 = 1232;

/// Bytes of an OPT record without options.
const OPT_LENGTH: usize = 11;

/// An answer that grows behind its question.
#[derive(Debug)]
pub struct Reply<'a> {
    buffer: &'a mut [u8],
    length: usize,
    limit: usize,
    answers: u16,
    query: &'a Query,
    truncated: bool,
    code: u16,
}

impl<'a> Reply<'a> {
    /// `buffer` begins with the packet that `query` was read from; the answer may have `limit` bytes of it.
    pub fn new(buffer: &'a mut [u8], query: &'a Query, limit: usize) -> Self {
        let reserved = if query.edns.is_some() { OPT_LENGTH } else { 0 };
        let limit = limit.min(buffer.len()).saturating_sub(reserved);
        Self { buffer, length: query.end, limit, answers: 0, query, truncated: false, code: code::NOERROR }
    }

    /// Sets the result.
    pub fn code(&mut self, code: u16) {
        self.code = code;
    }

    /// Adds an address of the name that was asked for. One that does not fit marks the answer as truncated.
    pub fn address(&mut self, address: IpAddr, ttl: u32) {
        match address {
            IpAddr::V4(address) => self.record(kind::A, ttl, &address.octets()),
            IpAddr::V6(address) => self.record(kind::AAAA, ttl, &address.octets()),
        }
    }

    /// Adds a name of the address that was asked for: labels without an end.
    pub fn pointer(&mut self, name: &[u8], ttl: u32) {
        let mut data = [0; super::name::LONGEST];
        if let Some(room) = data.get_mut(..=name.len()) {
            room[..name.len()].copy_from_slice(name);
            let length = room.len();
            self.record(kind::PTR, ttl, &data[..length]);
        }
    }

    fn record(&mut self, kind: u16, ttl: u32, data: &[u8]) {
        let end = self.length + 12 + data.len();
        if self.truncated || end > self.limit {
            self.truncated = true;
            return;
        }
        let room = &mut self.buffer[self.length..end];
        // The name is the one at the start of the question.
        room[0..2].copy_from_slice(&[0xC0, 12]);
        room[2..4].copy_from_slice(&kind.to_be_bytes());
        room[4..6].copy_from_slice(&CLASS_IN.to_be_bytes());
        room[6..10].copy_from_slice(&ttl.to_be_bytes());
        room[10..12].copy_from_slice(&u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
        room[12..].copy_from_slice(data);
        self.length = end;
        self.answers += 1;
    }

    /// Puts the records of an answer from elsewhere behind the question, and says where they begin. What does not fit is left
    /// out as a whole: the client asks again by TCP.
    pub(crate) fn records(&mut self, flags: u16, counts: [u16; 3], records: &[u8]) -> Option<usize> {
        let start = self.length;
        let end = start + records.len();
        self.code = flags & 0xF;
        if end > self.limit {
            self.truncated = true;
            return None;
        }
        self.buffer[start..end].copy_from_slice(records);
        self.length = end;
        self.answers = counts[0];
        Some(start)
    }

    /// The answer's bytes so far, to correct what `records` wrote.
    pub(crate) fn written(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.length]
    }

    /// Ends the answer: its header, and EDNS if the client speaks it. `foreign` are flags of an answer from elsewhere, and
    /// `authority` and `additional` the counts of what it has there. Says how long the whole is.
    fn end(mut self, foreign: u16, authority: u16, mut additional: u16) -> usize {
        let asked = self.query.flags & (flag::RECURSION_DESIRED | flag::CHECKING_DISABLED);
        let truncated = if self.truncated { flag::TRUNCATED } else { 0 };
        let flags = flag::RESPONSE
            | flag::RECURSION_AVAILABLE
            | asked
            | truncated
            | (foreign & flag::AUTHENTIC)
            | (self.code & 0xF);
        if let Some(edns) = self.query.edns {
            additional += 1;
            let [size_high, size_low] = OUR_SIZE.to_be_bytes();
            let [_, extended] = (self.code >> 4).to_be_bytes();
            let signatures = if edns.signatures { 0x80 } else { 0 };
            let record = [0, 0, 41, size_high, size_low, extended, 0, signatures, 0, 0, 0];
            self.buffer[self.length..self.length + OPT_LENGTH].copy_from_slice(&record);
            self.length += OPT_LENGTH;
        }
        self.buffer[2..4].copy_from_slice(&flags.to_be_bytes());
        self.buffer[6..8].copy_from_slice(&self.answers.to_be_bytes());
        self.buffer[8..10].copy_from_slice(&authority.to_be_bytes());
        self.buffer[10..12].copy_from_slice(&additional.to_be_bytes());
        self.length
    }

    /// Ends an answer of our own.
    pub fn finish(self) -> usize {
        self.end(0, 0, 0)
    }

    /// Ends an answer that [`Reply::records`] took from elsewhere.
    pub(crate) fn finish_foreign(self, flags: u16, counts: [u16; 3]) -> usize {
        let counts = if self.truncated { [0; 3] } else { counts };
        self.end(flags, counts[1], counts[2])
    }
}

/// Turns a packet that can't be understood into an answer: its header with a code, and nothing else.
pub(crate) fn refuse(buffer: &mut [u8], code: u16) -> usize {
    let [high, low] = [buffer[2], buffer[3]];
    // Operation and "recursion desired" are the client's.
    buffer[2] = 0x80 | (high & 0x79);
    buffer[3] = 0x80 | (low & 0x10) | u8::try_from(code & 0xF).unwrap_or(0);
    buffer[4..HEADER].fill(0);
    HEADER
}
