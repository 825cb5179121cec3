//! What a question gets: an answer from what is known here, or somebody to ask.

use crate::cache::{Asked, Cache};
use crate::message::{CLASS_IN, Query, Refusal, Reply, code, kind, refuse};
use crate::names::{Container, Found, View};
use crate::servers::Servers;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Instant;

/// Seconds that clients may keep what we know ourselves. Names move to other addresses whenever a container is made anew,
/// and asking costs microseconds; Docker's 600 is why proxies in front of it send requests to containers of yesterday. Not
/// 0, which some programs take for an error.
pub(crate) const TTL: u32 = 1;

/// No name below it is ever asked outside.
const OURS: &[u8] = b"\x06docker\x08internal";

/// What becomes of a packet.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It has become an answer of this length.
    Answer(usize),
    /// Somebody has to be asked.
    Ask(Box<Query>, Arc<Servers>),
    /// Nothing goes back.
    Silence,
}

/// What all that answer have in common.
#[derive(Debug)]
pub(crate) struct Known {
    /// The host's servers.
    pub(crate) servers: ArcSwap<Servers>,
    /// Answers from outside.
    pub(crate) cache: Mutex<Cache>,
}

impl Known {
    /// Answers the packet in the first `length` bytes of `buffer`, in its place, with at most `limit` bytes, or none: as
    /// many as a datagram to this client may have.
    pub(crate) fn answer(
        &self,
        asker: Option<&Container>,
        buffer: &mut [u8],
        length: usize,
        limit: Option<usize>,
        turn: usize,
    ) -> Outcome {
        let query = match Query::read(&buffer[..length]) {
            Ok(query) => query,
            Err(Refusal::Silence) => return Outcome::Silence,
            Err(Refusal::Code(code)) => return Outcome::Answer(refuse(buffer, code)),
        };
        let limit = limit.unwrap_or_else(|| query.datagram());
        let Some(asker) = asker.filter(|_| allowed(&query)) else {
            return coded(buffer, &query, code::REFUSED);
        };
        if query.edns.is_some_and(|edns| edns.version > 0) {
            return coded(buffer, &query, code::BADVERS);
        }
        let view = asker.view();
        match here(&view, buffer, &query, limit, turn) {
            Some(length) => Outcome::Answer(length),
            None => self.elsewhere(&view, buffer, query, limit),
        }
    }

    /// A name that nobody here has.
    fn elsewhere(&self, view: &View, buffer: &mut [u8], query: Query, limit: usize) -> Outcome {
        if query.name.is_below(OURS) {
            return coded(buffer, &query, code::NXDOMAIN);
        }
        // Its own may be on its networks.
        if view.is_internal() && view.servers.is_none() {
            return coded(buffer, &query, code::SERVFAIL);
        }
        if view.ndots_chosen && query.name.is_single() && matches!(query.kind, kind::A | kind::AAAA) {
            return coded(buffer, &query, code::NOERROR);
        }
        let hosts = self.servers.load();
        let servers = view.servers.as_ref().unwrap_or(&hosts);
        let asked = Asked::new(&query, servers);
        match self.cache.lock().answer(&asked, &query, buffer, limit, Instant::now()) {
            Some(length) => Outcome::Answer(length),
            None => Outcome::Ask(Box::new(query), Arc::clone(servers)),
        }
    }
}

/// The internet only, and no whole zones.
fn allowed(query: &Query) -> bool {
    query.class == CLASS_IN && !matches!(query.kind, kind::IXFR | kind::AXFR)
}

pub(crate) fn coded(buffer: &mut [u8], query: &Query, code: u16) -> Outcome {
    let limit = buffer.len();
    let mut reply = Reply::new(buffer, query, limit);
    reply.code(code);
    Outcome::Answer(reply.finish())
}

/// The answer, if somebody here has the name.
fn here(view: &View, buffer: &mut [u8], query: &Query, limit: usize, turn: usize) -> Option<usize> {
    let mut reply = Reply::new(buffer, query, limit);
    let found = match query.kind {
        kind::PTR => query
            .name
            .reverse_of()
            .map_or(Found::Nothing, |address| view.name_of(address, |name| reply.pointer(name, TTL))),
        _ => Found::Nothing,
    };
    let found = match found {
        Found::Nothing => {
            view.addresses(&query.name, query.kind, turn, |address| reply.address(address, TTL))
        }
        Found::Name => found,
    };
    (found == Found::Name).then(|| reply.finish())
}
