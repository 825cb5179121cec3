//! Reading what a server outside answers, and only if it answers our question.

use super::name::Name;
use super::{HEADER, Query, flag, kind, skip_name, u16_at, u32_at};

/// An answer from elsewhere, ready to be given to any client that asks the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// The second pair of bytes of its header.
    pub(crate) flags: u16,
    /// Its code, with what EDNS adds to it.
    pub(crate) code: u16,
    /// Answers, authorities, additional records: without the OPT record, which is between two neighbours only.
    pub(crate) counts: [u16; 3],
    /// These records, as they follow a question of that length.
    pub(crate) records: Box<[u8]>,
    /// Where in `records` the times to live are.
    pub(crate) ttls: Box<[u16]>,
    /// Seconds that it may be kept; none: not at all.
    pub(crate) keep: Option<u32>,
}

impl Response {
    /// Reads a packet; none if it is no answer to `query` under this id, or can't be read.
    pub(crate) fn read(packet: &[u8], id: u16, query: &Query) -> Option<Self> {
        let flags = u16_at(packet, 2)?;
        let ours = u16_at(packet, 0)? == id && flags & (flag::RESPONSE | flag::OPCODE) == flag::RESPONSE;
        if !ours || packet.len() < HEADER {
            return None;
        }
        let code = flags & 0xF;
        if u16_at(packet, 4)? == 0 && code != super::code::NOERROR && code != super::code::NXDOMAIN {
            // Servers that could not read a question send the header alone.
            return Some(Self::failure(flags, code));
        }
        let (name, end) = Name::read(packet, HEADER)?;
        let same = u16_at(packet, 4)? == 1
            && name.as_wire() == query.name.as_wire()
            && u16_at(packet, end)? == query.kind
            && u16_at(packet, end + 2)? == query.class;
        same.then(|| Records::read(packet, end + 4, flags)).flatten()
    }

    fn failure(flags: u16, code: u16) -> Self {
        Self { flags, code, counts: [0; 3], records: Box::default(), ttls: Box::default(), keep: None }
    }

    /// Whether the rest is to be had by TCP only.
    pub(crate) fn truncated(&self) -> bool {
        self.flags & flag::TRUNCATED != 0
    }

    /// Whether another server may know better.
    pub(crate) fn is_failure(&self) -> bool {
        !matches!(self.code, super::code::NOERROR | super::code::NXDOMAIN)
    }
}

/// A walk over the records of a packet.
struct Records<'a> {
    packet: &'a [u8],
    start: usize,
    at: usize,
    ttls: Vec<u16>,
    extended: u16,
    /// The least time to live among answers.
    positive: Option<u32>,
    /// What the SOA record says of names that are not (RFC 2308 §5).
    negative: Option<u32>,
}

impl<'a> Records<'a> {
    fn read(packet: &'a [u8], start: usize, flags: u16) -> Option<Response> {
        let mut walk =
            Self { packet, start, at: start, ttls: Vec::new(), extended: 0, positive: None, negative: None };
        let mut counts = [0_u16; 3];
        let mut end = start;
        'sections: for (section, count) in counts.iter_mut().enumerate() {
            for _ in 0..u16_at(packet, 6 + 2 * section)? {
                let begin = walk.at;
                if walk.step(section)? {
                    // Names behind it may point anywhere, so nothing behind it is kept: it is the last in practice.
                    end = begin;
                    break 'sections;
                }
                *count += 1;
                end = walk.at;
            }
        }
        let code = (flags & 0xF) | walk.extended;
        let keep = match (code, counts[0]) {
            (super::code::NOERROR, 1..) => walk.positive,
            (super::code::NOERROR | super::code::NXDOMAIN, _) => walk.negative,
            _ => None,
        };
        let keep = keep.filter(|_| flags & flag::TRUNCATED == 0 && flags & flag::RECURSION_DESIRED != 0);
        let records = packet.get(start..end)?.into();
        Some(Response { flags, code, counts, records, ttls: walk.ttls.into(), keep })
    }

    /// Passes one record; says whether it was OPT.
    fn step(&mut self, section: usize) -> Option<bool> {
        let fixed = skip_name(self.packet, self.at)?;
        let kind = u16_at(self.packet, fixed)?;
        let ttl = u32_at(self.packet, fixed + 4)?;
        let length = usize::from(u16_at(self.packet, fixed + 8)?);
        let data = fixed + 10;
        self.packet.get(data..data + length)?;
        self.at = data + length;
        if kind == kind::OPT && section == 2 {
            self.extended = u16::from(ttl.to_be_bytes()[0]) << 4;
            return Some(true);
        }
        self.ttls.push(u16::try_from(fixed + 4 - self.start).ok()?);
        // More than 31 bits mean nothing (RFC 2181 §8).
        let ttl = if ttl > i32::MAX.unsigned_abs() { 0 } else { ttl };
        match (section, kind) {
            (0, _) => self.positive = Some(self.positive.map_or(ttl, |least| least.min(ttl))),
            (1, kind::SOA) => {
                let minimum = u32_at(self.packet, self.at.checked_sub(4).filter(|&at| at >= data)?)?;
                self.negative = Some(ttl.min(minimum));
            }
            _ => {}
        }
        Some(false)
    }
}
