//! Attributes of netlink messages, as the kernel packs them (`struct nlattr`, `netlink(7)`).

/// What a type of attribute is beside its two flags.
const TYPE: u16 = 0x3fff;

/// Attributes one after the other: type, and what is in it. One that is cut off ends them.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [a, b, c, d] = *bytes.first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([a, b])).max(4);
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([c, d]) & TYPE, value))
    })
}

/// A value that is a text, which the kernel ends with a zero.
pub(crate) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.strip_suffix(&[0]).unwrap_or(value)).into_owned()
}

/// A value that is a number.
pub(crate) fn number(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_ends_them() {
        assert_eq!(attributes(&[9, 0]).count(), 0);
        assert_eq!(attributes(&[200, 0, 1, 0, 5]).count(), 0);
        assert_eq!(attributes(&[0, 0, 1, 0]).count(), 1, "an empty one");
        let two = [5, 0, 2, 0x80, b'x', 0, 0, 0, 8, 0, 3, 0, 1, 0, 0, 0];
        assert_eq!(attributes(&two).collect::<Vec<_>>(), [(2, &b"x"[..]), (3, &[1, 0, 0, 0])]);
    }
}
