//! One pass over an archive: documents into memory, layers onto the disk.

use super::Body;
use crate::commit::Haul;
use crate::intake::{Kept, Taken, drain, keep, reading, take_in};
use crate::leases::{Claim, Lease};
use crate::{ImageError, Images, Result};
use blobs::Sha256;
use layers::archive::{Archive, ArchiveError, Kind};
use layers::{Compression, LayerError, decompress};
use oci::Digest;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;

/// One document, and all of them together.
const MAX_DOCUMENT: u64 = 8 << 20;
const MAX_DOCUMENTS: u64 = 64 << 20;
/// Files of any kind; each costs a name in memory.
const MAX_FILES: usize = 100_000;
/// How often a link may lead to another.
const MAX_LINKS: usize = 8;
const BLOCK: usize = 512;

/// A file of the archive.
#[derive(Debug)]
enum File {
    /// JSON.
    Document(Vec<u8>),
    /// Unpacked, or found to be here already.
    Layer(Arc<Lease>),
    /// Looked like a layer and wasn't one that can be unpacked; an error if an image needs it.
    Broken(Arc<LayerError>),
    /// Another name of a file.
    Link(String),
}

/// Everything in an archive, by name.
#[derive(Debug)]
pub(crate) struct Scan {
    files: HashMap<String, File>,
    documents: u64,
    /// Blobs of layers, by diff id.
    kept: Vec<(Digest, Kept)>,
}

impl Scan {
    pub(crate) fn read(images: &Images, body: Body) -> Result<Self> {
        let plain = decompress(body)?;
        let mut archive = Archive::new(BufReader::with_capacity(128 << 10, plain));
        let mut scan = Self { files: HashMap::new(), documents: 0, kept: Vec::new() };
        while let Some(entry) = archive.next_entry().map_err(LayerError::from)? {
            let name = normal(&entry.path);
            let file = match entry.kind {
                Kind::File => scan.file(images, &name, entry.size, &mut archive)?,
                Kind::Symlink => Some(File::Link(relative(&name, &entry.link))),
                Kind::HardLink => Some(File::Link(normal(&entry.link))),
                _ => None,
            };
            scan.files.extend(file.map(|file| (name, file)));
            if scan.files.len() > MAX_FILES {
                return Err(ImageError::Limit { what: "the number of its files", limit: MAX_FILES as u64 });
            }
        }
        drain(archive.into_inner())?;
        Ok(scan)
    }

    fn file<R: BufRead + Send>(
        &mut self,
        images: &Images,
        name: &str,
        size: u64,
        archive: &mut Archive<R>,
    ) -> Result<Option<File>> {
        let mut content = archive.content();
        let mut head = Vec::with_capacity(BLOCK);
        (&mut content).take(BLOCK as u64).read_to_end(&mut head).map_err(reading)?;
        if size <= MAX_DOCUMENT
            && head.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| b"{[".contains(b))
        {
            self.documents += size;
            if self.documents > MAX_DOCUMENTS {
                return Err(ImageError::Limit { what: "the size of its documents", limit: MAX_DOCUMENTS });
            }
            content.read_to_end(&mut head).map_err(reading)?;
            return Ok(Some(File::Document(head)));
        }
        if !looks_like_layer(&head) || (in_layout(name) && announced(name).is_none()) {
            return Ok(None);
        }
        match layer(images, name, &mut Cursor::new(head).chain(content)) {
            Ok(taken) => {
                let diff_id = taken.lease.diff_id.clone();
                self.kept.extend(taken.kept.map(|kept| (diff_id, kept)));
                Ok(Some(File::Layer(taken.lease)))
            }
            Err(ImageError::Layers(error)) => Ok(Some(File::Broken(Arc::new(error)))),
            Err(error) => Err(error),
        }
    }

    /// Gives what the images of `haul` need of the blobs to it.
    pub(super) fn hand_over(self, haul: &mut Haul) {
        for (diff_id, kept) in self.kept {
            if haul.held.iter().any(|lease| lease.diff_id == diff_id) {
                haul.packed.push((diff_id, kept.blob));
                haul.pins.push(kept.pin);
            }
        }
    }

    /// Whether a blob is kept as it is in the archive, now or since before.
    pub(super) fn keeps(&self, digest: &Digest) -> bool {
        let recorded = |file: &File| match file {
            File::Layer(lease) => lease.layer.blobs.iter().any(|blob| blob.digest == *digest),
            _ => false,
        };
        self.kept.iter().any(|(_, kept)| kept.blob.digest == *digest) || self.files.values().any(recorded)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// A document's bytes. If its name is a digest they are what that says, also where a link leads to them.
    pub(super) fn document(&self, name: &str) -> Result<&[u8]> {
        match self.find(name)? {
            File::Document(bytes) => {
                if let Some(expected) = named_by(name) {
                    check(name, Some(&expected), &blobs::digest_as(&expected, bytes))?;
                }
                Ok(bytes)
            }
            _ => Err(ImageError::MissingFile { name: name.to_owned() }),
        }
    }

    /// A document's content.
    pub(super) fn parse<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        serde_json::from_slice(self.document(name)?)
            .map_err(|source| ImageError::BadDocument { name: name.to_owned(), source })
    }

    /// An unpacked layer.
    pub(super) fn layer(&self, name: &str) -> Result<Arc<Lease>> {
        match self.find(name)? {
            File::Layer(lease) => Ok(Arc::clone(lease)),
            File::Broken(error) => {
                Err(ImageError::BadLayer { name: name.to_owned(), source: Arc::clone(error) })
            }
            _ => Err(ImageError::MissingFile { name: name.to_owned() }),
        }
    }

    fn find(&self, name: &str) -> Result<&File> {
        let missing = || ImageError::MissingFile { name: name.to_owned() };
        let mut file = self.files.get(&normal(name.as_bytes())).ok_or_else(missing)?;
        for _ in 0..MAX_LINKS {
            let File::Link(target) = file else { return Ok(file) };
            file = self.files.get(target).ok_or_else(missing)?;
        }
        Err(ImageError::Layout { reason: "its links lead in a circle" })
    }
}

/// Takes in a root file system that is the whole body.
pub(crate) fn unpack_body(images: &Images, mut body: Body) -> Result<Taken> {
    let taken = take_in(images, &mut body)?;
    drain(body)?;
    Ok(taken)
}

/// Takes in the layer in the file `name`, or finds that it is here.
fn layer(images: &Images, name: &str, stream: &mut (impl BufRead + Send)) -> Result<Taken> {
    let inner = &images.inner;
    let announced = announced(name);
    let recorded = |digest: &Digest| inner.index.load().layers.get(digest).cloned();
    // Others that load the same layer meanwhile wait for the claim to be dropped.
    let claim =
        announced.as_ref().map(|digest| inner.leases.claim(digest, &inner.layers, |diff| recorded(diff)));
    let mut stream = Hashing { inner: stream, hash: Sha256::new(), wanted: in_layout(name) };
    let _unpacking = match claim {
        Some(Claim::Held(lease)) => {
            stream.wanted = true;
            // It came another way: what the archive has is kept, for its manifest to stay whole.
            let kept = if lease.layer.blobs.is_empty() || in_layout(name) {
                keep(images, &mut stream)?
            } else {
                None
            };
            drain(&mut stream)?;
            check(name, announced.as_ref(), &stream.hash.finish())?;
            return Ok(Taken { lease, kept });
        }
        Some(Claim::Unpack(guard)) => Some(guard),
        None => None,
    };
    let taken = take_in(images, &mut stream);
    drain(&mut stream)?;
    let taken = taken?;
    if in_layout(name) {
        let found = stream.hash.finish();
        check(name, announced.as_ref(), &found)?;
        inner.leases.alias(found, taken.lease.diff_id.clone());
    }
    Ok(taken)
}

/// Whether the name is that of a blob in an OCI layout, which is its digest.
fn in_layout(name: &str) -> bool {
    name.starts_with("blobs/")
}

/// The digest that is the name of a blob in an OCI layout: `blobs/<algorithm>/<hex>`.
fn named_by(name: &str) -> Option<Digest> {
    name.strip_prefix("blobs/")?.replacen('/', ":", 1).parse().ok()
}

/// The digest in a name: `blobs/sha256/<hex>` of OCI layouts, `<hex>.tar` of skopeo's docker archives.
fn announced(name: &str) -> Option<Digest> {
    let hex = name.strip_prefix("blobs/sha256/").or_else(|| name.strip_suffix(".tar"))?;
    format!("sha256:{hex}").parse().ok()
}

fn check(name: &str, expected: Option<&Digest>, found: &Digest) -> Result<()> {
    if expected.is_none_or(|expected| expected == found) {
        return Ok(());
    }
    Err(ImageError::BlobDigest { name: name.to_owned(), found: found.clone() })
}

/// Compressed, or a tar header, or the zeros of an empty tar.
fn looks_like_layer(head: &[u8]) -> bool {
    let compressed = Compression::detect(head).map_or(true, |compression| compression != Compression::None);
    let header = || match Archive::new(head).next_entry() {
        Ok(entry) => entry.is_some() || head.iter().all(|&b| b == 0),
        // An extension's header, sound but for what it announces: that lies behind this block.
        Err(error) => matches!(error, ArchiveError::Truncated),
    };
    compressed || (head.len() == BLOCK && header())
}

/// A path without `./`, empty components and a leading slash. `..` stays and so finds nothing.
fn normal(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    text.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
}

/// Target of a symbolic link, seen from the archive's root; above it there is nothing.
fn relative(name: &str, target: &[u8]) -> String {
    let target = String::from_utf8_lossy(target);
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Hashes what passes, if that is wanted.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
    wanted: bool,
}

impl<R: BufRead> BufRead for Hashing<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        // What was handed out is still there, so this neither reads nor fails.
        if self.wanted
            && let Ok(buffer) = self.inner.fill_buf()
        {
            self.hash.update(&buffer[..count.min(buffer.len())]);
        }
        self.inner.consume(count);
    }
}

impl<R: BufRead> Read for Hashing<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tar::EntryType;

    #[test]
    fn names_are_compared_in_one_form() {
        assert_eq!(normal(b"./a//b/"), "a/b");
        assert_eq!(relative("abc/layer.tar", b"../def/layer.tar"), "def/layer.tar");
        assert_eq!(relative("a", b"../../../b"), "b");
    }

    #[test]
    fn layers_are_told_from_other_files() {
        assert!(looks_like_layer(&[0; BLOCK]));
        assert!(looks_like_layer(b"\x1f\x8b\x08"));
        assert!(looks_like_layer(b"\x28\xb5\x2f\xfd"));
        for extension in [EntryType::XHeader, EntryType::XGlobalHeader, EntryType::GNULongName] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(extension);
            header.set_size(30);
            header.set_cksum();
            assert!(looks_like_layer(header.as_bytes()), "{extension:?}");
        }
        assert!(!looks_like_layer(b"1.0"));
        assert!(!looks_like_layer(&[b'x'; BLOCK]));
    }
}
