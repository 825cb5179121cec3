//! D-Bus messages, as they are sent: calls of systemd's methods.

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
    /// Bytes so far.
    #[cfg(test)]
    pub(super) fn length(&self) -> usize {
        self.0.len()
    }

    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    fn number(&mut self, number: u32) {
        self.align(4);
        self.0.extend(number.to_le_bytes());
    }

    fn count(&mut self, length: usize) {
        // A message has at most 128 MiB, and ours a few hundred bytes.
        self.number(u32::try_from(length).unwrap_or(u32::MAX));
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.number(flag.into());
    }

    pub(super) fn string(&mut self, text: &str) {
        self.count(text.len());
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
    message.count(body.0.len());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrays_length_leaves_out_the_padding_before_it() {
        let mut writer = Writer::default();
        writer.properties(&[("A", Value::Rates(vec![("/d".to_owned(), 5)]))]);
        // Length, padding, "A", "a(st)", length, padding, "/d", 5.
        let expected = b"\x28\0\0\0\0\0\0\0\x01\0\0\0A\0\x05a(st)\0\0\0\0\x10\0\0\0\0\0\0\0\x02\0\0\0/d\0\0\x05\0\0\0\0\0\0\0";
        assert_eq!(writer.0, expected);
    }
}
