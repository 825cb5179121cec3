//! Somebody changes the packet filter: `nft flush ruleset`, a firewall that loads its rules anew, another engine.

use crate::nfnetlink::{self, Answer, FAMILY_INET, GENERIC, HEADER, NLMSG_ERROR, REQUEST, SUBSYSTEM, failed};
use crate::stop::{self, Stop, Stopped};
use crate::{Error, Result};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{RecvFlags, bind, recv};
use std::os::fd::OwnedFd;

const NEW_TABLE: u16 = SUBSYSTEM << 8;
const GET_TABLE: u16 = SUBSYSTEM << 8 | 1;
const DELETE_TABLE: u16 = SUBSYSTEM << 8 | 2;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const DELETE_RULE: u16 = SUBSYSTEM << 8 | 8;
/// `NFNLGRP_NFTABLES`, as a bit of the groups of `struct sockaddr_nl`.
const GROUP: u32 = 1 << 6;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Our table is gone.
    Gone,
    /// Chains of others may be others.
    Others,
}

/// Hears of what is done to the packet filter in the namespace of the thread that opened it.
#[derive(Debug)]
pub struct Watch {
    table: String,
    events: OwnedFd,
    stopped: Stopped,
}

impl Watch {
    /// For a table of the family `inet`.
    ///
    /// # Errors
    /// Where the kernel has no nf_tables.
    pub fn open(table: &str) -> Result<(Self, Stop)> {
        let events = nfnetlink::open()?;
        bind(&events, &SocketAddrNetlink::new(0, GROUP)).map_err(failed("bind"))?;
        let (stopped, stop) = stop::pair()?;
        Ok((Self { table: table.to_owned(), events, stopped }, stop))
    }

    /// Blocks until something changed that matters; none when the watch is to end. Many changes at once are one.
    ///
    /// # Errors
    /// Where the kernel no longer tells.
    pub fn wait(&mut self) -> Result<Option<Change>> {
        while self.stopped.wait(&self.events)? {
            if !self.drain()? {
                continue;
            }
            return Ok(Some(if is_there(&self.table)? { Change::Others } else { Change::Gone }));
        }
        Ok(None)
    }

    /// Reads all that is there; says whether some of it matters.
    fn drain(&self) -> Result<bool> {
        let mut matters = false;
        let mut buffer = [0; 16 * 1024];
        loop {
            match rustix::io::retry_on_intr(|| recv(&self.events, &mut buffer[..], RecvFlags::DONTWAIT)) {
                Ok((length, _)) => matters |= tells_of_chains(&buffer[..length]),
                // More happened than the socket holds.
                Err(Errno::NOBUFS) => matters = true,
                Err(Errno::AGAIN) => return Ok(matters),
                Err(errno) => return Err(failed("read from")(errno)),
            }
        }
    }
}

/// Tables and rules that go, and chains that come or change their policy. Elements, which we change ourselves all the time, do not
/// matter.
fn tells_of_chains(mut messages: &[u8]) -> bool {
    while let Some((message, rest)) = Answer::split(messages) {
        if [DELETE_TABLE, NEW_CHAIN, DELETE_RULE].contains(&message.kind) {
            return true;
        }
        messages = rest;
    }
    false
}

/// Whether there is a table of this name in the family `inet`.
fn is_there(table: &str) -> Result<bool> {
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
        Some((answer, _)) if answer.kind == NLMSG_ERROR => match answer.outcome(operation) {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(false),
        },
        _ => Err(Error::BadAnswer { operation: operation() }),
    }
}
