//! Beginning to write a file's content to the disk, without waiting for it.

use rustix::fd::{AsFd, AsRawFd};
use std::io;

/// Begins to write the `length` bytes at `offset` of what the file has in memory to its device: `sync_file_range(2)`. Nothing
/// is durable by that; a `syncfs` later has less to do.
///
/// # Errors
/// `EIO`, `ENOSPC`, `ESPIPE` for what is no file. Whoever syncs later hears of these too.
pub fn begin(file: impl AsFd, offset: u64, length: u64) -> io::Result<()> {
    let out_of_range = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let offset = i64::try_from(offset).map_err(out_of_range)?;
    let length = i64::try_from(length).map_err(out_of_range)?;
    let file = file.as_fd().as_raw_fd();
    // SAFETY: the descriptor is open for as long as the call lasts; no memory of ours is referred to.
    match unsafe { libc::sync_file_range(file, offset, length, libc::SYNC_FILE_RANGE_WRITE) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::begin;
    use std::io::Write;

    #[test]
    fn a_file_can_be_written_back_and_a_pipe_cannot() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[1; 8192]).unwrap();
        begin(&file, 0, 8192).unwrap();
        let (reader, _writer) = std::io::pipe().unwrap();
        begin(&reader, 0, 1).unwrap_err();
        begin(&file, u64::MAX, 1).unwrap_err();
    }
}
