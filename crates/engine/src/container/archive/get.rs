//! Files out of a container.

use super::files::Files;
use super::path::Asked;
use super::stat::{self, PathStat};
use super::{lookup, no_such_file};
use crate::Services;
use ::events::ContainerAction;
use errors::{Class, Error, Result};
use layers::{PackOptions, pack_directory, pack_file};
use rustix::fs::FileType;
use std::ffi::CString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// Something that was found, to be written as an archive.
#[derive(Debug)]
pub struct Get {
    /// What it is.
    pub stat: PathStat,
    files: Files,
    asked: Asked,
    options: PackOptions,
}

/// Finds a path of a container. A symbolic link is itself, unless a slash or a dot stands behind its name. Waits for no lock.
///
/// # Errors
/// `NotFound` for the container or the path, `Invalid` for a path below something that is no directory.
pub async fn get(services: &Arc<Services>, reference: &str, path: &str) -> Result<Get> {
    let container = services.containers.find(reference)?;
    let files = Files::to_read(services, &container, true).await?;
    let options = PackOptions { ids: services.images.ids(container.id().as_str())?, across_mounts: true };
    let asked = Asked::parse(path);
    let found = offload::blocking(move || -> Result<_> {
        let stat = stat::of(files.root(), &asked)?;
        Ok(stat.map(|stat| Get { stat, files, asked, options }))
    });
    let found = found.await?.ok_or_else(|| no_such_file(path, reference))?;
    services.events.publish(crate::container::event(&ContainerAction::ArchivePath, &container.record()));
    Ok(found)
}

impl Get {
    /// Writes the archive: the file, or the directory with what is in it, under the name that was asked for.
    ///
    /// # Errors
    /// Where reading or writing fails. What vanishes meanwhile is left out.
    pub async fn write(self, output: impl Write + Send + 'static) -> Result<()> {
        let written = offload::lasting("copy", move || {
            let packed = self.pack(output);
            self.files.leave();
            packed
        });
        let written = written.await;
        written.map_err(|error| Error::wrap(Class::Unavailable, error).context("start a thread"))?
    }

    fn pack(&self, output: impl Write) -> Result<()> {
        let root = self.files.root();
        if FileType::from_raw_mode(self.stat.mode) == FileType::Directory {
            let Some(directory) = lookup::directory(root, &self.asked.path)? else { return self.gone() };
            let name = self.asked.name();
            return Ok(pack_directory(directory, name.as_bytes(), &self.options, output)?);
        }
        let (parent, name) = self.asked.split();
        let Some(parent) = lookup::directory(root, parent)? else { return self.gone() };
        let name = CString::new(name.as_bytes()).map_err(|error| Error::wrap(Class::Invalid, error))?;
        if pack_file(parent, &name, &self.options, output)? { Ok(()) } else { self.gone() }
    }

    fn gone(&self) -> Result<()> {
        Err(Error::new(Class::NotFound, format!("{} is gone", self.asked.shown())))
    }
}
