//! Reading what a client asks.

use super::name::Name;
use super::{HEADER, flag, kind, skip_name, u16_at, u32_at};

/// A question that can be answered. It borrows nothing, so that the answer can take its place.
#[derive(Debug, Clone)]
pub struct Query {
    /// What is asked for, in lower case.
    pub name: Name,
    /// Of which type.
    pub kind: u16,
    /// Of which class.
    pub class: u16,
    /// The second pair of bytes.
    pub(crate) flags: u16,
    /// Where the question ends.
    pub(crate) end: usize,
    /// What EDNS says, if the client speaks it.
    pub edns: Option<Edns>,
}

/// What a client's OPT record says (RFC 6891 §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edns {
    /// Bytes of the longest datagram that it takes.
    pub size: u16,
    /// 0, or a version that nobody has written yet.
    pub version: u8,
    /// Whether it wants signatures (DO).
    pub signatures: bool,
}

/// Why there is no question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is no query: nothing goes back, so that two servers never talk to each other for ever.
    Silence,
    /// The header alone goes back, with this code.
    Code(u16),
}

impl Query {
    /// Reads a packet.
    ///
    /// # Errors
    /// For what is no query, or one that can't be answered.
    pub fn read(packet: &[u8]) -> Result<Self, Refusal> {
        let flags = u16_at(packet, 2).filter(|_| packet.len() >= HEADER).ok_or(Refusal::Silence)?;
        if flags & flag::RESPONSE != 0 {
            return Err(Refusal::Silence);
        }
        if flags & flag::OPCODE != 0 {
            return Err(Refusal::Code(super::code::NOTIMP));
        }
        let malformed = Refusal::Code(super::code::FORMERR);
        if packet[4..10] != [0, 1, 0, 0, 0, 0] {
            return Err(malformed);
        }
        let (name, end) = Name::read(packet, HEADER).ok_or(malformed)?;
        let kind = u16_at(packet, end).ok_or(malformed)?;
        let class = u16_at(packet, end + 2).ok_or(malformed)?;
        let end = end + 4;
        let edns = read_edns(packet, end).ok_or(malformed)?;
        Ok(Self { name, kind, class, flags, end, edns })
    }

    /// Bytes of the longest answer by datagram.
    pub fn datagram(&self) -> usize {
        self.edns.map_or(512, |edns| usize::from(edns.size.max(512)))
    }

    /// What tells this question from others with another answer, beside name and type.
    pub(crate) fn variant(&self) -> u8 {
        let signatures = self.edns.is_some_and(|edns| edns.signatures);
        let bit = |wanted: u16, bit: u8| if self.flags & wanted != 0 { bit } else { 0 };
        bit(flag::RECURSION_DESIRED, 1)
            | bit(flag::CHECKING_DISABLED, 2)
            | bit(flag::AUTHENTIC, 4)
            | if signatures { 8 } else { 0 }
    }
}

/// The OPT record among the additional ones, of which there may be one. The outer none: malformed.
fn read_edns(packet: &[u8], mut at: usize) -> Option<Option<Edns>> {
    let mut found = None;
    for _ in 0..u16_at(packet, 10)? {
        let root = *packet.get(at)? == 0;
        at = skip_name(packet, at)?;
        let kind = u16_at(packet, at)?;
        let size = u16_at(packet, at + 2)?;
        let rest = u32_at(packet, at + 4)?;
        let length = usize::from(u16_at(packet, at + 8)?);
        at += 10;
        packet.get(at..at + length)?;
        at += length;
        if kind == kind::OPT {
            if !root || found.is_some() {
                return None;
            }
            let [_, version, high, _] = rest.to_be_bytes();
            found = Some(Edns { size, version, signatures: high & 0x80 != 0 });
        }
    }
    Some(found)
}
