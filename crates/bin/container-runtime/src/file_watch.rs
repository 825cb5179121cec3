//! Files that are watched by their directories: they may be replaced, be links, or not be there yet.

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Symbolic links that are followed at most, as the kernel does.
const LINKS: usize = 40;

/// Readable once something happens in a directory on the way to one of the files.
pub(crate) fn watch(paths: &[PathBuf]) -> io::Result<OwnedFd> {
    let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let flags = WatchFlags::CLOSE_WRITE
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE
        | WatchFlags::MOVE_SELF;
    for directory in paths.iter().flat_map(|path| directories(path)) {
        inotify::add_watch(&watch, &directory, flags)?;
    }
    Ok(watch)
}

/// The directories that hold the file and the links on the way to it; where one is not there, the one that it will be made in.
fn directories(path: &Path) -> BTreeSet<PathBuf> {
    let mut directories = BTreeSet::new();
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let parent = path.parent().unwrap_or_else(|| Path::new("/"));
        directories.extend(parent.ancestors().find(|ancestor| ancestor.is_dir()).map(Path::to_owned));
        let Ok(target) = std::fs::read_link(&path) else { break };
        path = parent.join(target);
    }
    directories
}
