//! The whole root file system of a snapshot, as `docker export` gives it.

use super::names::Names;
use super::{Meaning, PackOptions, Packer};
use crate::{Layers, Result};
use rustix::fd::AsFd;
use std::io::Write;

impl Layers {
    /// Packs the root file system of a snapshot, layers and what the container wrote together, without what is mounted
    /// in it.
    ///
    /// # Errors
    /// [`crate::LayerError::Io`] where reading fails, [`crate::LayerError::Output`] where writing does.
    pub fn export(&self, key: &str, output: impl Write) -> Result<()> {
        let root = self.open_root(key)?;
        let options = PackOptions { ids: self.ids(key)?, across_mounts: false };
        let mut packer = Packer::new(root.as_fd(), Names::plain(), &options, Meaning::Files, output);
        packer.tree()?;
        packer.finish()
    }
}
