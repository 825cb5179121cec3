//! What a directory holds, one line for each entry: kind, mode, owner, device, size, time, content, target, attributes, links.

use rustix::fs::{AtFlags, CWD, FileType, Stat, lgetxattr, llistxattr, major, minor, statat};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The most that the kernel gives of a name list or a value.
const XATTR_MAX: usize = 65_536;

/// Entries by their path below the root (the root itself: `.`), with bytes that are no ASCII escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Reads all of a directory, the root itself included, without following links.
    ///
    /// # Errors
    /// What the system says of the first entry that cannot be read.
    pub fn of(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.add(root, ".", &mut HashMap::new())?;
        Ok(tree)
    }

    /// The other direction of [`Tree::text`].
    pub fn parse(text: &str) -> Self {
        let entries = text.lines().filter_map(|line| line.split_once('\t'));
        Self(entries.map(|(path, entry)| (path.to_owned(), entry.to_owned())).collect())
    }

    /// A line for each entry: path, tab, the rest.
    pub fn text(&self) -> String {
        self.0.iter().map(|(path, entry)| format!("{path}\t{entry}\n")).collect()
    }

    /// Whether there is such an entry.
    pub fn holds(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Takes an entry out.
    pub fn forget(&mut self, path: &str) {
        self.0.remove(path);
    }

    /// Takes the time out of an entry.
    pub fn forget_time(&mut self, path: &str) {
        if let Some(entry) = self.0.get_mut(path) {
            let words: Vec<_> = entry.split(' ').filter(|word| !word.starts_with("time=")).collect();
            *entry = words.join(" ");
        }
    }

    /// Lines that are in one only: `-` here, `+` in the other.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let only = |sign: &'static str, one: &Self, two: &Self| -> Vec<String> {
            let differs = |(path, entry): &(&String, &String)| two.0.get(*path) != Some(entry);
            one.0.iter().filter(differs).map(|(path, entry)| format!("{sign}{path} {entry}")).collect()
        };
        [only("-", self, other), only("+", other, self)].concat()
    }

    /// `seen`: the first path of each file with several, by device and inode.
    fn add(&mut self, path: &Path, name: &str, seen: &mut HashMap<(u64, u64), String>) -> io::Result<()> {
        let stat = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let mut entry = common(kind, &stat);
        match kind {
            FileType::RegularFile => entry.push_str(&format!(" size={} {}", stat.st_size, content(path)?)),
            FileType::Symlink => {
                entry
                    .push_str(&format!(" to={}", fs::read_link(path)?.as_os_str().as_bytes().escape_ascii()));
            }
            FileType::BlockDevice | FileType::CharacterDevice => {
                entry.push_str(&format!(" device={}:{}", major(stat.st_rdev), minor(stat.st_rdev)));
            }
            _ => {}
        }
        entry.push_str(&attributes(path)?);
        if kind != FileType::Directory && stat.st_nlink > 1 {
            let first = seen.entry((stat.st_dev, stat.st_ino)).or_insert_with(|| name.to_owned());
            entry.push_str(&format!(" links={} first={first}", stat.st_nlink));
        }
        self.0.insert(name.to_owned(), entry);
        if kind == FileType::Directory {
            // In one order, so that "first" means the same everywhere.
            let mut names =
                fs::read_dir(path)?.map(|e| Ok(e?.file_name())).collect::<io::Result<Vec<_>>>()?;
            names.sort();
            for child in names {
                let escaped = child.as_bytes().escape_ascii().to_string();
                let below = if name == "." { escaped } else { format!("{name}/{escaped}") };
                self.add(&path.join(child), &below, seen)?;
            }
        }
        Ok(())
    }
}

fn common(kind: FileType, stat: &Stat) -> String {
    let Stat { st_mode, st_uid, st_gid, st_mtime, st_mtime_nsec, .. } = stat;
    format!("{kind:?} {:o} {st_uid}:{st_gid} time={st_mtime}.{st_mtime_nsec:09}", st_mode & 0o7777)
}

fn content(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hex::encode(hash.finalize()))
}

/// Extended attributes, those of a security module of the host's aside.
fn attributes(path: &Path) -> io::Result<String> {
    let mut names = vec![0_u8; XATTR_MAX];
    let length = llistxattr(path, &mut names)?;
    let mut found: Vec<_> =
        names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
    found.retain(|name| !name.starts_with(b"security.") || *name == b"security.capability");
    found.sort_unstable();
    let mut text = String::new();
    for name in found {
        let mut value = vec![0_u8; XATTR_MAX];
        let length = lgetxattr(path, name, &mut value)?;
        text.push_str(&format!(" {}={}", name.escape_ascii(), hex::encode(&value[..length])));
    }
    Ok(text)
}
