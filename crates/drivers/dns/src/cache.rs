//! Answers from outside, kept as long as they say.

use crate::message::{LONGEST_NAME, Query, Reply, Response};
use crate::servers::Servers;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Bytes of answers that are kept at most.
const MOST: usize = 1 << 20;

/// Seconds that an answer is kept at most, whatever it says.
const LONGEST: u32 = 3600;

/// Seconds that is kept at most that there is nothing.
const LONGEST_NOTHING: u32 = 300;

/// What a kept answer takes beside its bytes: the two maps' entries, about.
const OVERHEAD: usize = 256;

/// Answers that were given, by question and by who was asked. The oldest goes first when there is no room.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    answers: HashMap<Key, Kept>,
    order: VecDeque<(Key, u64)>,
    bytes: usize,
    count: u64,
}

/// A question to certain servers. Searched for without allocation.
type Key = Box<[u8]>;

#[derive(Debug)]
struct Kept {
    response: Response,
    since: Instant,
    until: Instant,
    number: u64,
}

/// A key on the stack.
pub(crate) struct Asked {
    bytes: [u8; LONGEST_NAME + 16],
    length: usize,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.bytes().escape_ascii())
    }
}

impl Asked {
    pub(crate) fn new(query: &Query, servers: &Servers) -> Self {
        let mut bytes = [0; LONGEST_NAME + 16];
        let name = query.name.as_wire();
        bytes[..8].copy_from_slice(&servers.number.to_ne_bytes());
        bytes[8..10].copy_from_slice(&query.kind.to_ne_bytes());
        bytes[10] = query.variant();
        bytes[11..11 + name.len()].copy_from_slice(name);
        Self { bytes, length: 11 + name.len() }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Cache {
    /// Writes a kept answer in the place of the question; says how long it is.
    pub(crate) fn answer(
        &self,
        asked: &Asked,
        query: &Query,
        buffer: &mut [u8],
        limit: usize,
        now: Instant,
    ) -> Option<usize> {
        let kept = self.answers.get(asked.bytes()).filter(|kept| kept.until > now)?;
        let age = now.saturating_duration_since(kept.since).as_secs();
        Some(write(&kept.response, query, buffer, limit, u32::try_from(age).unwrap_or(u32::MAX)))
    }

    /// Keeps an answer, if it may be.
    pub(crate) fn keep(&mut self, asked: &Asked, response: &Response, now: Instant) {
        let longest = if response.counts[0] == 0 { LONGEST_NOTHING } else { LONGEST };
        let Some(seconds) = response.keep.map(|keep| keep.min(longest)).filter(|&seconds| seconds > 0) else {
            return;
        };
        self.forget(asked.bytes());
        self.count += 1;
        let until = now + Duration::from_secs(seconds.into());
        let kept = Kept { response: response.clone(), since: now, until, number: self.count };
        self.bytes += size(asked.bytes(), &kept);
        self.order.push_back((asked.bytes().into(), self.count));
        self.answers.insert(asked.bytes().into(), kept);
        self.shrink();
    }

    fn forget(&mut self, key: &[u8]) {
        if let Some(kept) = self.answers.remove(key) {
            self.bytes -= size(key, &kept);
        }
    }

    fn shrink(&mut self) {
        // What was replaced is still in the order, under its old number.
        while self.bytes > MOST || self.order.len() > 2 * self.answers.len() + 16 {
            let Some((key, number)) = self.order.pop_front() else { return };
            match self.answers.get(&key) {
                Some(kept) if kept.number == number && self.bytes > MOST => self.forget(&key),
                Some(kept) if kept.number == number => self.order.push_back((key, number)),
                _ => {}
            }
        }
    }
}

fn size(key: &[u8], kept: &Kept) -> usize {
    2 * key.len() + kept.response.records.len() + 2 * kept.response.ttls.len() + OVERHEAD
}

/// Writes an answer from outside, `age` seconds old, in the place of the question that it answers.
pub(crate) fn write(response: &Response, query: &Query, buffer: &mut [u8], limit: usize, age: u32) -> usize {
    let mut reply = Reply::new(buffer, query, limit);
    if let Some(start) = reply.records(response.flags, response.counts, &response.records) {
        for &ttl in &response.ttls {
            let at = start + usize::from(ttl);
            if let Some(bytes) = reply.written().get_mut(at..at + 4) {
                let left =
                    bytes.iter().fold(0, |number, &byte| number << 8 | u32::from(byte)).saturating_sub(age);
                bytes.copy_from_slice(&left.to_be_bytes());
            }
        }
    }
    reply.finish_foreign(response.flags, response.counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::test_query;

    fn response(keep: Option<u32>, size: usize) -> Response {
        let mut records = vec![0; size.max(16)];
        records[..2].copy_from_slice(&[0xC0, 12]);
        records[6..10].copy_from_slice(&100_u32.to_be_bytes());
        Response {
            flags: 0x8180,
            code: 0,
            counts: [1, 0, 0],
            records: records.into(),
            ttls: [6].into(),
            keep,
        }
    }

    fn read(cache: &Cache, name: &str, servers: &Servers, at: Instant) -> Option<u32> {
        let (query, mut packet) = test_query(name);
        let end = packet.len();
        packet.resize(4096, 0);
        cache.answer(&Asked::new(&query, servers), &query, &mut packet, 4096, at)?;
        crate::message::u32_at(&packet, end + 6)
    }

    #[test]
    fn an_answer_grows_old_and_is_forgotten() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let servers = Servers::new(Vec::new());
        let (query, _) = test_query("web.example");
        cache.keep(&Asked::new(&query, &servers), &response(Some(60), 0), now);
        assert_eq!(read(&cache, "WEB.example", &servers, now + Duration::from_secs(40)), Some(60));
        assert_eq!(read(&cache, "web.example", &servers, now + Duration::from_secs(61)), None);
        assert_eq!(read(&cache, "web.examplf", &servers, now), None);
        let others = Servers::new(vec![([1, 1, 1, 1], 53).into()]);
        assert_eq!(read(&cache, "web.example", &others, now), None, "others were asked");
    }

    #[test]
    fn what_takes_too_much_room_goes_the_oldest_first() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let servers = Servers::new(Vec::new());
        for number in 0..3000 {
            let (query, _) = test_query(&format!("n{}", number));
            let asked = Asked::new(&query, &servers);
            cache.keep(&asked, &response(Some(600), 1000), now);
            cache.keep(&asked, &response(Some(600), 1000), now);
        }
        assert!(cache.bytes <= MOST && cache.bytes > MOST / 2);
        assert!(cache.order.len() <= 2 * cache.answers.len() + 16);
        assert_eq!(read(&cache, "n0", &servers, now), None);
        assert_eq!(read(&cache, "n2999", &servers, now), Some(100));
    }

    #[test]
    fn what_may_not_be_kept_is_not() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let servers = Servers::new(Vec::new());
        let (query, _) = test_query("web");
        for keep in [None, Some(0)] {
            cache.keep(&Asked::new(&query, &servers), &response(keep, 0), now);
            assert_eq!(read(&cache, "web", &servers, now), None);
        }
    }
}
