//! D-Bus messages, as they are received (D-Bus Specification, "Message Protocol"): little-endian, each value aligned to
//! its size.

/// What kind a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Return,
    Error,
    /// A signal, or something newer.
    Other,
}

/// A message that was received.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// The call that it answers.
    pub(super) answers: Option<u32>,
    /// Of a signal: which. Of an error: its name.
    pub(super) name: String,
    pub(super) body: Vec<u8>,
}

/// Bytes of every message before the array of header fields.
pub(super) const START: usize = 16;

/// How many bytes follow a message's first [`START`].
pub(super) fn rest(start: &[u8; START]) -> Option<usize> {
    let reader = Reader::new(start);
    let (body, fields) = (reader.at(4)?, reader.at(12)?);
    fields.checked_next_multiple_of(8)?.checked_add(body).filter(|rest| *rest < 1 << 20)
}

impl Message {
    /// From all bytes of one. None: it is not what the specification promises.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let kind = match bytes.get(1)? {
            2 => Kind::Return,
            3 => Kind::Error,
            _ => Kind::Other,
        };
        let (fields, mut answers, mut name) = (reader.at(12)? + START, None, String::new());
        reader.position = START;
        while reader.position < fields {
            reader.align(8);
            let code = reader.byte()?;
            match (code, reader.signature()?) {
                (3 | 4, "s") => name = reader.string()?.to_owned(),
                (5, "u") => answers = Some(reader.number()?),
                (_, "s" | "o") => drop(reader.string()?),
                (_, "g") => drop(reader.signature()?),
                (_, "u") => drop(reader.number()?),
                _ => return None,
            }
        }
        let body = bytes.get(fields.next_multiple_of(8)..)?.to_vec();
        Some(Self { kind, answers, name, body })
    }
}

/// Reads values off a body.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn align(&mut self, to: usize) {
        self.position = self.position.next_multiple_of(to);
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.position..self.position.checked_add(length)?)?;
        self.position += length;
        Some(taken)
    }

    fn at(&self, position: usize) -> Option<usize> {
        let bytes = self.bytes.get(position..position + 4)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        self.align(4);
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    pub(super) fn string(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let text = self.take(length)?;
        self.take(1)?;
        std::str::from_utf8(text).ok()
    }

    fn signature(&mut self) -> Option<&'a str> {
        let length = self.byte()?.into();
        let text = self.take(length)?;
        self.take(1)?;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::writer::{Value, Writer, call};
    use super::*;

    #[test]
    fn a_call_is_laid_out_as_specified() {
        let mut body = Writer::default();
        body.string("x.scope");
        body.properties(&[("Delegate", Value::Flag(true)), ("MemoryMax", Value::Number(7))]);
        let body_length = body.length();
        let bytes = call(3, "SetUnitProperties", "sa(sv)", body);
        assert_eq!(&bytes[..4], b"l\x01\0\x01");
        let start: &[u8; START] = bytes[..START].try_into().unwrap();
        assert_eq!(rest(start), Some(bytes.len() - START));
        let message = Message::parse(&bytes).unwrap();
        assert_eq!((message.kind, message.name.as_str()), (Kind::Other, "SetUnitProperties"));
        assert_eq!(message.body.len(), body_length);
        // Length 7, the text, padding; the array's length, and its first structure at a multiple of eight.
        assert_eq!(&message.body[..12], b"\x07\0\0\0x.scope\0");
        assert_eq!(&message.body[16..24], b"\x08\0\0\0Dele");
    }

    #[test]
    fn nonsense_is_no_message() {
        assert!(Message::parse(b"l\x02\0\x01").is_none());
        assert!(Message::parse(&[0xff; 64]).is_none());
        assert_eq!(rest(&[0xff; START]), None);
    }
}
