//! Hardware addresses.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// An Ethernet address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac([u8; 6]);

/// A text that is not an Ethernet address of one station.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid MAC address '{text}': expected six pairs of hexadecimal digits, as 02:42:ac:11:00:02, the first one even"
)]
pub struct BadMac {
    /// What was given.
    pub text: String,
}

impl errors::Classified for BadMac {
    fn class(&self) -> errors::Class {
        errors::Class::Invalid
    }
}

impl Mac {
    /// A unicast, locally administered address out of six bytes drawn at random.
    pub fn local(mut random: [u8; 6]) -> Self {
        random[0] = (random[0] | 0x02) & 0xfe;
        Self(random)
    }

    /// The address that goes with an IPv4 address in Docker's way, `02:42:` and its bytes: whoever gets the IPv4 address
    /// next has the same Ethernet address, and neighbours need not be told.
    pub fn of_ipv4(address: Ipv4Addr) -> Self {
        let [a, b, c, d] = address.octets();
        Self([0x02, 0x42, a, b, c, d])
    }

    /// The six bytes.
    pub fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl FromStr for Mac {
    type Err = BadMac;
    /// Pairs separated by `:` or `-`.
    fn from_str(text: &str) -> Result<Self, BadMac> {
        let bad = || BadMac { text: text.to_owned() };
        let mut octets = [0; 6];
        let mut pairs = text.split([':', '-']);
        for octet in &mut octets {
            let pair = pairs.next().filter(|pair| is_hex_pair(pair)).ok_or_else(bad)?;
            *octet = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        let unicast = octets[0] & 1 == 0 && octets != [0; 6];
        if pairs.next().is_none() && unicast { Ok(Self(octets)) } else { Err(bad()) }
    }
}

fn is_hex_pair(pair: &str) -> bool {
    pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl TryFrom<String> for Mac {
    type Error = BadMac;
    fn try_from(text: String) -> Result<Self, BadMac> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mac({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_survives_its_text_form() {
        let mac: Mac = "02-42-AC-11-00-02".parse().unwrap();
        assert_eq!(mac.to_string(), "02:42:ac:11:00:02");
        assert_eq!(mac.to_string().parse::<Mac>().unwrap(), mac);
    }

    #[test]
    fn groups_zero_and_garbage_are_refused() {
        for bad in [
            "",
            "02:42",
            "01:00:5e:00:00:01",
            "00:00:00:00:00:00",
            "02:42:ac:11:00:02:03",
            "2:42:ac:11:0:2",
            "+2:42:ac:11:00:02",
        ] {
            assert!(bad.parse::<Mac>().is_err(), "{bad}");
        }
    }

    #[test]
    fn random_addresses_are_local_and_unicast() {
        for first in 0..=255 {
            let mac = Mac::local([first, 1, 2, 3, 4, 5]);
            assert_eq!(mac.octets()[0] & 3, 2);
        }
    }
}
