//! What a container changed, as a layer (OCI image specification, "Layer Filesystem Changeset").
//!
//! The writable directory says by itself what it hides, since it is mounted without what would make it depend on the
//! layers below: redirects, metadata-only copies, an index. See the mount's options.

use super::names::Names;
use super::{Meaning, PackOptions, Packer};
use crate::archive::{Entry, Kind, Time};
use crate::error::{at, shown};
use crate::unpack::{OPAQUE, WHITEOUT};
use crate::{LayerError, Layers, Result, walk};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{self, Stat};
use rustix::mount::{self, OpenTreeFlags};
use std::ffi::CStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Layers {
    /// Packs what the container `key` added, changed and deleted. Unpacked over the same layers it is the same tree.
    ///
    /// # Errors
    /// [`LayerError::Unpackable`] for a file whose name means a deletion in a layer. [`LayerError::Io`] where reading
    /// fails, [`LayerError::Output`] where writing does.
    pub fn pack_diff(&self, key: &str, output: impl Write) -> Result<()> {
        // Its link is what makes a snapshot.
        self.stack(key)?;
        let upper = self.snapshot_dir(key)?.join("upper");
        let root = read_only(&upper)?;
        let options = PackOptions { ids: self.ids(key)?, across_mounts: false };
        let mut packer = Packer::new(root.as_fd(), Names::with_root(), &options, Meaning::Layer, output);
        packer.tree()?;
        packer.finish()
    }
}

/// A mount of the directory, attached nowhere: no device in it can be opened, and reading leaves no traces.
fn read_only(dir: &Path) -> Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::OPEN_TREE_CLONE;
    let tree = mount::open_tree(fs::CWD, dir, flags).map_err(at("clone the mount of", dir))?;
    sys::mounts::restrict(tree.as_fd(), true).map_err(at("restrict the mount of", dir))?;
    Ok(tree)
}

impl<W: Write> Packer<'_, W> {
    /// An opaque directory hides what lower layers have in it.
    pub(super) fn opaque(&mut self, directory: &OwnedFd, path: &Path) -> Result<()> {
        let mut value = [0; 2];
        match fs::fgetxattr(directory, "trusted.overlay.opaque", &mut value) {
            Ok(1) if value[0] == b'y' => self.mark(&path.join(std::ffi::OsStr::from_bytes(OPAQUE)), path),
            _ => Ok(()),
        }
    }

    /// Whether it is overlay's mark for something that is gone, which then is written as a layer says it.
    pub(super) fn marker(&mut self, path: &Path, base: &CStr, stat: &Stat) -> Result<bool> {
        if walk::is_whiteout(stat) {
            let name = [WHITEOUT, base.to_bytes()].concat();
            self.mark(&path.with_file_name(std::ffi::OsStr::from_bytes(&name)), path)?;
            return Ok(true);
        }
        if base.to_bytes().starts_with(WHITEOUT) {
            return Err(LayerError::Unpackable { path: shown(path.as_os_str().as_bytes()) });
        }
        Ok(false)
    }

    fn mark(&mut self, name: &Path, of: &Path) -> Result<()> {
        let entry = Entry {
            path: self.names.of(name),
            link: Vec::new(),
            kind: Kind::File,
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: Time::default(),
            device: (0, 0),
            size: 0,
            sparse: None,
            xattrs: Vec::new(),
        };
        self.write(&entry, of)
    }
}
