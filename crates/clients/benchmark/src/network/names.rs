//! Questions for a name, as many as are answered.

use super::namespace::inside;
use anyhow::{Context, Result, ensure};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

/// How long it asks.
const TIME: Duration = Duration::from_millis(700);

/// Answers a second to a container that asks for `name`, with so many questions on their way at a time.
pub(super) fn rate(pid: u32, server: IpAddr, name: &str, in_flight: u16) -> Result<f64> {
    let socket = inside(pid, move || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((server, 53))?;
        socket.set_read_timeout(Some(Duration::from_secs(2)))?;
        Ok(socket)
    })?;
    let mut question = question(name);
    let mut answer = [0; 512];
    for number in 0..in_flight {
        question[..2].copy_from_slice(&number.to_be_bytes());
        socket.send(&question)?;
    }
    let begin = Instant::now();
    let mut answered = 0_u32;
    while begin.elapsed() < TIME {
        let length = socket.recv(&mut answer).with_context(|| format!("{server} does not answer"))?;
        // An answer with an address in it: flags without an error, one record at least.
        ensure!(length > 12 && answer[3] & 0xf == 0 && answer[7] > 0, "{server} does not know {name}");
        answered += 1;
        question[..2].copy_from_slice(&answer[..2]);
        socket.send(&question)?;
    }
    Ok(f64::from(answered) / begin.elapsed().as_secs_f64())
}

/// A question for an IPv4 address (RFC 1035, section 4).
fn question(name: &str) -> Vec<u8> {
    let mut bytes = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.extend(u8::try_from(label.len()));
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_as_the_protocol_has_it() {
        let expected = b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x03web\x03net\0\0\x01\0\x01";
        assert_eq!(question("web.net"), expected);
    }
}
