//! Devices as the kernel describes them: a `struct ifinfomsg` and its attributes (`rtnetlink(7)`).

use super::{Link, Status};
use crate::attributes::{attributes, number, text};
use netlink_packet_core::NetlinkBuffer;

/// `IFF_UP`, `netdevice(7)`.
const FLAG_UP: u32 = 1;
/// `IF_OPER_UP`, RFC 2863.
const OPERATIONAL: u8 = 6;

/// `RTM_NEWLINK`.
const NEWLINK: u16 = 16;

// `IFLA_…`, `linux/if_link.h`.
const ADDRESS: u16 = 1;
const NAME: u16 = 3;
const MTU: u16 = 4;
const MASTER: u16 = 10;
const OPERSTATE: u16 = 16;
const LINKINFO: u16 = 18;
const ALIAS: u16 = 20;
/// Within [`LINKINFO`].
const KIND: u16 = 1;

/// Header and attributes of a message that describes a device.
fn described<'a>(message: &NetlinkBuffer<&'a [u8]>) -> Option<(&'a [u8; 16], &'a [u8])> {
    let payload = message.payload();
    payload.split_first_chunk().filter(|_| message.message_type() == NEWLINK)
}

impl Link {
    pub(crate) fn read(message: &NetlinkBuffer<&[u8]>) -> Option<Self> {
        let (header, rest) = described(message)?;
        let mut link = Self {
            index: number(&header[4..])?,
            name: String::new(),
            mac: None,
            mtu: 0,
            up: number(&header[8..])? & FLAG_UP != 0,
            operational: false,
            kind: None,
            master: None,
            alias: None,
        };
        for (kind, value) in attributes(rest) {
            match kind {
                ADDRESS => link.mac = value.try_into().ok(),
                NAME => link.name = text(value),
                MTU => link.mtu = number(value)?,
                MASTER => link.master = number(value),
                OPERSTATE => link.operational = value.first() == Some(&OPERATIONAL),
                LINKINFO => {
                    let found = attributes(value).find(|(kind, _)| *kind == KIND);
                    link.kind = found.map(|(_, kind)| text(kind));
                }
                ALIAS => link.alias = Some(text(value)),
                _ => {}
            }
        }
        (!link.name.is_empty()).then_some(link)
    }
}

impl Status {
    pub(crate) fn read(message: &NetlinkBuffer<&[u8]>) -> Option<Self> {
        let (header, rest) = described(message)?;
        let state = attributes(rest).find(|(kind, _)| *kind == OPERSTATE);
        let operational = state.is_some_and(|(_, value)| value.first() == Some(&OPERATIONAL));
        Some(Self { index: number(&header[4..])?, operational })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of number 7, up, with these attributes; of the first `length` bytes behind the message's own header.
    fn message(kind: u16, attributes: &[(u16, &[u8])], length: usize) -> Vec<u8> {
        let mut payload = vec![0; 16];
        (payload[4], payload[8]) = (7, 1);
        for (kind, value) in attributes {
            payload.extend((value.len() as u16 + 4).to_ne_bytes());
            payload.extend(kind.to_ne_bytes());
            payload.extend(*value);
            payload.resize(payload.len().next_multiple_of(4), 0);
        }
        payload.truncate(length);
        let mut bytes = (payload.len() as u32 + 16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(16, 0);
        bytes.extend(payload);
        bytes
    }

    fn read<T>(bytes: &[u8], read: impl Fn(&NetlinkBuffer<&[u8]>) -> Option<T>) -> Option<T> {
        read(&NetlinkBuffer::new_checked(bytes).unwrap())
    }

    #[test]
    fn a_device_is_read_from_the_kernels_bytes() {
        let nested = [8, 0, 1, 0, b'v', b'e', b't', b'h'];
        let all: [(u16, &[u8]); 8] = [
            (NAME, b"ve\0"),
            (ADDRESS, &[2, 0, 0, 0, 0, 1]),
            (MTU, &1400_u32.to_ne_bytes()),
            (99, b"?"),
            (MASTER, &3_u32.to_ne_bytes()),
            (OPERSTATE, &[6]),
            (LINKINFO, &nested),
            (ALIAS, b"a mark\0"),
        ];
        let expected = Link {
            index: 7,
            name: "ve".into(),
            mac: Some([2, 0, 0, 0, 0, 1]),
            mtu: 1400,
            up: true,
            operational: true,
            kind: Some("veth".into()),
            master: Some(3),
            alias: Some("a mark".into()),
        };
        let whole = message(NEWLINK, &all, usize::MAX);
        assert_eq!(read(&whole, Link::read), Some(expected));
        assert_eq!(read(&whole, Status::read), Some(Status { index: 7, operational: true }));
        let fewer = message(NEWLINK, &all[..5], usize::MAX);
        assert_eq!(read(&fewer, Status::read), Some(Status { index: 7, operational: false }));
        let other = message(NEWLINK + 1, &all, usize::MAX);
        assert_eq!((read(&other, Link::read), read(&other, Status::read)), (None, None));
        for length in 0..whole.len() - 16 {
            let cut = message(NEWLINK, &all, length);
            // A name and its end are 7 bytes.
            assert_eq!(read(&cut, Link::read).is_some(), length >= 23, "cut off at {length}");
            assert_eq!(read(&cut, Status::read).is_some(), length >= 16, "cut off at {length}");
        }
    }
}
