//! Somebody changes the packet filter: `nft flush ruleset`, a firewall that loads its rules anew, another engine.

use crate::nfnetlink::{self, Answer, FAMILY_INET, GENERIC, HEADER, NLMSG_ERROR, REQUEST, SUBSYSTEM, failed};
use crate::stop::{self, Stop, Stopped};
use crate::{Error, Result};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{RecvFlags, bind, recv};
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::time::Duration;

const NEW_TABLE: u16 = SUBSYSTEM << 8;
const GET_TABLE: u16 = SUBSYSTEM << 8 | 1;
const DELETE_TABLE: u16 = SUBSYSTEM << 8 | 2;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const DELETE_CHAIN: u16 = SUBSYSTEM << 8 | 5;
const DELETE_RULE: u16 = SUBSYSTEM << 8 | 8;
const NEW_ELEMENTS: u16 = SUBSYSTEM << 8 | 12;
const DELETE_ELEMENTS: u16 = SUBSYSTEM << 8 | 14;
const DELETE_FLOWTABLE: u16 = SUBSYSTEM << 8 | 24;
/// `NFNLGRP_NFTABLES`, as a bit of the groups of `struct sockaddr_nl`.
const GROUP: u32 = 1 << 6;

/// How long nothing is looked at after others have changed something.
const BETWEEN: Duration = Duration::from_millis(20);

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Our table is gone.
    Gone,
    /// Tables of others (`ip filter`) are others; whether chains came, went or changed their policy.
    Others {
        /// Which.
        tables: BTreeSet<String>,
        /// Whether it is more than elements of sets.
        rules: bool,
        /// Whether it is more than rules and elements.
        chains: bool,
    },
}

/// Hears of what is done to the packet filter in the namespace of the thread that opened it.
#[derive(Debug)]
pub struct Watch {
    table: String,
    events: OwnedFd,
    stopped: Stopped,
}

impl Watch {
    /// Has `each` done about changes on a thread of its own, until the answer is dropped. The table is one of the family `inet`.
    /// Programs that change their rules one by one are looked at only so often.
    ///
    /// # Errors
    /// Where the kernel has no nf_tables, or the host no further thread.
    pub fn keep(table: &str, mut each: impl FnMut(Change) + Send + 'static) -> Result<Stop> {
        let (mut watch, stop) = Self::open(table)?;
        let each = move |change| {
            let others = matches!(change, Change::Others { .. });
            each(change);
            if others {
                std::thread::sleep(BETWEEN);
            }
        };
        stop::keep("firewall-watch", "a packet filter that is flushed stays so", move || watch.wait(), each)?;
        Ok(stop)
    }

    fn open(table: &str) -> Result<(Self, Stop)> {
        let events = nfnetlink::open()?;
        bind(&events, &SocketAddrNetlink::new(0, GROUP)).map_err(failed("bind"))?;
        let (stopped, stop) = stop::pair()?;
        Ok((Self { table: table.to_owned(), events, stopped }, stop))
    }

    /// Blocks until something changed that matters; none when the watch is to end. Many changes at once are one.
    fn wait(&mut self) -> Result<Option<Change>> {
        while self.stopped.wait(&self.events)? {
            let mut seen = Seen::default();
            self.drain(&mut seen)?;
            if seen.gone && !is_there(&self.table)? {
                return Ok(Some(Change::Gone));
            }
            if !seen.tables.is_empty() {
                return Ok(Some(Change::Others {
                    tables: seen.tables,
                    rules: seen.rules,
                    chains: seen.chains,
                }));
            }
        }
        Ok(None)
    }

    /// Reads all that is there.
    fn drain(&self, seen: &mut Seen) -> Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match rustix::io::retry_on_intr(|| recv(&self.events, &mut buffer[..], RecvFlags::DONTWAIT)) {
                Ok((length, _)) => seen.read(&buffer[..length], &self.table),
                // More happened than the socket holds.
                Err(Errno::NOBUFS) => {
                    (seen.gone, seen.rules, seen.chains) = (true, true, true);
                    seen.tables.insert(String::new());
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(failed("read from")(errno)),
            }
        }
    }
}

/// What messages told of.
#[derive(Debug, Default)]
struct Seen {
    /// A table was deleted, perhaps ours.
    gone: bool,
    rules: bool,
    chains: bool,
    tables: BTreeSet<String>,
}

impl Seen {
    fn read(&mut self, mut messages: &[u8], ours: &str) {
        while let Some((message, rest)) = Answer::split(messages) {
            let known = (NEW_TABLE..=DELETE_FLOWTABLE).contains(&message.kind);
            if let Some((family, table)) = table_of(messages).filter(|_| known) {
                self.gone |= message.kind == DELETE_TABLE;
                // Copies that are made of others' tables have names that begin like ours, or like another engine's.
                if !table.starts_with(ours) && !table.contains("-guard-") && !table.ends_with("-anchor") {
                    self.chains |=
                        [DELETE_TABLE, NEW_CHAIN, DELETE_CHAIN, DELETE_RULE].contains(&message.kind);
                    self.rules |= ![NEW_ELEMENTS, DELETE_ELEMENTS].contains(&message.kind);
                    self.tables.insert(format!("{family} {table}"));
                }
            }
            messages = rest;
        }
    }
}

/// The family and the table that a message is about: the first attribute of all kinds of them.
fn table_of(message: &[u8]) -> Option<(&'static str, &str)> {
    let family = match *message.get(HEADER)? {
        FAMILY_INET => "inet",
        2 => "ip",
        10 => "ip6",
        _ => return None,
    };
    let attribute = message.get(HEADER + GENERIC..)?;
    let length = usize::from(u16::from_ne_bytes([*attribute.first()?, *attribute.get(1)?]));
    let name = attribute.get(4..length)?;
    Some((family, std::str::from_utf8(name.strip_suffix(&[0])?).ok()?))
}

/// What nfnetlink says, negated, where nf_tables is not loaded and can't be.
const NOBODY: [i32; 2] = [-Errno::INVAL.raw_os_error(), -Errno::OPNOTSUPP.raw_os_error()];

/// Whether there is a table of this name in the family `inet`.
///
/// # Errors
/// [`Error::NoNftables`]; what the kernel refuses.
pub fn is_there(table: &str) -> Result<bool> {
    const NAME: u16 = 1;
    let socket = nfnetlink::open()?;
    let mut bytes = Vec::with_capacity(HEADER + GENERIC + table.len() + 8);
    nfnetlink::header(&mut bytes, GET_TABLE, REQUEST, 1, FAMILY_INET, 0);
    nfnetlink::text(&mut bytes, NAME, table);
    nfnetlink::close(&mut bytes, 0);
    nfnetlink::send(&socket, &bytes)?;
    let mut buffer = [0; 4096];
    let length = nfnetlink::receive(&socket, &mut buffer)?;
    let operation = || format!("look up the nftables table {table}");
    match Answer::split(&buffer[..length]) {
        Some((answer, _)) if answer.kind == NEW_TABLE => Ok(true),
        // Nobody is there whom messages about tables would go to.
        Some((answer, _)) if answer.kind == NLMSG_ERROR && NOBODY.contains(&answer.code) => {
            Err(Error::NoNftables)
        }
        Some((answer, _)) if answer.kind == NLMSG_ERROR => match answer.outcome(operation) {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(false),
        },
        _ => Err(Error::BadAnswer { operation: operation() }),
    }
}
