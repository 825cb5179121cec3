//! Names as they are on the wire, without the empty label at the end and in lower case: what tables are searched by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of the longest name on the wire, its end included (RFC 1035 §2.3.4).
pub(crate) const LONGEST: usize = 255;

/// A name in lower case, held without allocation.
#[derive(Clone, Copy)]
pub struct Name {
    bytes: [u8; LONGEST],
    length: u8,
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_wire()))
    }
}

impl Name {
    /// Reads the name at `at`, which must hold no pointer; also says where it ends.
    pub(super) fn read(packet: &[u8], at: usize) -> Option<(Self, usize)> {
        let mut end = at;
        while *packet.get(end)? != 0 {
            let length = *packet.get(end)?;
            if length > 63 {
                return None;
            }
            end += 1 + usize::from(length);
            if end - at >= LONGEST {
                return None;
            }
        }
        let raw = packet.get(at..end)?;
        let mut bytes = [0; LONGEST];
        bytes[..raw.len()].copy_from_slice(raw);
        // The bytes that tell lengths are below 64 and no capital letters.
        bytes[..raw.len()].make_ascii_lowercase();
        Some((Self { bytes, length: u8::try_from(raw.len()).ok()? }, end + 1))
    }

    /// The labels, each after its length.
    pub fn as_wire(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Whether it is one label, or the root.
    pub(crate) fn is_single(&self) -> bool {
        let wire = self.as_wire();
        wire.first().is_none_or(|&first| usize::from(first) + 1 == wire.len())
    }

    /// Whether it ends with these labels, or is them.
    pub(crate) fn is_below(&self, domain: &[u8]) -> bool {
        let wire = self.as_wire();
        let mut at = 0;
        while at < wire.len() {
            if wire[at..] == *domain {
                return true;
            }
            at += 1 + usize::from(wire[at]);
        }
        false
    }

    /// The address that a name below `in-addr.arpa` or `ip6.arpa` stands for.
    pub(crate) fn reverse_of(&self) -> Option<IpAddr> {
        let labels = Labels(self.as_wire());
        if self.is_below(b"\x07in-addr\x04arpa") {
            let mut octets = [0; 4];
            let numbers = labels.take(6).collect::<Vec<_>>();
            let [numbers @ .., _, _] = &numbers[..] else { return None };
            let whole = numbers.len() == 4 && Labels(self.as_wire()).count() == 6;
            for (octet, label) in octets.iter_mut().rev().zip(numbers) {
                *octet = std::str::from_utf8(label).ok()?.parse().ok()?;
            }
            return whole.then(|| Ipv4Addr::from(octets).into());
        }
        if self.is_below(b"\x03ip6\x04arpa") && self.length == 72 + 1 {
            let mut number = 0_u128;
            for (position, label) in labels.take(32).enumerate() {
                let [digit] = label else { return None };
                number |= u128::from(char::from(*digit).to_digit(16)?) << (4 * position);
            }
            return Some(Ipv6Addr::from(number).into());
        }
        None
    }
}

/// The labels of a name, one after another.
struct Labels<'a>(&'a [u8]);

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.0.split_first()?;
        let (label, rest) = rest.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(label)
    }
}

/// A name with dots, of any case, as it is searched for; none if no name can be so.
pub(crate) fn wire(text: &str) -> Option<Box<[u8]>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len() + 1);
    for label in text.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        bytes.push(length);
        bytes.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
    (bytes.len() < LONGEST).then(|| bytes.into())
}
