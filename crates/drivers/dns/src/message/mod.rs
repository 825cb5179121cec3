//! DNS messages, as much of them as a forwarder needs: questions read, answers written in their place (RFC 1035, 6891).

mod name;
mod query;
mod reply;
mod response;

pub(crate) use name::LONGEST as LONGEST_NAME;
pub use name::Name;
pub(crate) use name::wire;
pub use query::{Edns, Query, Refusal};
pub use reply::Reply;
pub(crate) use reply::refuse;
pub(crate) use response::Response;

/// Bytes of the header.
pub(crate) const HEADER: usize = 12;

/// Types of records.
pub mod kind {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// The start of a zone.
    pub const SOA: u16 = 6;
    /// The name of an address.
    pub const PTR: u16 = 12;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// What EDNS adds to the header.
    pub const OPT: u16 = 41;
    /// From here to 255: whole zones, and types that are only asked for.
    pub const IXFR: u16 = 251;
    /// A whole zone.
    pub const AXFR: u16 = 252;
}

/// The internet, of classes.
pub(crate) const CLASS_IN: u16 = 1;

/// Results of queries.
pub mod code {
    /// There is an answer, or the name has no such record.
    pub const NOERROR: u16 = 0;
    /// The question can't be read.
    pub const FORMERR: u16 = 1;
    /// Nobody could be asked.
    pub const SERVFAIL: u16 = 2;
    /// There is no such name.
    pub const NXDOMAIN: u16 = 3;
    /// No such operation.
    pub const NOTIMP: u16 = 4;
    /// Not for this asker.
    pub const REFUSED: u16 = 5;
    /// An EDNS version from the future.
    pub const BADVERS: u16 = 16;
}

/// Bits of the second pair of bytes.
pub(crate) mod flag {
    pub(crate) const RESPONSE: u16 = 0x8000;
    pub(crate) const OPCODE: u16 = 0x7800;
    pub(crate) const TRUNCATED: u16 = 0x0200;
    pub(crate) const RECURSION_DESIRED: u16 = 0x0100;
    pub(crate) const RECURSION_AVAILABLE: u16 = 0x0080;
    pub(crate) const AUTHENTIC: u16 = 0x0020;
    pub(crate) const CHECKING_DISABLED: u16 = 0x0010;
}

/// Two bytes at an offset, if they are there.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Four bytes at an offset, if they are there.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The offset after a name that starts at `at`, which may end in a pointer.
pub(crate) fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            0xC0.. => return bytes.get(at + 1).map(|_| at + 2),
            _ => return None,
        }
    }
}

/// A question for addresses of a name, read and as a packet.
#[cfg(test)]
pub(crate) fn test_query(name: &str) -> (Query, Vec<u8>) {
    let mut packet = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        packet.push(u8::try_from(label.len()).unwrap());
        packet.extend(label.bytes());
    }
    packet.extend([0, 0, 1, 0, 1]);
    (Query::read(&packet).unwrap(), packet)
}

#[cfg(test)]
mod tests;
