//! The keys that leave a container running: ctrl-p ctrl-q, or what `--detach-keys` says.

/// A sequence of keys, and how much of it has been typed.
#[derive(Debug)]
pub(crate) struct Keys {
    sequence: Vec<u8>,
    matched: usize,
}

impl Keys {
    /// Docker's default.
    fn standard() -> Self {
        Self { sequence: vec![16, 17], matched: 0 }
    }

    /// The keys of a description such as `ctrl-a,d`; an empty or unreadable one means the default.
    pub(crate) fn new(description: &str) -> Self {
        if description.is_empty() {
            return Self::standard();
        }
        let codes: Option<Vec<u8>> = description.split(',').map(code).collect();
        match codes {
            Some(sequence) => Self { sequence, matched: 0 },
            None => {
                crate::output::warn(&format!("invalid detach escape keys, using default: {description}"));
                Self::standard()
            }
        }
    }

    /// Passes typed bytes on to `out`, holding back what may become the sequence; true when it is complete.
    pub(crate) fn filter(&mut self, typed: &[u8], out: &mut Vec<u8>) -> bool {
        for byte in typed {
            if *byte == self.sequence[self.matched] {
                self.matched += 1;
                if self.matched == self.sequence.len() {
                    return true;
                }
                continue;
            }
            out.extend_from_slice(&self.sequence[..self.matched]);
            self.matched = usize::from(*byte == self.sequence[0]);
            if self.matched == 0 {
                out.push(*byte);
            }
        }
        false
    }
}

/// One key: a character, or `ctrl-` and a letter or one of `@[\]^_`.
fn code(key: &str) -> Option<u8> {
    if let [byte] = key.as_bytes() {
        return Some(*byte);
    }
    match key.strip_prefix("ctrl-")?.as_bytes() {
        [letter @ b'a'..=b'z'] => Some(letter - b'a' + 1),
        [sign @ (b'@' | b'['..=b'_')] => Some(sign - b'@'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_held_back_until_they_decide() {
        let mut keys = Keys::new("");
        let mut out = Vec::new();
        assert!(!keys.filter(b"a\x10", &mut out));
        assert_eq!(out, b"a");
        assert!(!keys.filter(b"b\x10\x10", &mut out));
        assert_eq!(out, b"a\x10b\x10");
        assert!(keys.filter(b"\x11rest", &mut out));
        assert_eq!(out, b"a\x10b\x10");
    }

    #[test]
    fn descriptions() {
        assert_eq!(Keys::new("ctrl-a,d").sequence, [1, b'd']);
        assert_eq!(Keys::new("ctrl-[").sequence, [27]);
        assert_eq!(code("ctrl-1"), None);
        assert_eq!(code(""), None);
    }
}
