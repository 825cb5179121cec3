//! What keeps established connections translated while the table is gone.
//!
//! The kernel translates as long as some chain in the namespace does. When `nft flush ruleset` takes the last one away, the next
//! packet of a connection is taken for what it says on it, and whoever does not expect it there resets the connection: a few
//! milliseconds without the table are enough. So there is a second table, whose chains translate nothing, and which belongs to
//! a socket of ours: nobody else can delete it, and it goes with the socket (`NFT_TABLE_F_OWNER`, Linux 5.12).

use crate::Result;
use crate::nfnetlink::{
    self, ACK, Answer, BATCH_BEGIN, BATCH_END, CREATE, FAMILY_INET, NLMSG_ERROR, REQUEST, SUBSYSTEM,
};
use std::os::fd::OwnedFd;

const NEW_TABLE: u16 = SUBSYSTEM << 8;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;
/// Hooks of `enum nf_inet_hooks` where addresses are translated, with the usual priority there.
const HOOKS: [(&str, u32, i32); 4] =
    [("prerouting", 0, -100), ("input", 1, 100), ("output", 3, -100), ("postrouting", 4, 100)];

/// Keeps connections translated until it is dropped.
#[derive(Debug)]
pub struct Anchor {
    _owner: OwnedFd,
}

impl Anchor {
    /// Makes it, beside the table of this name, in the namespace of the calling thread.
    ///
    /// # Errors
    /// Where the kernel has no nf_tables, or none whose tables have owners; where another process has it.
    pub fn cast(table: &str) -> Result<Self> {
        let name = format!("{table}-anchor");
        let socket = nfnetlink::open()?;
        let mut bytes = Vec::with_capacity(2048);
        message(&mut bytes, BATCH_BEGIN, REQUEST, 0, SUBSYSTEM, |_| {});
        message(&mut bytes, NEW_TABLE, REQUEST | ACK | CREATE, FAMILY_INET, 0, |bytes| {
            const NAME: u16 = 1;
            const FLAGS: u16 = 2;
            const OWNED: u32 = 2;
            nfnetlink::text(bytes, NAME, &name);
            number(bytes, FLAGS, OWNED);
        });
        for (chain, hook, priority) in HOOKS {
            message(&mut bytes, NEW_CHAIN, REQUEST | ACK | CREATE, FAMILY_INET, 0, |bytes| {
                write_chain(bytes, &name, chain, hook, priority);
            });
        }
        message(&mut bytes, NEW_RULE, REQUEST | ACK | CREATE, FAMILY_INET, 0, |bytes| {
            write_rule(bytes, &name, HOOKS[0].0);
        });
        message(&mut bytes, BATCH_END, REQUEST, 0, SUBSYSTEM, |_| {});
        nfnetlink::send(&socket, &bytes)?;
        accepted(&socket, &name)?;
        Ok(Self { _owner: socket })
    }
}

fn message(
    bytes: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    family: u8,
    resource: u16,
    fill: impl FnOnce(&mut Vec<u8>),
) {
    let start = bytes.len();
    nfnetlink::header(bytes, kind, flags, 1, family, resource);
    fill(bytes);
    nfnetlink::close(bytes, start);
}

fn write_chain(bytes: &mut Vec<u8>, table: &str, chain: &str, hook: u32, priority: i32) {
    const TABLE: u16 = 1;
    const NAME: u16 = 3;
    const HOOK: u16 = 4;
    const TYPE: u16 = 7;
    const NUMBER: u16 = 1;
    const PRIORITY: u16 = 2;
    nfnetlink::text(bytes, TABLE, table);
    nfnetlink::text(bytes, NAME, chain);
    nfnetlink::nested(bytes, HOOK, |bytes| {
        number(bytes, NUMBER, hook);
        number(bytes, PRIORITY, priority.cast_unsigned());
    });
    nfnetlink::text(bytes, TYPE, "nat");
}

/// A rule that asks for a connection's state and does nothing with it: connections are tracked as long as some rule asks.
fn write_rule(bytes: &mut Vec<u8>, table: &str, chain: &str) {
    const TABLE: u16 = 1;
    const CHAIN: u16 = 2;
    const EXPRESSIONS: u16 = 4;
    const LISTED: u16 = 1;
    const NAME: u16 = 1;
    const DATA: u16 = 2;
    const REGISTER: u16 = 1;
    const KEY: u16 = 2;
    const STATE: u32 = 0;
    nfnetlink::text(bytes, TABLE, table);
    nfnetlink::text(bytes, CHAIN, chain);
    nfnetlink::nested(bytes, EXPRESSIONS, |bytes| {
        nfnetlink::nested(bytes, LISTED, |bytes| {
            nfnetlink::text(bytes, NAME, "ct");
            nfnetlink::nested(bytes, DATA, |bytes| {
                number(bytes, REGISTER, 1);
                number(bytes, KEY, STATE);
            });
        });
    });
}

/// Numbers are in the network's order of bytes.
fn number(bytes: &mut Vec<u8>, kind: u16, value: u32) {
    nfnetlink::attribute(bytes, kind, &value.to_be_bytes());
}

/// Reads one answer a message that asked for it; they are there when the kernel has taken the messages.
fn accepted(socket: &OwnedFd, name: &str) -> Result<()> {
    let mut awaited = HOOKS.len() + 2;
    let mut buffer = [0; 4096];
    while awaited > 0 {
        let length = nfnetlink::receive(socket, &mut buffer)?;
        let mut answers = &buffer[..length];
        while let Some((answer, rest)) = Answer::split(answers) {
            answers = rest;
            if answer.kind == NLMSG_ERROR {
                answer.outcome(|| format!("make the nftables table {name}"))?;
                awaited = awaited.saturating_sub(1);
            }
        }
    }
    Ok(())
}
