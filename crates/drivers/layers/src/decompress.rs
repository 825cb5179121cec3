//! Recognising compression by the first bytes of a stream, as names and media types cannot be trusted.

use crate::{LayerError, Result};
use flate2::bufread::MultiGzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use std::io::{self, BufRead, Read};

/// Compression of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// RFC 1952, also several members in a row.
    Gzip,
    /// RFC 8878, also several frames in a row.
    Zstd,
    /// bzip2, also several streams in a row.
    Bzip2,
    /// The .xz format, also several streams in a row.
    Xz,
}

/// Bytes that a decoder of xz may take: what `xz -9` needs, and not the 4 GiB that a hundred bytes can ask for.
const XZ_MEMORY: u64 = 80 << 20;

/// Formats that are known by their first bytes and not supported.
const FOREIGN: &[(&str, &[u8])] = &[("lz4", b"\x04\x22\x4d\x18")];

impl Compression {
    /// What a stream that begins with `head` (at least six bytes of it, if it has them) is compressed with.
    ///
    /// # Errors
    /// [`LayerError::Compression`] for a format that is known but not supported.
    pub fn detect(head: &[u8]) -> Result<Self> {
        let skippable = head.len() >= 4 && head[1..4] == *b"\x2a\x4d\x18" && head[0] & 0xf0 == 0x50;
        match head {
            [0x1f, 0x8b, ..] => Ok(Self::Gzip),
            [b'B', b'Z', b'h', ..] => Ok(Self::Bzip2),
            _ if head.starts_with(b"\xfd7zXZ\0") => Ok(Self::Xz),
            _ if head.starts_with(b"\x28\xb5\x2f\xfd") || skippable => Ok(Self::Zstd),
            _ => match FOREIGN.iter().find(|(_, magic)| head.starts_with(magic)) {
                Some((format, _)) => Err(LayerError::Compression { format }),
                None => Ok(Self::None),
            },
        }
    }
}

/// The decompressed content of `input`, whatever it is compressed with.
///
/// # Errors
/// [`LayerError::Compression`], or [`LayerError::Archive`] if the first bytes cannot be read.
pub fn decompress<'a, R: BufRead + Send + 'a>(mut input: R) -> Result<Box<dyn Read + Send + 'a>> {
    let mut head = [0; 6];
    let length = peek(&mut input, &mut head).map_err(crate::archive::ArchiveError::from)?;
    let whole = io::Cursor::new(head).take(length as u64).chain(input);
    Ok(match Compression::detect(&head[..length])? {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(MultiGzDecoder::new(whole)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(whole)),
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED);
            let stream = stream.map_err(|error| crate::archive::ArchiveError::Read(error.into()))?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(whole, stream))
        }
        Compression::Zstd => {
            Box::new(zstd::Decoder::with_buffer(whole).map_err(crate::archive::ArchiveError::Read)?)
        }
    })
}

/// Reads the first bytes, fewer only if the stream ends.
fn peek(input: &mut impl Read, head: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < head.len() {
        match input.read(&mut head[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn inflated(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        decompress(bytes).unwrap().read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn every_format_is_recognised_also_in_several_parts() {
        let gzip = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        let zstd = |text: &[u8]| zstd::encode_all(text, 1).unwrap();
        let bzip2 = |text: &[u8]| {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(inflated(b"plain"), b"plain");
        assert_eq!(inflated(b"x"), b"x");
        assert_eq!(inflated(b""), b"");
        assert_eq!(inflated(&[gzip(b"ab"), gzip(b"cd")].concat()), b"abcd");
        assert_eq!(inflated(&[zstd(b"ab"), zstd(b"cd")].concat()), b"abcd");
        assert_eq!(inflated(&[bzip2(b"ab"), bzip2(b"cd")].concat()), b"abcd");
    }

    #[test]
    fn xz_of_any_level_is_read_and_none_that_wants_all_memory() {
        let xz = |dictionary: Option<u32>| {
            let mut options = liblzma::stream::LzmaOptions::new_preset(9).unwrap();
            options.dict_size(dictionary.unwrap_or(64 << 20));
            let mut filters = liblzma::stream::Filters::new();
            filters.lzma2(&options);
            let stream = Stream::new_stream_encoder(&filters, liblzma::stream::Check::Crc32).unwrap();
            let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
            encoder.write_all(b"ab").unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(inflated(&[xz(None), xz(None)].concat()), b"abab");
        // The dictionary that the block's header asks for is 128 MiB.
        let mut out = Vec::new();
        let error = decompress(&xz(Some(128 << 20))[..]).unwrap().read_to_end(&mut out).unwrap_err();
        assert!(error.to_string().contains("memory"), "{error}");
    }

    #[test]
    fn a_foreign_format_is_named() {
        let error = decompress(&b"\x04\x22\x4d\x18\0\0\0"[..]).err().unwrap();
        assert!(error.to_string().contains("compressed with lz4"), "{error}");
    }
}
