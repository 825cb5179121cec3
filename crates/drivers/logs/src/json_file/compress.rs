//! Compressing rotated files: the work of a process beside the writer's, never on the way of the application's output.

use super::files::{self, Identity};
use crate::Error;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rustix::fs::{FlockOperation, MemfdFlags, Mode, OFlags, flock, memfd_create};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Compresses every rotated file of the log at `path` that is not compressed yet. A writer may be at work: it is
/// kept from renaming only while this renames.
pub fn compress_rotated(path: &Path) -> Result<(), Error> {
    let failed = |cause| Error::io("compress log", path, cause);
    for rotated in files::rotated(path).map_err(failed)? {
        if !rotated.compressed {
            compress(path, &rotated.path).map_err(failed)?;
        }
    }
    Ok(())
}

fn compress(log: &Path, plain: &Path) -> io::Result<()> {
    let directory = files::directory(log);
    let mut source = match File::open(plain) {
        // The writer rotated it out of existence.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let identity = Identity::at(plain)?;
    let temporary = log.with_extension("log.compressing");
    let mut encoder = GzEncoder::new(File::create(&temporary)?, Compression::default());
    let compressed = io::copy(&mut source, &mut encoder).and_then(|_| encoder.finish()?.sync_all());
    let replaced = compressed.and_then(|()| replace(directory, log, identity, &temporary));
    if !matches!(replaced, Ok(true)) {
        // Not in the reader's way, and overwritten by the next attempt.
        let _ = fs::remove_file(&temporary);
    }
    replaced.map(drop)
}

/// Puts the compressed file in the place of the one it was made from, whatever that is called by now; whether it
/// still exists.
fn replace(directory: &Path, log: &Path, identity: Identity, temporary: &Path) -> io::Result<bool> {
    let lock = File::open(directory)?;
    flock(&lock, FlockOperation::LockExclusive)?;
    for rotated in files::rotated(log)? {
        if !rotated.compressed && Identity::at(&rotated.path)? == identity {
            fs::rename(temporary, files::name(log, rotated.number, true))?;
            fs::remove_file(&rotated.path)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// A compressed file of the log at `log` as a plain one without a name, which goes with its descriptor.
pub(super) fn inflate(compressed: &File, log: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let mut plain = match rustix::fs::open(files::directory(log), flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => File::from(file),
        // On a file system without such files, or a full one, in memory.
        Err(_) => File::from(memfd_create("log", MemfdFlags::CLOEXEC)?),
    };
    io::copy(&mut GzDecoder::new(compressed), &mut plain)?;
    Ok(plain)
}
