//! The reader of tar streams.

use super::entry::{Entry, Kind, Sparse, Time};
use super::pax::Pax;
use super::sparse::{self, MAX_EXTENTS};
use super::{ArchiveError, BLOCK, MAX_PATH};
use std::io::{self, BufRead};
use tar::{EntryType, GnuExtSparseHeader, Header};

/// An extended header's content; Go's reader, which other engines use, accepts as much.
const MAX_PAX: u64 = 1 << 20;

/// A tar stream: call [`Archive::next_entry`], then read the content with [`Archive::chunk`], or don't.
#[derive(Debug)]
pub struct Archive<R> {
    input: R,
    /// Bytes of the stream behind us.
    offset: u64,
    /// Bytes of the current entry's content ahead of us.
    remaining: u64,
    /// Bytes behind the content up to the next header.
    padding: u64,
}

/// What extension headers said about the next entry.
#[derive(Default)]
struct Extensions {
    pax: Option<Pax>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl<R: BufRead> Archive<R> {
    /// Reads from `input`, which must be uncompressed.
    pub fn new(input: R) -> Self {
        Self { input, offset: 0, remaining: 0, padding: 0 }
    }

    /// The next entry, after skipping what was not read of the present one. None: the archive is at its end.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ArchiveError> {
        let mut extensions = Extensions::default();
        loop {
            self.skip(self.remaining + self.padding)?;
            (self.remaining, self.padding) = (0, 0);
            let Some(header) = self.header()? else { return Ok(None) };
            let size = self.plausible(positive(&header.as_old().size))?;
            match header.entry_type() {
                EntryType::XHeader => {
                    let content = self.small(size, MAX_PAX, "a PAX header")?;
                    let pax = Pax::parse(&content).map_err(|reason| self.bad_extension(reason))?;
                    extensions.pax = Some(pax);
                }
                EntryType::GNULongName => extensions.long_name = Some(self.long_name(size)?),
                EntryType::GNULongLink => extensions.long_link = Some(self.long_name(size)?),
                // Defaults for all entries (git writes a commit id so): no engine applies them.
                EntryType::XGlobalHeader => self.content_ahead(size),
                _ => return self.entry(&header, extensions).map(Some),
            }
        }
    }

    /// The next piece of the current entry's content; empty at its end. Take it with [`Archive::consume`].
    pub fn chunk(&mut self) -> Result<&[u8], ArchiveError> {
        if self.remaining == 0 {
            return Ok(&[]);
        }
        let buffer = self.input.fill_buf()?;
        if buffer.is_empty() {
            return Err(ArchiveError::Truncated);
        }
        let count = usize::try_from(self.remaining).map_or(buffer.len(), |most| most.min(buffer.len()));
        Ok(&buffer[..count])
    }

    /// Goes `count` bytes on; no more than the last chunk had.
    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.offset += count as u64;
        self.remaining -= count as u64;
    }

    /// The current entry's content, as a reader.
    pub fn content(&mut self) -> Content<'_, R> {
        Content(self)
    }

    /// The source.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// The next header that is not zero. None at the end of the archive: a zero block, or the end of the stream.
    fn header(&mut self) -> Result<Option<Header>, ArchiveError> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let first = self.offset == 0;
        let block = self.block().map_err(|error| match error {
            // Not even one header: a text, or a file that holds something else.
            ArchiveError::Truncated if first => self.bad_header("fewer bytes than one has"),
            error => error,
        })?;
        if block.iter().all(|&b| b == 0) {
            return Ok(None);
        }
        let header = Header::from_byte_slice(&block).clone();
        let sum = number(&header.as_old().cksum).unwrap_or(-1);
        if sum != checksum(&block, i64::from) && sum != checksum(&block, |byte| i64::from(byte.cast_signed()))
        {
            return Err(self.bad_header("a wrong checksum"));
        }
        Ok(Some(header))
    }

    fn entry(&mut self, header: &Header, extensions: Extensions) -> Result<Entry, ArchiveError> {
        let mut pax = extensions.pax.unwrap_or_default();
        let kind = kind(header);
        let stored = self.plausible(pax.size.or_else(|| positive(&header.as_old().size)))?;
        let has_content = matches!(kind, Kind::File | Kind::Note | Kind::Unknown(_));
        self.content_ahead(if has_content { stored } else { 0 });
        let sparse = if kind == Kind::File { self.sparse(header, &mut pax)? } else { None };
        let old = header.as_old();
        let field = |field: &[u8], reason| positive(field).ok_or_else(|| self.bad_header(reason));
        let device = match kind {
            Kind::Character | Kind::Block => self.device(header)?,
            _ => (0, 0),
        };
        let name = pax.sparse.name.take().or(pax.path).or(extensions.long_name);
        let link = pax.link.or(extensions.long_link);
        let path = name.unwrap_or_else(|| header.path_bytes().into_owned());
        let directory = kind == Kind::File && path.ends_with(b"/");
        Ok(Entry {
            link: self.name(
                link.or_else(|| header.link_name_bytes().map(|n| n.into_owned())).unwrap_or_default(),
            )?,
            path: self.name(path)?,
            kind: if directory { Kind::Directory } else { kind },
            mode: (field(&old.mode, "an impossible mode")? & 0o7777) as u32,
            uid: pax.uid.map_or_else(|| field(&old.uid, "an impossible owner"), Ok)?,
            gid: pax.gid.map_or_else(|| field(&old.gid, "an impossible group"), Ok)?,
            mtime: match (pax.mtime, number(&old.mtime)) {
                (Some(time), _) => time,
                (None, Some(seconds)) => Time { seconds, nanoseconds: 0 },
                (None, None) => return Err(self.bad_header("an impossible time")),
            },
            device,
            size: self.remaining,
            sparse,
            xattrs: pax.xattrs,
        })
    }

    /// Major and minor number, where ustar and GNU agree that they are.
    fn device(&self, header: &Header) -> Result<(u32, u32), ArchiveError> {
        let fields = header.as_ustar().map(|h| (h.dev_major, h.dev_minor));
        let fields = fields.or_else(|| header.as_gnu().map(|h| (h.dev_major, h.dev_minor)));
        let part = |field: [u8; 8]| positive(&field).and_then(|number| u32::try_from(number).ok());
        let device = fields.and_then(|(major, minor)| Some((part(major)?, part(minor)?)));
        device.ok_or_else(|| self.bad_header("an impossible device"))
    }

    fn name(&self, name: Vec<u8>) -> Result<Vec<u8>, ArchiveError> {
        if name.len() > MAX_PATH {
            return Err(ArchiveError::Limit { what: "the length of a name", limit: MAX_PATH as u64 });
        }
        if name.contains(&0) { Err(self.bad_header("a name with a zero byte")) } else { Ok(name) }
    }

    /// Finds and reads the map of a sparse file, wherever its dialect has put it.
    fn sparse(&mut self, header: &Header, pax: &mut Pax) -> Result<Option<Sparse>, ArchiveError> {
        let sparse = if pax.sparse.map_in_content() {
            let offset = self.offset;
            let malformed = || ArchiveError::Extension { reason: "a malformed sparse map", offset };
            let (extents, taken) = sparse::read_map(|| self.content_block(), malformed)?;
            debug_assert_eq!(self.offset - offset, taken, "a map takes whole blocks");
            Sparse { size: pax.sparse.size.ok_or_else(malformed)?, extents }
        } else if let Some(extents) = pax.sparse.map.take() {
            let size = pax.sparse.size.ok_or_else(|| self.bad_extension("a sparse file without a size"))?;
            Sparse { size, extents }
        } else if header.entry_type() == EntryType::GNUSparse {
            self.gnu_sparse(header)?
        } else {
            return Ok(None);
        };
        if sparse.extents.len() > MAX_EXTENTS {
            return Err(ArchiveError::Limit { what: "a sparse map", limit: MAX_EXTENTS as u64 });
        }
        sparse::validate(&sparse, self.remaining).map_err(|reason| self.bad_extension(reason))?;
        Ok(Some(sparse))
    }

    /// GNU's old format: four extents in the header, then blocks of 21 between header and content.
    fn gnu_sparse(&mut self, header: &Header) -> Result<Sparse, ArchiveError> {
        let gnu = header.as_gnu().ok_or_else(|| self.bad_header("a sparse file of another dialect"))?;
        let size = gnu.real_size().map_err(|_| self.bad_header("an impossible size"))?;
        let mut extents = sparse::gnu_extents(&gnu.sparse).map_err(|reason| self.bad_header(reason))?;
        let mut more = gnu.is_extended();
        while more {
            let mut extension = GnuExtSparseHeader::new();
            extension.as_mut_bytes().copy_from_slice(&self.block()?);
            extents
                .extend(sparse::gnu_extents(extension.sparse()).map_err(|reason| self.bad_header(reason))?);
            if extents.len() > MAX_EXTENTS {
                return Err(ArchiveError::Limit { what: "a sparse map", limit: MAX_EXTENTS as u64 });
            }
            more = extension.is_extended();
        }
        Ok(Sparse { size, extents })
    }

    /// A block that belongs to the content and not to the file.
    fn content_block(&mut self) -> Result<[u8; BLOCK], ArchiveError> {
        if self.remaining < BLOCK as u64 {
            return Err(self.bad_extension("a sparse map longer than its content"));
        }
        self.remaining -= BLOCK as u64;
        self.block()
    }

    fn block(&mut self) -> Result<[u8; BLOCK], ArchiveError> {
        let mut block = [0; BLOCK];
        self.input.read_exact(&mut block)?;
        self.offset += BLOCK as u64;
        Ok(block)
    }

    /// The content of an extension header.
    fn small(&mut self, size: u64, limit: u64, what: &'static str) -> Result<Vec<u8>, ArchiveError> {
        if size > limit {
            return Err(ArchiveError::Limit { what, limit });
        }
        let mut content = vec![0; usize::try_from(size).unwrap_or(0)];
        self.input.read_exact(&mut content)?;
        self.offset += size;
        self.skip(padding(size))?;
        Ok(content)
    }

    /// GNU's long names end with a zero, which counts.
    fn long_name(&mut self, size: u64) -> Result<Vec<u8>, ArchiveError> {
        let mut name = self.small(size, MAX_PATH as u64 + 1, "the length of a name")?;
        let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
        name.truncate(end);
        Ok(name)
    }

    fn content_ahead(&mut self, size: u64) {
        (self.remaining, self.padding) = (size, padding(size));
    }

    fn skip(&mut self, mut count: u64) -> Result<(), ArchiveError> {
        self.offset += count;
        while count > 0 {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Err(ArchiveError::Truncated);
            }
            let step = usize::try_from(count).map_or(buffer.len(), |most| most.min(buffer.len()));
            self.input.consume(step);
            count -= step as u64;
        }
        Ok(())
    }

    /// No file is larger; sums of such sizes don't overflow.
    fn plausible(&self, size: Option<u64>) -> Result<u64, ArchiveError> {
        size.filter(|&size| size < 1 << 62).ok_or_else(|| self.bad_header("an impossible size"))
    }

    fn bad_header(&self, reason: &'static str) -> ArchiveError {
        ArchiveError::Header { reason, offset: self.offset.saturating_sub(BLOCK as u64) }
    }

    fn bad_extension(&self, reason: &'static str) -> ArchiveError {
        ArchiveError::Extension { reason, offset: self.offset }
    }
}

/// The content of an archive's current entry.
#[derive(Debug)]
pub struct Content<'a, R>(&'a mut Archive<R>);

impl<R: BufRead> io::Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let chunk = self.fill_buf()?;
        let count = chunk.len().min(buffer.len());
        buffer[..count].copy_from_slice(&chunk[..count]);
        self.0.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Content<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.chunk().map_err(|error| match error {
            ArchiveError::Read(error) => error,
            error => io::Error::new(io::ErrorKind::UnexpectedEof, error),
        })
    }

    fn consume(&mut self, count: usize) {
        self.0.consume(count);
    }
}

fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

/// The sum of all bytes, those of the checksum itself as spaces; old programs summed signed bytes.
fn checksum(block: &[u8; BLOCK], value: impl Fn(u8) -> i64) -> i64 {
    let field = 148..156;
    let sum = |bytes: &[u8]| bytes.iter().map(|&byte| value(byte)).sum::<i64>();
    sum(&block[..field.start]) + 8 * i64::from(b' ') + sum(&block[field.end..])
}

fn kind(header: &Header) -> Kind {
    match header.entry_type().as_byte() {
        b'\0' | b'0' | b'7' | b'S' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::Character,
        b'4' => Kind::Block,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        b'V' => Kind::Note,
        other => Kind::Unknown(other),
    }
}

/// A number of a header: octal digits between blanks and zeros, of which none at all mean 0, or GNU's binary form, big-endian
/// with the highest bit as a mark and two's complement below zero.
fn number(field: &[u8]) -> Option<i64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // The mark is bit 7, the sign bit 6.
        let top = i128::from(first & 0x7f) - if first & 0x40 != 0 { 0x80 } else { 0 };
        let value = rest
            .iter()
            .try_fold(top, |value, byte| value.checked_mul(256)?.checked_add(i128::from(*byte)))?;
        return i64::try_from(value).ok();
    }
    let text = std::str::from_utf8(field).ok()?;
    let digits = text.split('\0').find(|part| !part.trim().is_empty()).unwrap_or("").trim();
    if digits.is_empty() { Some(0) } else { i64::from_str_radix(digits, 8).ok() }
}

fn positive(field: &[u8]) -> Option<u64> {
    number(field).and_then(|number| u64::try_from(number).ok())
}
