//! A layer on its way into the store: unpacked under a temporary name, published by one rename.

use crate::error::at;
use crate::unpack::{Contents, Limits};
use crate::{LayerError, LayerId, Layers, Result, ingest};
use oci::Digest;
use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::fs::DirBuilder;
use std::io::BufRead;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A layer that is unpacked but not yet in the store. Dropped, it goes to the trash.
#[derive(Debug)]
pub struct Staged {
    layers: Layers,
    dir: PathBuf,
    diff_id: Digest,
    contents: Contents,
}

impl Layers {
    /// Unpacks a layer's tar stream, plain or compressed with gzip or zstd. Blocks, and uses a second thread.
    ///
    /// # Errors
    /// [`LayerError::Archive`], [`LayerError::Refused`], [`LayerError::Limit`] for an archive that is damaged or
    /// hostile, [`LayerError::Unpack`] where the host fails. Nothing stays then.
    pub fn unpack(&self, input: impl BufRead + Send, limits: Limits) -> Result<Staged> {
        let dir = self.make_stage()?;
        let discard = Discard { layers: self, dir: &dir };
        let root = make_dir(&dir.join(ROOT), 0o755)?;
        let aside = make_dir(&dir.join(ASIDE), 0o700)?;
        let (diff_id, contents) = ingest::ingest(input, root, aside, limits)?;
        std::mem::forget(discard);
        Ok(Staged { layers: self.clone(), dir, diff_id, contents })
    }

    /// An empty directory of a temporary name.
    pub(crate) fn make_stage(&self) -> Result<PathBuf> {
        loop {
            let dir = self.staging_dir().join(LayerId::random()?.as_str());
            match DirBuilder::new().mode(0o700).create(&dir) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                other => return other.map(|()| dir.clone()).map_err(at("create", &dir)),
            }
        }
    }
}

/// In a staging directory, what will be the layer.
pub(crate) const ROOT: &str = "fs";
const ASIDE: &str = "aside";

impl Staged {
    /// Digest of the uncompressed stream.
    pub fn diff_id(&self) -> &Digest {
        &self.diff_id
    }

    /// What the layer holds.
    pub fn contents(&self) -> Contents {
        self.contents
    }

    /// Deletes it now, not in the background: for whoever unpacks much and needs the space again for the next.
    pub fn delete(self) -> Result<()> {
        Ok(durable::remove_tree(&self.dir).map(drop)?)
    }

    pub(crate) fn layers(&self) -> &Layers {
        &self.layers
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Takes the place of the layer `id`, which is damaged or missing, in one step. The caller knows that it is mounted
    /// nowhere. Durable only after [`Layers::sync`].
    pub fn replace(self, id: &LayerId) -> Result<()> {
        let (from, to) = (self.dir.join(ROOT), self.layers.layer_dir(id));
        // What was there goes to the trash with the staging directory.
        let exchanged = fs::renameat_with(fs::CWD, &from, fs::CWD, &to, RenameFlags::EXCHANGE);
        let renamed = match exchanged {
            Err(Errno::NOENT) => fs::renameat_with(fs::CWD, &from, fs::CWD, &to, RenameFlags::NOREPLACE),
            other => other,
        };
        renamed.map_err(at("rename to", &to))
    }

    /// Gives the layer its place. Durable only after [`Layers::sync`]; a record may name it then.
    pub fn publish(self) -> Result<LayerId> {
        let from = self.dir.join(ROOT);
        loop {
            let id = LayerId::random()?;
            let to = self.layers.layer_dir(&id);
            match fs::renameat_with(fs::CWD, &from, fs::CWD, &to, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                other => return other.map(|()| id).map_err(at("rename to", &to)),
            }
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.layers.discard(&self.dir);
    }
}

/// Takes a staging directory away when unpacking into it fails.
struct Discard<'a> {
    layers: &'a Layers,
    dir: &'a Path,
}

impl Drop for Discard<'_> {
    fn drop(&mut self) {
        self.layers.discard(self.dir);
    }
}

/// The mode is exact whatever the umask.
fn make_dir(path: &Path, mode: u32) -> Result<OwnedFd> {
    DirBuilder::new().mode(0o700).create(path).map_err(at("create", path))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = fs::open(path, flags, Mode::empty()).map_err(at("open", path))?;
    fs::fchmod(&dir, Mode::from_raw_mode(mode)).map_err(at("chmod", path))?;
    Ok(dir)
}

impl LayerId {
    fn random() -> Result<Self, LayerError> {
        const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut bytes = [0_u8; 6];
        rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
            .map_err(at("read", Path::new("/dev/urandom")))?;
        let text: String = bytes.iter().map(|byte| LETTERS[usize::from(*byte) % 36] as char).collect();
        text.parse()
    }
}
