//! The key sequence that detaches a client from a terminal: `ctrl-p,ctrl-q` unless it asks for another.

use errors::{Class, Classified};

/// A parsed sequence, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetachKeys(Vec<u8>);

/// A sequence that can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid detach keys ({text}) provided: expected a letter, or ctrl- with a-z, @, [, \\, ], ^ or _")]
pub(crate) struct BadKeys {
    text: String,
}

impl Classified for BadKeys {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

impl Default for DetachKeys {
    fn default() -> Self {
        Self(vec![0x10, 0x11])
    }
}

impl DetachKeys {
    /// `ctrl-a,a`; an empty text is the default sequence.
    pub(crate) fn parse(text: &str) -> Result<Self, BadKeys> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let keys: Option<Vec<u8>> = text.split(',').map(key).collect();
        keys.map(Self).ok_or_else(|| BadKeys { text: text.to_owned() })
    }
}

fn key(text: &str) -> Option<u8> {
    if let [byte] = text.as_bytes() {
        return Some(*byte);
    }
    match text.strip_prefix("ctrl-")?.as_bytes() {
        [letter @ b'a'..=b'z'] => Some(letter - b'a' + 1),
        b"@" => Some(0),
        [sign @ b'['..=b'_'] => Some(sign - b'[' + 27),
        _ => None,
    }
}

/// Looks for the sequence in what a client types, and keeps back what might be its beginning.
#[derive(Debug)]
pub(crate) struct Scanner {
    keys: DetachKeys,
    matched: usize,
}

/// What came out of a chunk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// Pass these on.
    Input(Vec<u8>),
    /// The sequence was typed: pass these on, which came before it, then detach.
    Detach(Vec<u8>),
}

impl Scanner {
    /// At the beginning of the input.
    pub(crate) fn new(keys: DetachKeys) -> Self {
        Self { keys, matched: 0 }
    }

    /// The next chunk.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Scanned {
        let mut input = Vec::with_capacity(chunk.len() + self.matched);
        for &byte in chunk {
            if byte != self.keys.0[self.matched] {
                // What was kept back is input after all; this byte may begin the sequence anew.
                input.extend_from_slice(&self.keys.0[..self.matched]);
                self.matched = 0;
            }
            if byte != self.keys.0[self.matched] {
                input.push(byte);
                continue;
            }
            self.matched += 1;
            if self.matched == self.keys.0.len() {
                self.matched = 0;
                return Scanned::Detach(input);
            }
        }
        Scanned::Input(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_parsed_as_docker_writes_them() {
        let keys = |text: &str| DetachKeys::parse(text).unwrap().0;
        assert_eq!(keys(""), [16, 17]);
        assert_eq!(keys("ctrl-a,a"), [1, b'a']);
        assert_eq!(keys("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_"), [0, 27, 28, 29, 30, 31]);
        assert_eq!(keys("x"), [b'x']);
        for bad in ["ctrl-", "ctrl-A", "ctrl-1", "abc", "a,,b", "ctrl-ab"] {
            assert!(DetachKeys::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_sequence_is_found_across_chunks() {
        let mut scanner = Scanner::new(DetachKeys::default());
        assert_eq!(scanner.feed(b"ls\x10"), Scanned::Input(b"ls".to_vec()));
        assert_eq!(scanner.feed(b"\x11rest"), Scanned::Detach(vec![]));
    }

    #[test]
    fn a_broken_sequence_is_passed_on() {
        let mut scanner = Scanner::new(DetachKeys::default());
        assert_eq!(scanner.feed(b"a\x10b"), Scanned::Input(b"a\x10b".to_vec()));
        assert_eq!(scanner.feed(b"\x10"), Scanned::Input(vec![]));
        assert_eq!(scanner.feed(b"\x10"), Scanned::Input(b"\x10".to_vec()));
        assert_eq!(scanner.feed(b"\x11"), Scanned::Detach(vec![]));
    }
}
