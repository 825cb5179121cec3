//! A whole root file system, as `docker export` gives it.

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
        let options = PackOptions { ids: self.ids(key)?, across_mounts: false };
        pack_contents(self.open_root(key)?, &options, output)
    }
}

/// Packs all that is in the directory `dir` under its own names, without an entry for the directory itself.
///
/// # Errors
/// [`crate::LayerError::Io`] where reading fails, [`crate::LayerError::Output`] where writing does.
pub fn pack_contents(dir: impl AsFd, options: &PackOptions, output: impl Write) -> Result<()> {
    let mut packer = Packer::new(dir.as_fd(), Names::plain(), options, Meaning::Files, output);
    packer.tree()?;
    packer.finish()
}
