//! How much disk a volume takes.

use crate::{Result, VolumeError};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Levels that are counted: one handle each is held, so a hostile tree must not be followed to its end.
const DEEPEST: usize = 500;

/// Bytes of disk below `path`, as `du -s` counts them: blocks, files with several names once, mounts below left out.
///
/// What disappears meanwhile is not counted. Blocks.
pub(crate) fn of(path: &Path) -> Result<u64> {
    measure(path).map_err(|error| VolumeError::Usage { path: path.to_owned(), source: error.into() })
}

fn measure(path: &Path) -> Result<u64, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut total = blocks(&rustix::fs::fstat(&root)?);
    let (mut seen, mut open) = (HashSet::new(), vec![Dir::new(root)?]);
    while let Some(dir) = open.last_mut() {
        let Some(entry) = dir.read().transpose()? else {
            open.pop();
            continue;
        };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(stat) = rustix::fs::statat(dir.fd()?, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let Ok(below) = descend(dir.fd()?.as_fd(), name) else { continue };
            total += blocks(&stat);
            if open.len() < DEEPEST {
                open.push(Dir::new(below)?);
            }
        } else if stat.st_nlink == 1 || seen.insert((stat.st_dev, stat.st_ino)) {
            total += blocks(&stat);
        }
    }
    Ok(total)
}

fn descend(parent: impl AsFd, name: &std::ffi::CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
    rustix::fs::openat2(parent, name, flags, Mode::empty(), resolve)
}

fn blocks(stat: &Stat) -> u64 {
    u64::try_from(stat.st_blocks).unwrap_or(0) * 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_du() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b/c")).unwrap();
        std::fs::write(dir.path().join("a/large"), vec![1; 100_000]).unwrap();
        std::fs::write(dir.path().join("a/b/small"), b"x").unwrap();
        std::fs::hard_link(dir.path().join("a/large"), dir.path().join("a/b/c/again")).unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("a/root")).unwrap();
        std::fs::File::create(dir.path().join("hole")).unwrap().set_len(1 << 30).unwrap();
        let du = std::process::Command::new("du").arg("-sB1").arg(dir.path()).output().unwrap();
        let du = String::from_utf8(du.stdout).unwrap();
        assert_eq!(of(dir.path()).unwrap().to_string(), du.split_whitespace().next().unwrap());
        assert_eq!(of(&dir.path().join("absent")).unwrap(), 0);
    }
}
