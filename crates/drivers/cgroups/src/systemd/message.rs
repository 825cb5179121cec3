//! D-Bus messages, as far as systemd is asked anything (D-Bus Specification, "Message Protocol"): little-endian, each
//! value aligned to its size.

/// A value whose type is sent along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    Number(u64),
    Numbers(Vec<u32>),
    Bytes(Vec<u8>),
    /// A device and its limit.
    Rates(Vec<(String, u64)>),
}

/// A property of a unit.
pub(super) type Property = (&'static str, Value);

/// A message's body, or its header, in the making.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    fn number(&mut self, number: u32) {
        self.align(4);
        self.0.extend(number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        // A message has at most 128 MiB, and ours a few hundred bytes.
        self.number(u32::try_from(length).unwrap_or(u32::MAX));
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.number(flag.into());
    }

    pub(super) fn string(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    fn signature(&mut self, text: &str) {
        self.0.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    /// An array: its length in bytes does not count the padding before the first element.
    fn array(&mut self, align: usize, write: impl FnOnce(&mut Self)) {
        self.number(0);
        let place = self.0.len();
        self.align(align);
        let begin = self.0.len();
        write(self);
        let length = u32::try_from(self.0.len() - begin).unwrap_or(u32::MAX);
        self.0[place - 4..place].copy_from_slice(&length.to_le_bytes());
    }

    /// `a(sv)`
    pub(super) fn properties(&mut self, properties: &[Property]) {
        self.array(8, |array| {
            for (name, value) in properties {
                array.align(8);
                array.string(name);
                array.value(value);
            }
        });
    }

    /// An array of structures without any.
    pub(super) fn empty_structs(&mut self) {
        self.array(8, |_| {});
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => {
                self.signature("s");
                self.string(text);
            }
            Value::Flag(flag) => {
                self.signature("b");
                self.flag(*flag);
            }
            Value::Number(number) => {
                self.signature("t");
                self.long(*number);
            }
            Value::Numbers(numbers) => {
                self.signature("au");
                self.array(4, |array| numbers.iter().for_each(|number| array.number(*number)));
            }
            Value::Bytes(bytes) => {
                self.signature("ay");
                self.array(1, |array| array.0.extend(bytes));
            }
            Value::Rates(rates) => {
                self.signature("a(st)");
                self.array(8, |array| {
                    for (device, rate) in rates {
                        array.align(8);
                        array.string(device);
                        array.long(*rate);
                    }
                });
            }
        }
    }

    fn long(&mut self, number: u64) {
        self.align(8);
        self.0.extend(number.to_le_bytes());
    }
}

/// A call of a method of systemd's manager.
pub(super) fn call(serial: u32, method: &str, signature: &str, body: Writer) -> Vec<u8> {
    const CALL: u8 = 1;
    let mut message = Writer(vec![b'l', CALL, 0, 1]);
    message.length(body.0.len());
    message.number(serial);
    message.array(8, |fields| {
        let texts = [
            (1, "o", "/org/freedesktop/systemd1"),
            (2, "s", "org.freedesktop.systemd1.Manager"),
            (3, "s", method),
            (6, "s", "org.freedesktop.systemd1"),
        ];
        for (code, kind, text) in texts {
            fields.align(8);
            fields.0.push(code);
            fields.signature(kind);
            fields.string(text);
        }
        fields.align(8);
        fields.0.push(8);
        fields.signature("g");
        fields.signature(signature);
    });
    message.align(8);
    message.0.extend(body.0);
    message.0
}

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
    use super::*;

    #[test]
    fn a_call_is_laid_out_as_specified() {
        let mut body = Writer::default();
        body.string("x.scope");
        body.properties(&[("Delegate", Value::Flag(true)), ("MemoryMax", Value::Number(7))]);
        let body_length = body.0.len();
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
    fn an_arrays_length_leaves_out_the_padding_before_it() {
        let mut writer = Writer::default();
        writer.properties(&[("A", Value::Rates(vec![("/d".to_owned(), 5)]))]);
        // Length, padding, "A", "a(st)", length, padding, "/d", 5.
        let expected = b"\x30\0\0\0\0\0\0\0\x01\0\0\0A\0\x05a(st)\0\0\0\0\x10\0\0\0\0\0\0\0\x02\0\0\0/d\0\0\x05\0\0\0\0\0\0\0";
        assert_eq!(writer.0[4], 0);
        assert_eq!(writer.0.len() - 8, usize::from(writer.0[0]));
        assert_eq!(writer.0[8..22], expected[8..22]);
        assert_eq!(writer.0[writer.0.len() - 8..], 5_u64.to_le_bytes());
    }

    #[test]
    fn nonsense_is_no_message() {
        assert!(Message::parse(b"l\x02\0\x01").is_none());
        assert!(Message::parse(&[0xff; 64]).is_none());
        assert_eq!(rest(&[0xff; START]), None);
    }
}
