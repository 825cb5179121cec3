//! Snapshots: the writable directories of containers.

use crate::error::at;
use crate::{LayerError, LayerId, Layers, Result, names};
use rustix::fs::{self, Gid, Mode, Uid};
use rustix::io::Errno;
use spec::IdMaps;
use std::collections::HashSet;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Symbolic link in a snapshot's directory, whose target is the map of its ids.
const IDS: &str = "ids";

/// Marks the name of an init layer among ids.
const INIT: char = '~';

/// As many as docker stacks; the kernel itself takes 500.
const MAX_LAYERS: usize = 128;

impl Layers {
    /// Makes the writable directories of `key` on top of `layers`, lowest first.
    ///
    /// The directory appears under its name with one rename, complete, so that a crash leaves a snapshot or none. It is on disk
    /// when the file system next commits its journal, which syncing the container's record brings about.
    pub fn prepare(&self, key: &str, layers: &[LayerId]) -> Result<()> {
        self.prepare_mapped(key, layers, None)
    }

    /// The same for a container whose ids are others on the host. Its own files have the host's; those of the layers stay
    /// as they are, for every map, and appear mapped where the snapshot is mounted.
    pub fn prepare_mapped(&self, key: &str, layers: &[LayerId], ids: Option<&IdMaps>) -> Result<()> {
        if layers.len() > MAX_LAYERS {
            return Err(LayerError::TooManyLayers { count: layers.len(), limit: MAX_LAYERS });
        }
        let dir = self.snapshot_dir(key)?;
        match DirBuilder::new().mode(0o700).create(&dir) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(LayerError::Exists { key: key.to_owned() });
            }
            other => other.map_err(at("create", &dir))?,
        }
        self.fill(&dir, layers, ids).inspect_err(|_| self.discard(&dir))
    }

    fn fill(&self, dir: &Path, layers: &[LayerId], ids: Option<&IdMaps>) -> Result<()> {
        let (upper, work, lower) = (dir.join("upper"), dir.join("work"), dir.join("lower"));
        for path in [&upper, &work] {
            DirBuilder::new().mode(0o700).create(path).map_err(at("create", path))?;
        }
        self.copy_root(layers.last(), &upper, ids)?;
        if let Some(ids) = ids {
            let path = dir.join(IDS);
            std::os::unix::fs::symlink(ids.to_string(), &path).map_err(at("create", &path))?;
        }
        let mut list = vec![format!("{INIT}{}", self.init(layers)?)];
        list.extend(topmost_first(layers).into_iter().map(LayerId::to_string));
        let target = list.join(":");
        std::os::unix::fs::symlink(target, &lower).map_err(at("create", &lower))
    }

    /// The container's root directory is the upper one: it gets owner and mode of the image's.
    fn copy_root(&self, topmost: Option<&LayerId>, upper: &Path, ids: Option<&IdMaps>) -> Result<()> {
        let (mode, (uid, gid)) = match topmost {
            None => (0o755, (0, 0)),
            Some(id) => {
                let path = self.layer_dir(id);
                let stat = std::fs::metadata(&path).map_err(at("stat", &path))?;
                (stat.mode() & 0o7777, (stat.uid(), stat.gid()))
            }
        };
        let (uid, gid) = ids.map_or((uid, gid), |ids| ids.on_host(uid, gid));
        if (uid, gid) != (0, 0) {
            fs::chown(upper, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
                .map_err(at("chown", upper))?;
        }
        fs::chmod(upper, Mode::from_raw_mode(mode)).map_err(at("chmod", upper))
    }

    /// Gives up a snapshot: one rename, the deletion comes later. One that does not exist is no error.
    pub fn release(&self, key: &str) -> Result<()> {
        Ok(self.inner.trash.discard(&self.snapshot_dir(key)?)?)
    }

    /// The keys of all snapshots.
    pub fn snapshots(&self) -> Result<Vec<String>> {
        names(&self.inner.root.join("c"))
    }

    /// The layers below a snapshot, topmost first.
    pub fn lower(&self, key: &str) -> Result<Vec<LayerId>> {
        self.link(key)?.split(':').filter(|id| !id.starts_with(INIT)).map(str::parse).collect()
    }

    /// All directories below a snapshot, topmost first.
    pub fn stack(&self, key: &str) -> Result<Vec<PathBuf>> {
        let dir = |id: &str| match id.strip_prefix(INIT) {
            Some(name) => Ok(self.init_dir(name)),
            None => id.parse().map(|id| self.layer_dir(&id)),
        };
        self.link(key)?.split(':').map(dir).collect()
    }

    /// The ids on the host of a snapshot's container; none: they are the container's own.
    pub fn ids(&self, key: &str) -> Result<Option<IdMaps>> {
        let path = self.snapshot_dir(key)?.join(IDS);
        let target = match fs::readlink(&path, Vec::new()) {
            Err(Errno::NOENT) => return Ok(None),
            other => other.map_err(at("read", &path))?,
        };
        let text = target.to_string_lossy();
        let parsed =
            text.parse().map_err(|_| LayerError::BadIds { key: key.to_owned(), text: text.into_owned() });
        parsed.map(Some)
    }

    /// What [`Layers::prepare`] has written down.
    fn link(&self, key: &str) -> Result<String> {
        let path = self.snapshot_dir(key)?.join("lower");
        let target = match fs::readlink(&path, Vec::new()) {
            Err(Errno::NOENT) => return Err(LayerError::NotFound { key: key.to_owned() }),
            other => other.map_err(at("read", &path))?,
        };
        Ok(target.to_string_lossy().into_owned())
    }

    /// The directory of a snapshot: `upper` and `work` are in it.
    ///
    /// # Errors
    /// [`LayerError::BadKey`] if `key` could be anything but a plain file name.
    pub fn snapshot_dir(&self, key: &str) -> Result<PathBuf> {
        let sound = !key.is_empty()
            && key.len() <= 128
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !sound {
            return Err(LayerError::BadKey { key: key.to_owned() });
        }
        Ok(self.inner.root.join("c").join(key))
    }
}

/// A stack without repetitions. The kernel refuses a layer that is there twice; what the upper one of two equal layers
/// has or hides, the lower one cannot change.
pub(crate) fn topmost_first(layers: &[LayerId]) -> Vec<&LayerId> {
    let mut seen = HashSet::new();
    layers.iter().rev().filter(|id| seen.insert(*id)).collect()
}
