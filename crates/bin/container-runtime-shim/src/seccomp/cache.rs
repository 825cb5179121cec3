//! Compiled filters on disk, each with the text that it comes from, so that a name's collision is noticed.
//!
//! ```text
//! 8 bytes  length of the key, little-endian        key  the profile's text and what else the filter depends on
//! 4 bytes  flags                                   8 bytes  length of the filter, then the filter
//! ```

use super::Filter;
use libseccomp::ScmpVersion;
use std::fs::{DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A kept filter; whatever is wrong with it, it is compiled anew.
pub(super) fn get(directory: &Path, text: &str) -> Option<Filter> {
    let key = key(text);
    let file = std::fs::read(path(directory, &key)).ok()?;
    let (length, rest) = number(&file)?;
    let (found, rest) = rest.split_at_checked(length)?;
    let (flags, rest) = rest.split_first_chunk::<4>()?;
    let (length, program) = number(rest)?;
    let whole = found == key.as_bytes() && program.len() == length && length > 0;
    whole.then(|| Filter { program: program.to_vec(), flags: u32::from_le_bytes(*flags) })
}

/// Keeps a filter: whole or not at all, and for root alone.
pub(super) fn put(directory: &Path, text: &str, filter: &Filter) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let key = key(text);
    let path = path(directory, &key);
    let temporary = path.with_extension(std::process::id().to_string());
    let mut content = Vec::with_capacity(key.len() + filter.program.len() + 20);
    content.extend_from_slice(&(key.len() as u64).to_le_bytes());
    content.extend_from_slice(key.as_bytes());
    content.extend_from_slice(&filter.flags.to_le_bytes());
    content.extend_from_slice(&(filter.program.len() as u64).to_le_bytes());
    content.extend_from_slice(&filter.program);
    File::create(&temporary)?.write_all(&content)?;
    std::fs::rename(&temporary, path)
}

/// All that a filter depends on.
fn key(text: &str) -> String {
    let version = ScmpVersion::current().map(|version| version.to_string()).unwrap_or_default();
    format!("{} libseccomp {version} shim {}\n{text}", std::env::consts::ARCH, env!("CARGO_PKG_VERSION"))
}

fn path(directory: &Path, key: &str) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    directory.join(format!("{:016x}", hasher.finish()))
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((usize::try_from(u64::from_le_bytes(*number)).ok()?, rest))
}
