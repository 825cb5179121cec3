//! What must hold for any packet at all, for tests with made-up ones.

use crate::cache;
use crate::message::{Query, Refusal, Reply, Response, refuse, u16_at};
use std::net::IpAddr;

/// Two bytes tell how long a question is; it follows, and then what somebody says is the answer to it.
///
/// # Panics
/// When what is written can't be read, or is longer than it may be.
pub fn packets(bytes: &[u8]) {
    let Some(length) = u16_at(bytes, 0).map(usize::from) else { return };
    let rest = &bytes[2..];
    let (question, answer) = rest.split_at(length.min(rest.len()));
    let mut buffer = question.to_vec();
    buffer.resize(buffer.len().max(4096), 0);
    let query = match Query::read(question) {
        Ok(query) => query,
        Err(Refusal::Silence) => return,
        Err(Refusal::Code(code)) => {
            let length = refuse(&mut buffer, code);
            assert!(u16_at(&buffer[..length], 2).is_some_and(|flags| flags & 0x8000 != 0));
            return;
        }
    };
    ours(&query, &mut buffer.clone());
    let Some(id) = u16_at(answer, 0) else { return };
    if let Some(response) = Response::read(answer, id, &query) {
        theirs(&query, &response, &buffer);
    }
}

fn ours(query: &Query, buffer: &mut [u8]) {
    let _ = query.name.reverse_of();
    let mut reply = Reply::new(buffer, query, query.datagram());
    (0..50).for_each(|number| reply.address(IpAddr::from([10, 0, 0, number]), 1));
    let length = reply.finish();
    assert!(length <= query.datagram().max(query.end + 11));
    assert_readable(query, &buffer[..length]);
}

fn theirs(query: &Query, response: &Response, buffer: &[u8]) {
    for limit in [512, 4096] {
        let mut buffer = buffer.to_vec();
        let length = cache::write(response, query, &mut buffer, limit, 7);
        assert!(length <= limit.max(query.end + 11));
        assert_readable(query, &buffer[..length]);
    }
}

fn assert_readable(query: &Query, packet: &[u8]) {
    let id = u16_at(packet, 0).unwrap_or_default();
    assert!(Response::read(packet, id, query).is_some(), "{}", packet.escape_ascii());
}
