//! Whether a layer's directory still is what its archive unpacks to.
//!
//! The archive is unpacked once more, beside the layer, and the two trees are walked side by side, contents and all: what
//! a power cut or a failing disk leaves is as likely a file full of zeros as one of another size. The layer is read from the disk,
//! not from the cache, as far as the kernel lets go of it.

use crate::error::{at, shown};
use crate::pack::attributes;
use crate::stage::ROOT;
use crate::{LayerId, Result, Staged, walk};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{self, Advice, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashSet};
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many differences are told.
const TOLD: usize = 3;
const PIECE: usize = 128 << 10;

/// How a layer differs from its archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// The first few: `usr/bin/env is missing`.
    pub first: Vec<String>,
    /// How many in all. What is below a missing directory counts as one.
    pub count: usize,
}

impl Staged {
    /// Compares the directory of the layer `id` with what was unpacked here.
    ///
    /// # Errors
    /// [`crate::LayerError::Io`] if what was unpacked here cannot be read, or there is no such layer. What cannot be read
    /// of the layer is a difference.
    pub fn compare(&self, id: &LayerId) -> Result<Differences> {
        let (expected, found) = (self.dir().join(ROOT), self.layers().layer_dir(id));
        let mut comparison = Comparison {
            expected: walk::open_root(&expected).map_err(at("open", &expected))?,
            found: walk::open_root(&found).map_err(at("open", &found))?,
            linked: HashSet::new(),
            differences: Differences::default(),
        };
        comparison.trees().map_err(at("read", &expected))?;
        Ok(comparison.differences)
    }
}

struct Comparison {
    expected: OwnedFd,
    found: OwnedFd,
    /// Files with several names whose content has been compared.
    linked: HashSet<u64>,
    differences: Differences,
}

impl Comparison {
    fn trees(&mut self) -> Result<(), Errno> {
        let roots = (walk::stat(&self.expected, Path::new(""))?, walk::stat(&self.found, Path::new(""))?);
        self.attributes(Path::new(""), &roots.0, &roots.1);
        let mut open = vec![PathBuf::new()];
        while let Some(dir) = open.pop() {
            let expected: BTreeMap<PathBuf, Stat> = walk::list(&self.expected, &dir)?.into_iter().collect();
            let mut found: BTreeMap<PathBuf, Stat> = match walk::list(&self.found, &dir) {
                Ok(list) => list.into_iter().collect(),
                Err(errno) => {
                    self.differ(&dir, format!("cannot be read: {}", io::Error::from(errno)));
                    continue;
                }
            };
            for (path, wanted) in expected {
                match found.remove(&path) {
                    None => self.differ(&path, "is missing"),
                    Some(stat) if self.attributes(&path, &wanted, &stat) && walk::is_dir(&wanted) => {
                        open.push(path)
                    }
                    Some(stat) => self.content(&path, &wanted, &stat)?,
                }
            }
            for path in found.into_keys() {
                self.differ(&path, "does not belong there");
            }
        }
        Ok(())
    }

    /// Whether both are of one kind. Times of directories are not compared: those that an archive does not mention have the
    /// time at which they were unpacked. Nor are those of marks for what is deleted.
    fn attributes(&mut self, path: &Path, expected: &Stat, found: &Stat) -> bool {
        let kind = |stat: &Stat| FileType::from_raw_mode(stat.st_mode);
        if kind(expected) != kind(found) {
            self.differ(path, format!("is {}, expected {}", named(kind(found)), named(kind(expected))));
            return false;
        }
        let owner = |stat: &Stat| (stat.st_uid, stat.st_gid);
        let timed = !walk::is_dir(expected) && !walk::is_whiteout(expected);
        let time = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec);
        if expected.st_mode != found.st_mode {
            let mode = |stat: &Stat| stat.st_mode & 0o7777;
            self.differ(path, format!("has mode {:04o}, expected {:04o}", mode(found), mode(expected)));
        } else if owner(expected) != owner(found) {
            let ((uid, gid), (wanted_uid, wanted_gid)) = (owner(found), owner(expected));
            self.differ(path, format!("belongs to {uid}:{gid}, expected {wanted_uid}:{wanted_gid}"));
        } else if expected.st_rdev != found.st_rdev {
            self.differ(path, "is another device");
        } else if timed && time(expected) != time(found) {
            self.differ(path, "was modified at another time");
        } else if !self.same_marks(path) {
            self.differ(path, "has other extended attributes");
        }
        true
    }

    /// Extended attributes, those of the overlay file system that layers may have included.
    fn same_marks(&self, path: &Path) -> bool {
        marks(&self.expected, path) == marks(&self.found, path)
    }

    /// What only files and links have.
    fn content(&mut self, path: &Path, expected: &Stat, found: &Stat) -> Result<(), Errno> {
        match FileType::from_raw_mode(expected.st_mode) {
            FileType::Symlink => {
                let target = |root: &OwnedFd| fs::readlinkat(root, path, Vec::new());
                if target(&self.expected)? != target(&self.found).unwrap_or_default() {
                    self.differ(path, "links to something else");
                }
            }
            FileType::RegularFile if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile => {}
            FileType::RegularFile if expected.st_size != found.st_size => {
                self.differ(path, format!("has {} bytes, expected {}", found.st_size, expected.st_size));
            }
            FileType::RegularFile if expected.st_nlink > 1 && !self.linked.insert(expected.st_ino) => {}
            FileType::RegularFile => {
                let wanted = open(&self.expected, path)?;
                let problem = open(&self.found, path).map_err(io::Error::from).and_then(|file| {
                    // Advice: where the kernel does not take it, the cache is compared.
                    let _ = fs::fadvise(&file, 0, None, Advice::DontNeed);
                    first_difference(wanted, file)
                });
                match problem {
                    Ok(None) => {}
                    Ok(Some(problem)) => self.differ(path, problem),
                    Err(error) => self.differ(path, format!("cannot be read: {error}")),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn differ(&mut self, path: &Path, how: impl AsRef<str>) {
        self.differences.count += 1;
        if self.differences.first.len() < TOLD {
            let name = if path.as_os_str().is_empty() { b"/" } else { path.as_os_str().as_bytes() };
            self.differences.first.push(format!("{} {}", shown(name), how.as_ref()));
        }
    }
}

fn open(root: impl AsFd, path: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    Ok(fs::openat(root, path, flags, Mode::empty())?.into())
}

/// Two files of one size.
fn first_difference(mut expected: File, mut found: File) -> io::Result<Option<String>> {
    let (mut wanted, mut bytes, mut position) = (vec![0; PIECE], vec![0; PIECE], 0);
    loop {
        let count = expected.read(&mut wanted)?;
        if count == 0 {
            return Ok(None);
        }
        found.read_exact(&mut bytes[..count])?;
        if wanted[..count] != bytes[..count] {
            let equal = wanted.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
            let zeros = bytes[equal..count].iter().all(|byte| *byte == 0);
            let what = if zeros { "zeros" } else { "other content" };
            return Ok(Some(format!("has {what} from byte {} on", position + equal)));
        }
        position += count;
    }
}

/// All extended attributes that came out of an archive, or that stand for something in it.
fn marks(root: &OwnedFd, path: &Path) -> Option<attributes::Attributes> {
    let dir = walk::open_dir(root, path.parent().unwrap_or(path)).ok()?;
    let base = CString::new(path.file_name().map_or(b".".as_slice(), OsStrExt::as_bytes)).ok()?;
    let mut marks = attributes::of_named(dir.as_fd(), &base).ok()?;
    let mut value = [0_u8; 2];
    let opened = walk::open_dir(root, path);
    if opened.is_ok_and(|dir| fs::fgetxattr(dir, "trusted.overlay.opaque", &mut value) == Ok(1)) {
        marks.push((b"trusted.overlay.opaque".to_vec(), value.to_vec()));
    }
    Some(marks)
}

fn named(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "a file",
        FileType::Directory => "a directory",
        FileType::Symlink => "a symbolic link",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::Unknown => "something unknown",
    }
}
