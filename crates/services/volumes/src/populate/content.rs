//! A file's bytes, without its holes.

use rustix::fs::SeekFrom;
use rustix::io::Errno;
use std::os::fd::OwnedFd;

/// At most so many bytes in one call, so that a call ends in a foreseeable time.
const STEP: usize = 64 << 20;

/// Copies all data of `from` to the empty file `to`, each piece to the same place.
pub(super) fn copy(from: &OwnedFd, to: &OwnedFd) -> Result<(), Errno> {
    let end = rustix::fs::seek(from, SeekFrom::End(0))?;
    let mut at = 0;
    while at < end {
        let data = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Ok(data) => data,
            // Nothing but a hole follows.
            Err(Errno::NXIO) => break,
            // A file system that knows no holes.
            Err(Errno::INVAL) => at,
            Err(error) => return Err(error),
        };
        let hole = rustix::fs::seek(from, SeekFrom::Hole(data)).unwrap_or(end);
        copy_range(from, to, data, hole)?;
        at = hole;
    }
    rustix::fs::ftruncate(to, end)
}

fn copy_range(from: &OwnedFd, to: &OwnedFd, mut start: u64, end: u64) -> Result<(), Errno> {
    while start < end {
        let length = usize::try_from(end - start).unwrap_or(STEP).min(STEP);
        let (mut read, mut write) = (start, start);
        match rustix::fs::copy_file_range(from, Some(&mut read), to, Some(&mut write), length) {
            // It got shorter meanwhile.
            Ok(0) => return Ok(()),
            Ok(copied) => start += copied as u64,
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                return copy_by_hand(from, to, start, end);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn copy_by_hand(from: &OwnedFd, to: &OwnedFd, mut start: u64, end: u64) -> Result<(), Errno> {
    let mut buffer = vec![0; 128 << 10];
    while start < end {
        let length = usize::try_from(end - start).unwrap_or(usize::MAX).min(buffer.len());
        let read = rustix::io::pread(from, &mut buffer[..length], start)?;
        if read == 0 {
            return Ok(());
        }
        let mut written = 0;
        while written < read {
            written += rustix::io::pwrite(to, &buffer[written..read], start + written as u64)?;
        }
        start += read as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::unix::fs::{FileExt, MetadataExt};

    #[test]
    fn bytes_and_holes_arrive_by_either_way() {
        let dir = tempfile::tempdir().unwrap();
        let from = File::create_new(dir.path().join("from")).unwrap();
        from.write_all_at(b"begin", 0).unwrap();
        from.write_all_at(&[7; 300_000], 4 << 20).unwrap();
        from.set_len(64 << 20).unwrap();
        let from = OwnedFd::from(File::open(dir.path().join("from")).unwrap());
        let by_hand: fn(&OwnedFd, &OwnedFd) -> Result<(), Errno> =
            |from, to| copy_by_hand(from, to, 0, 5 << 20);
        for (name, way) in
            [("kernel", copy as fn(&OwnedFd, &OwnedFd) -> Result<(), Errno>), ("hand", by_hand)]
        {
            let path = dir.path().join(name);
            way(&from, &OwnedFd::from(File::create_new(&path).unwrap())).unwrap();
            let to = File::open(&path).unwrap();
            let mut bytes = vec![0; 300_000];
            to.read_exact_at(&mut bytes, 4 << 20).unwrap();
            assert!(bytes.iter().all(|byte| *byte == 7), "{name}");
            to.read_exact_at(&mut bytes[..6], 0).unwrap();
            assert_eq!(&bytes[..6], b"begin\0");
        }
        let copy = dir.path().join("kernel").metadata().unwrap();
        assert_eq!(copy.len(), 64 << 20);
        assert!(copy.blocks() * 512 < 1 << 20, "the holes were filled");
    }
}
