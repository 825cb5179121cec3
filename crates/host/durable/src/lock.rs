//! A lock file that says who holds it.

use crate::{FileError, at};
use errors::{Class, Classified};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Why a lock was not got.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or this one, holds it.
    #[error("{path} is locked by {}", holder(*.pid))]
    AlreadyHeld {
        /// The lock file.
        path: PathBuf,
        /// Its holder, unless it has just begun to write its number there.
        pid: Option<u32>,
    },
    /// The file cannot be opened or written.
    #[error(transparent)]
    File(#[from] FileError),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl Classified for LockError {
    fn class(&self) -> Class {
        match self {
            Self::AlreadyHeld { .. } => Class::Conflict,
            Self::File(error) => error.class(),
        }
    }
}

/// How long a dead holder's lock is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// An exclusive `flock(2)` on a file that holds its owner's process id.
///
/// The kernel drops the lock when the process ends, however it ends; the file itself stays, since removing it would
/// let two processes hold locks on two files of the same name.
#[derive(Debug)]
pub struct LockFile {
    file: File,
    path: PathBuf,
}

impl LockFile {
    /// Takes the lock at once or says who has it.
    ///
    /// A holder that was just killed keeps the lock until the last of its threads is gone, and may have been starting a program:
    /// the child keeps the lock from its fork to its exec. So a lock whose holder is dead is waited for, for a moment; likewise one
    /// without a name in it: its holder has only just begun, or ended, or was killed in between.
    pub fn acquire(path: &Path) -> Result<Self, LockError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let opened = rustix::fs::open(path, flags, Mode::from_raw_mode(0o644)).map_err(at("open", path))?;
        let mut file = File::from(opened);
        let begin = Instant::now();
        while let Err(error) = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != Errno::WOULDBLOCK {
                return Err(at("lock", path)(error).into());
            }
            let pid = read_pid(&mut file);
            if pid.is_some_and(|pid| !sys::process::is_ending(pid)) || begin.elapsed() > GRACE {
                return Err(LockError::AlreadyHeld { path: path.to_owned(), pid });
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        file.set_len(0).map_err(at("write", path))?;
        writeln!(file, "{}", std::process::id()).map_err(at("write", path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Nobody shall be told of a holder that is gone; the kernel drops the lock itself.
        let _ = self.file.set_len(0);
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_to_ask_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = LockFile::acquire(&path).unwrap();
        let LockError::AlreadyHeld { pid, .. } = LockFile::acquire(&path).unwrap_err() else {
            panic!("locked twice")
        };
        assert_eq!(pid, Some(std::process::id()));
        drop(held);
        LockFile::acquire(&path).unwrap();
    }

    #[test]
    fn a_lock_is_waited_for_while_its_holder_dies() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let mut zombie = std::process::Command::new("true").spawn().unwrap();
        let begin = Instant::now();
        while !sys::process::has_ended(zombie.id()) && begin.elapsed() < GRACE {
            std::thread::yield_now();
        }
        std::fs::write(&path, format!("{}\n", zombie.id())).unwrap();
        let last_thread = File::open(&path).unwrap();
        rustix::fs::flock(&last_thread, FlockOperation::LockExclusive).unwrap();
        let gone = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            drop(last_thread);
        });
        LockFile::acquire(&path).unwrap();
        gone.join().unwrap();
        zombie.wait().unwrap();
    }

    #[test]
    fn a_shorter_pid_replaces_a_longer_one_entirely() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        std::fs::write(&path, "4194304999\n").unwrap();
        let _held = LockFile::acquire(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    }
}
