//! What to mount for a snapshot, and reading inside it without mounting it anywhere.

use crate::error::at;
use crate::overlay::{OPTIONS, Overlay};
use crate::snapshot::topmost_first;
use crate::{LayerError, LayerId, Layers, Result};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::{self, OpenTreeFlags};
use spec::id_map_list;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The arguments of a mount, for whoever makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// `overlay`.
    pub fstype: String,
    /// `overlay`.
    pub source: String,
    /// In `mount(8)`'s spelling. Longer than a page of 4096 bytes for many layers below a long root: then the new
    /// mount interface takes them, `lowerdir` split at its colons into one `lowerdir+` each. `uidmap` and `gidmap` are not
    /// the kernel's but, as with containerd, ask for lower layers with mapped ids.
    pub options: Vec<String>,
}

impl Layers {
    /// What to mount as the root file system of a snapshot.
    pub fn rootfs(&self, key: &str) -> Result<Mount> {
        let dir = self.snapshot_dir(key)?;
        let list: Vec<String> = self.stack(key)?.iter().map(|path| escaped(path)).collect();
        let mut options = vec![
            format!("lowerdir={}", list.join(":")),
            format!("upperdir={}", dir.join("upper").display()),
            format!("workdir={}", dir.join("work").display()),
        ];
        options.extend(OPTIONS.iter().map(|option| (*option).to_owned()));
        if let Some(ids) = self.ids(key)? {
            options.push(format!("uidmap={}", id_map_list(&ids.uids)));
            options.push(format!("gidmap={}", id_map_list(&ids.gids)));
        }
        Ok(Mount { fstype: "overlay".to_owned(), source: "overlay".to_owned(), options })
    }

    /// The root file system of a snapshot, read-only and mounted nowhere: it goes with the descriptor.
    ///
    /// It shows what the container has written up to now; what it writes later may or may not appear.
    pub fn open_root(&self, key: &str) -> Result<OwnedFd> {
        let mut stack = vec![self.snapshot_dir(key)?.join("upper")];
        stack.extend(self.stack(key)?);
        self.read_only(&stack)
    }

    /// Tries whether a layer can appear with the ids that the user namespace `user` maps: the kernel and the file system
    /// have to know how.
    pub fn try_ids(&self, user: BorrowedFd<'_>) -> Result<()> {
        let root = self.inner.root.join("e/1");
        let flags = OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::OPEN_TREE_CLONE;
        let tree = mount::open_tree(fs::CWD, &root, flags).map_err(at("clone the mount of", &root))?;
        sys::mounts::map_ids(tree.as_fd(), user).map_err(at("map the ids of files in", &root))
    }

    /// What is below a snapshot, read-only and mounted nowhere.
    pub(crate) fn open_lower(&self, key: &str) -> Result<OwnedFd> {
        let mut stack = self.stack(key)?;
        stack.push(self.inner.root.join("e/2"));
        self.read_only(&stack)
    }

    /// The read-only stack of `layers`, lowest first, mounted nowhere.
    pub fn open_layers(&self, layers: &[LayerId]) -> Result<OwnedFd> {
        let unique: Vec<LayerId> = topmost_first(layers).into_iter().cloned().collect();
        let mut stack = self.lower_dirs(&unique);
        if stack.len() == 1 {
            stack.push(self.inner.root.join("e/2"));
        }
        self.read_only(&stack)
    }

    /// An overlay of directories, topmost first.
    pub(crate) fn read_only(&self, stack: &[PathBuf]) -> Result<OwnedFd> {
        Overlay { root: &self.inner.root, lower: stack, upper: None }.detached()
    }

    /// Directories of layers, in the same order; the empty one if there are none.
    fn lower_dirs(&self, layers: &[LayerId]) -> Vec<PathBuf> {
        if layers.is_empty() {
            return vec![self.inner.root.join("e/1")];
        }
        layers.iter().map(|id| self.layer_dir(id)).collect()
    }
}

/// Colons separate layers, unless a backslash stands before them.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace('\\', "\\\\").replace(':', "\\:")
}

/// Reads the regular file at `path` inside `root`, whose symbolic links lead nowhere else. None: it does not exist.
///
/// # Errors
/// [`LayerError::Unreadable`] if it is no regular file or has more than `limit` bytes.
pub fn read_in_root(root: impl AsFd, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
    let unreadable = |reason| LayerError::Unreadable { path: path.to_owned(), reason };
    // Without O_NONBLOCK a pipe would hold us up before it can be recognised.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let file = match fs::openat2(root, path, flags, Mode::empty(), resolve) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(Errno::LOOP) => return Err(unreadable("too many symbolic links")),
        other => other.map_err(at("open", Path::new(path)))?,
    };
    let stat = fs::fstat(&file).map_err(at("stat", Path::new(path)))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(unreadable("not a regular file"));
    }
    let mut content = Vec::new();
    let read = File::from(file).take(limit.saturating_add(1)).read_to_end(&mut content);
    read.map_err(at("read", Path::new(path)))?;
    if content.len() as u64 > limit { Err(unreadable("too large")) } else { Ok(Some(content)) }
}
