//! Maps of sparse files, in GNU's old format and in those of PAX.

use super::entry::{Extent, Sparse};
use super::{ArchiveError, BLOCK};
use tar::GnuSparseHeader;

/// Extents of one file. A file of a terabyte with a hole in every other megabyte has this many.
pub(super) const MAX_EXTENTS: usize = 1 << 19;

/// What PAX records say about a sparse file.
#[derive(Debug, Default)]
pub(super) struct PaxSparse {
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Offset of a pair whose length is still to come (0.0).
    pub(super) offset: Option<u64>,
    /// The map of 0.0 and 0.1.
    pub(super) map: Option<Vec<Extent>>,
}

impl PaxSparse {
    /// Whether the map stands before the content (1.0).
    pub(super) fn map_in_content(&self) -> bool {
        self.major == Some(1) && self.minor == Some(0)
    }
}

/// Digits only.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The map of 0.1: `offset,length,offset,length…`.
pub(super) fn parse_map(text: &[u8]) -> Result<Vec<Extent>, &'static str> {
    const ERROR: &str = "a malformed sparse map";
    let numbers: Vec<u64> =
        text.split(|&b| b == b',').map(|word| decimal(word).ok_or(ERROR)).collect::<Result<_, _>>()?;
    let (pairs, []) = numbers.as_chunks::<2>() else { return Err(ERROR) };
    Ok(pairs.iter().map(|&[offset, length]| Extent { offset, length }).collect())
}

/// Extents of a GNU header or one of its continuations.
pub(super) fn gnu_extents(headers: &[GnuSparseHeader]) -> Result<Vec<Extent>, &'static str> {
    let used = headers.iter().filter(|header| !header.is_empty());
    used.map(|header| match (header.offset(), header.length()) {
        (Ok(offset), Ok(length)) => Ok(Extent { offset, length }),
        _ => Err("a malformed sparse map"),
    })
    .collect()
}

/// The map of 1.0, from blocks that `block` reads: a count and pairs, a line each. Says how many bytes it took.
pub(super) fn read_map(
    mut block: impl FnMut() -> Result<[u8; BLOCK], ArchiveError>,
    malformed: impl Fn() -> ArchiveError,
) -> Result<(Vec<Extent>, u64), ArchiveError> {
    let (mut numbers, mut wanted, mut blocks) = (Vec::new(), 1, 0);
    let mut line = Vec::new();
    while numbers.len() < wanted {
        blocks += 1;
        for byte in block()? {
            if numbers.len() == wanted {
                break;
            }
            if byte != b'\n' {
                line.push(byte);
                if line.len() > 20 {
                    return Err(malformed());
                }
                continue;
            }
            let number = decimal(&line).ok_or_else(&malformed)?;
            line.clear();
            if numbers.is_empty() {
                let count = usize::try_from(number).unwrap_or(usize::MAX);
                if count > MAX_EXTENTS {
                    return Err(ArchiveError::Limit { what: "a sparse map", limit: MAX_EXTENTS as u64 });
                }
                wanted = 1 + 2 * count;
            }
            numbers.push(number);
        }
    }
    let pairs = numbers[1..].as_chunks::<2>().0;
    let extents = pairs.iter().map(|&[offset, length]| Extent { offset, length }).collect();
    Ok((extents, blocks * BLOCK as u64))
}

/// Whether the extents ascend, stay within the file, and are together as long as the content.
pub(super) fn validate(sparse: &Sparse, content: u64) -> Result<(), &'static str> {
    let (mut end, mut total) = (0_u64, 0_u64);
    for extent in &sparse.extents {
        let next = extent.offset.checked_add(extent.length).ok_or("a sparse map that overflows")?;
        if extent.offset < end || next > sparse.size {
            return Err("a sparse map that overlaps itself or leaves its file");
        }
        end = next;
        total += extent.length;
    }
    if total == content { Ok(()) } else { Err("a sparse map that does not fit its content") }
}
