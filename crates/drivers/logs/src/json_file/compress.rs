//! Compressing rotated files: the work of a process beside the writer's, never on the way of the application's output.

use super::files::{self, Identity};
use crate::Error;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rustix::fs::{FlockOperation, MemfdFlags, Mode, OFlags, flock, memfd_create};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::{self, Seek};
use std::path::Path;

/// Compresses every rotated file of the log at `path` that is not compressed yet. A writer may be at work: it is
/// kept from renaming only while this renames.
pub fn compress_rotated(path: &Path) -> Result<(), Error> {
    let failed = |cause| Error::io("compress log", path, cause);
    for rotated in files::rotated(path).map_err(failed)? {
        if !rotated.compressed && !compress(path, &rotated.path).map_err(failed)? {
            break;
        }
    }
    Ok(())
}

/// False: another one is at work on this log.
fn compress(log: &Path, plain: &Path) -> io::Result<bool> {
    let directory = files::directory(log);
    let mut source = match File::open(plain) {
        // The writer rotated it out of existence.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        other => other?,
    };
    let identity = Identity::of(&source.metadata()?);
    let path = log.with_extension("log.compressing");
    let Some(temporary) = own(&path)? else { return Ok(false) };
    let mut encoder = GzEncoder::new(&temporary, Compression::default());
    let compressed = io::copy(&mut source, &mut encoder).and_then(|_| encoder.finish()?.sync_all());
    let replaced = compressed.and_then(|()| replace(directory, log, identity, &path));
    if !matches!(replaced, Ok(true)) {
        // Not in the reader's way, and overwritten by the next attempt.
        let _ = fs::remove_file(&path);
    }
    replaced.map(|_| true)
}

/// Opens the temporary file, empty, for as long as the descriptor lives only here. None: it is another's, who was started
/// by an earlier run of the same container; what that leaves is compressed after the next rotation.
fn own(path: &Path) -> io::Result<Option<File>> {
    let file = File::options().write(true).create(true).truncate(false).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Ok(None),
        locked => locked?,
    }
    // Its owner may have finished it since it was opened, and it be a file of the log.
    match Identity::at(path) {
        Ok(now) if now == Identity::of(&file.metadata()?) => {}
        _ => return Ok(None),
    }
    file.set_len(0)?;
    Ok(Some(file))
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
    let on_disk = rustix::fs::open(files::directory(log), flags, Mode::RUSR | Mode::WUSR);
    let inflated = on_disk.map_err(io::Error::from).and_then(|plain| inflate_into(compressed, plain.into()));
    // On a file system without such files, or a full one, in memory.
    inflated.or_else(|_| inflate_into(compressed, memfd_create("log", MemfdFlags::CLOEXEC)?.into()))
}

fn inflate_into(mut compressed: &File, mut plain: File) -> io::Result<File> {
    compressed.rewind()?;
    io::copy(&mut GzDecoder::new(compressed), &mut plain)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn one_compressor_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("x-json.log");
        let (plain, temporary) = (files::name(&log, 1, false), log.with_extension("log.compressing"));
        fs::write(&plain, "a line\n").unwrap();
        fs::write(&temporary, "what a crash left, which is longer than what comes").unwrap();
        let other = own(&temporary).unwrap().unwrap();
        compress_rotated(&log).unwrap();
        assert!(plain.exists() && temporary.exists());
        drop(other);
        compress_rotated(&log).unwrap();
        assert!(!plain.exists() && !temporary.exists());
        let mut text = String::new();
        let mut compressed = GzDecoder::new(File::open(files::name(&log, 1, true)).unwrap());
        compressed.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a line\n");
    }

    #[test]
    fn where_the_disk_is_full_all_of_it_is_in_memory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("1.gz");
        let text: String = (0..100_000).map(|number| format!("{number}\n")).collect();
        let mut encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        io::copy(&mut text.as_bytes(), &mut encoder).unwrap();
        encoder.finish().unwrap();
        let compressed = File::open(&path).unwrap();
        let full = File::options().write(true).open("/dev/full").unwrap();
        assert!(inflate_into(&compressed, full).is_err());
        let memory = memfd_create("log", MemfdFlags::CLOEXEC).unwrap();
        let mut plain = inflate_into(&compressed, memory.into()).unwrap();
        plain.rewind().unwrap();
        assert_eq!(io::read_to_string(plain).unwrap(), text);
    }
}
