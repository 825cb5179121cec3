//! What the kernel says is in a table: elements of its sets, rules of its chains, read by netlink without a process.
//!
//! The messages are those of nf_tables (`linux/netfilter/nf_tables.h`): a dump ends with `NLMSG_DONE`.

use super::{Element, Elements};
use crate::Result;
use crate::attributes::{attributes, text};
use crate::nfnetlink::{self, Answer, FAMILY_INET, GENERIC, HEADER, NLMSG_ERROR, REQUEST, SUBSYSTEM};
use std::collections::BTreeMap;

const GET_RULE: u16 = SUBSYSTEM << 8 | 7;
const GET_ELEMENT: u16 = SUBSYSTEM << 8 | 13;
const DUMP: u16 = 0x300;
const NLMSG_DONE: u16 = 3;
/// Bytes; the kernel puts no more into one answer.
const LONGEST: usize = 1 << 16;

impl Elements {
    /// What is in a set or map; nothing where there is no such set.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn list(&mut self, set: &str) -> Result<Vec<Element>> {
        const LIST: u16 = 3;
        let mut found = Vec::new();
        let operation = format!("list the set {set} of the nftables table {}", self.table);
        let fill = |bytes: &mut Vec<u8>| nfnetlink::text(bytes, 2, set);
        self.dump(GET_ELEMENT, &operation, fill, |message| {
            let elements = attributes(message).filter(|(kind, _)| *kind == LIST);
            found.extend(elements.flat_map(|(_, list)| attributes(list)).map(|(_, one)| element(one)));
        })?;
        Ok(found)
    }

    /// How many rules each chain has that has one; nothing where there is no table.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn count_rules(&mut self) -> Result<BTreeMap<String, usize>> {
        const CHAIN: u16 = 2;
        let mut found = BTreeMap::new();
        let operation = format!("list the rules of the nftables table {}", self.table);
        self.dump(
            GET_RULE,
            &operation,
            |_| {},
            |message| {
                let chain = attributes(message).find(|(kind, _)| *kind == CHAIN);
                if let Some((_, name)) = chain {
                    *found.entry(text(name)).or_default() += 1;
                }
            },
        )?;
        Ok(found)
    }

    fn dump(
        &mut self,
        kind: u16,
        operation: &str,
        fill: impl FnOnce(&mut Vec<u8>),
        mut each: impl FnMut(&[u8]),
    ) -> Result<()> {
        let mut bytes = Vec::new();
        let sequence = self.header(&mut bytes, kind, REQUEST | DUMP, FAMILY_INET, 0);
        nfnetlink::text(&mut bytes, 1, &self.table);
        fill(&mut bytes);
        nfnetlink::close(&mut bytes, 0);
        nfnetlink::send(&self.fd, &bytes)?;
        let mut buffer = vec![0; LONGEST];
        loop {
            let length = nfnetlink::receive(&self.fd, &mut buffer)?;
            let mut answers = &buffer[..length];
            while let Some((answer, rest)) = Answer::split(answers) {
                let whole = &answers[..answers.len() - rest.len()];
                answers = rest;
                match answer.kind {
                    // An earlier call's.
                    _ if answer.sequence != sequence => {}
                    NLMSG_DONE | NLMSG_ERROR => match answer.outcome(|| operation.to_owned()) {
                        Err(error) if !error.is_absent() => return Err(error),
                        _ => return Ok(()),
                    },
                    _ => each(whole.get(HEADER + GENERIC..).unwrap_or_default()),
                }
            }
        }
    }
}

/// An element of a dump.
fn element(bytes: &[u8]) -> Element {
    const KEY: u16 = 1;
    const DATA: u16 = 2;
    const KEY_END: u16 = 10;
    let value = |wanted: u16| {
        let (_, nested) = attributes(bytes).find(|(kind, _)| *kind == wanted)?;
        attributes(nested).next().map(|(_, value)| value.to_vec())
    };
    Element { key: value(KEY).unwrap_or_default(), end: value(KEY_END), value: value(DATA) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_read_as_it_is_written() {
        let mut bytes = Vec::new();
        for (kind, value) in [(1, &[6, 0, 0, 0][..]), (10, &[7, 0, 0, 0]), (2, &[10, 0, 0, 2])] {
            nfnetlink::nested(&mut bytes, kind, |bytes| nfnetlink::attribute(bytes, 1, value));
        }
        let read = element(&bytes);
        assert_eq!(read, Element::new().range(&[6], &[7]).value(&[10, 0, 0, 2]));
    }
}
