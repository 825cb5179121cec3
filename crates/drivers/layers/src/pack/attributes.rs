//! Extended attributes on their way into an archive.

use crate::capability;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use rustix::fs;
use rustix::io::Errno;
use spec::IdMaps;
use std::ffi::CStr;

/// Names and values.
pub(crate) type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

/// Of an open file or directory.
pub(super) fn of_open(file: impl AsFd) -> Result<Attributes, Errno> {
    let file = file.as_fd();
    read(|list| fs::flistxattr(file, list), |name, value| fs::fgetxattr(file, name, value))
}

/// Of what can't be opened. The name is not followed if it is a link.
pub(crate) fn of_named(parent: BorrowedFd<'_>, base: &CStr) -> Result<Attributes, Errno> {
    let path = [format!("/proc/self/fd/{}/", parent.as_raw_fd()).as_bytes(), base.to_bytes()].concat();
    let path = path.as_slice();
    read(|list| fs::llistxattr(path, list), |name, value| fs::lgetxattr(path, name, value))
}

/// As the archive has them: what belongs to the container and means the same elsewhere.
pub(super) fn for_archive(attributes: Attributes, ids: Option<&IdMaps>) -> Attributes {
    let kept = attributes.into_iter().filter(|(name, _)| belongs(name));
    kept.map(|(name, value)| match ids {
        Some(ids) if name == capability::NAME => (name, capability::in_container(&value, ids)),
        _ => (name, value),
    })
    .collect()
}

/// Labels and signatures of the host's security modules are the host's, and overlay's marks those of this very mount.
fn belongs(name: &[u8]) -> bool {
    match name.strip_prefix(b"security.") {
        Some(module) => matches!(module, b"capability" | b"ima"),
        None => !crate::unpack::is_overlays(name),
    }
}

fn read(
    list: impl Fn(&mut [u8]) -> Result<usize, Errno>,
    get: impl Fn(&CStr, &mut [u8]) -> Result<usize, Errno>,
) -> Result<Attributes, Errno> {
    let Some(names) = whole(&list)? else { return Ok(Vec::new()) };
    let mut found = Attributes::new();
    for name in
        names.split_inclusive(|byte| *byte == 0).filter_map(|name| CStr::from_bytes_with_nul(name).ok())
    {
        if !belongs(name.to_bytes()) {
            continue;
        }
        if let Some(value) = whole(&|value: &mut [u8]| get(name, value))? {
            found.push((name.to_bytes().to_owned(), value));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Everything that `read` has to say, however much it is. None: the file system knows no attributes, or it is gone.
fn whole(read: &impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Option<Vec<u8>>, Errno> {
    let mut small = [0; 512];
    match read(&mut small) {
        Ok(length) => return Ok(Some(small[..length].to_vec())),
        Err(Errno::RANGE) => {}
        Err(errno) => return absent(errno),
    }
    // The kernel's limit for both lists and values.
    let mut large = vec![0; 64 << 10];
    match read(&mut large) {
        Ok(length) => {
            large.truncate(length);
            Ok(Some(large))
        }
        Err(errno) => absent(errno),
    }
}

fn absent(errno: Errno) -> Result<Option<Vec<u8>>, Errno> {
    match errno {
        Errno::OPNOTSUPP | Errno::NODATA => Ok(None),
        other => Err(other),
    }
}
