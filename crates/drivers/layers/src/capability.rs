//! Capabilities of files where a container's ids are others on the host: `security.capability` of `capabilities(7)`,
//! in version 3 of which the last word is the host's id of the root for whom they are.

use spec::IdMaps;

/// The attribute.
pub(crate) const NAME: &[u8] = b"security.capability";

const REVISION: u32 = 0xff00_0000;
const SECOND: u32 = 0x0200_0000;
const THIRD: u32 = 0x0300_0000;
/// Bytes of version 2: a word of flags, and two of each set.
const LENGTH: usize = 20;

/// As the container sees it: those that are for its root are for root.
pub(crate) fn in_container(value: &[u8], ids: &IdMaps) -> Vec<u8> {
    match parts(value) {
        Some((THIRD, flags, sets, Some(root))) if root == ids.root().0 => {
            [&(flags | SECOND).to_le_bytes(), sets].concat()
        }
        _ => value.to_owned(),
    }
}

/// As it is on the host: those that are for root are for the container's.
pub(crate) fn on_host(value: &[u8], ids: &IdMaps) -> Vec<u8> {
    match parts(value) {
        Some((SECOND, flags, sets, None)) => {
            [&(flags | THIRD).to_le_bytes(), sets, &ids.root().0.to_le_bytes()].concat()
        }
        _ => value.to_owned(),
    }
}

/// Revision, flags, sets, and root if there is one.
fn parts(value: &[u8]) -> Option<(u32, u32, &[u8], Option<u32>)> {
    let word = |at: usize| Some(u32::from_le_bytes(value.get(at..at + 4)?.try_into().ok()?));
    let first = word(0)?;
    Some((first & REVISION, first & !REVISION, value.get(4..LENGTH)?, word(LENGTH)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_comes_and_goes() {
        let ids: IdMaps = "0:100000:65536/0:100000:65536".parse().unwrap();
        let second = [&[1, 0, 0, 2][..], &[7; 16]].concat();
        let third = on_host(&second, &ids);
        assert_eq!(third, [&[1, 0, 0, 3][..], &[7; 16], &100_000_u32.to_le_bytes()].concat());
        assert_eq!(in_container(&third, &ids), second);
        // Somebody else's, and nonsense, stay.
        let others = [&[1, 0, 0, 3][..], &[7; 16], &5_u32.to_le_bytes()].concat();
        for same in [&others[..], b"", b"abc"] {
            assert_eq!(in_container(same, &ids), same);
            assert_eq!(on_host(same, &ids), same);
        }
    }
}
