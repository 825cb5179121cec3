//! The state store: which one the settings name, and the ways from one to another.
//!
//! What there is in the root directory says which store is in use; settings that name another one are refused, as an engine that
//! began with an empty store would take every container, image and volume on its disk for nobody's.

mod copy;
mod etcd;
mod injected;

pub use copy::{Imported, Migrated, import, migrate};

use crate::Services;
use config::{Settings, StateDriver};
use errors::{Class, Error, Result};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Migration, StateStore};

/// Steps from each schema of the records to the next.
const MIGRATIONS: &[Migration] = &[];

/// What a driver has in the root directory: its records, or a note where they are.
fn place(settings: &Settings, driver: StateDriver) -> PathBuf {
    settings.runtime.root_dir.join(match driver {
        StateDriver::Redb => "state.redb",
        StateDriver::File => "state.files",
        StateDriver::Etcd => "state.etcd",
    })
}

/// The drivers that have something in the root directory.
fn present(settings: &Settings) -> Result<Vec<StateDriver>> {
    let mut present = Vec::new();
    for driver in StateDriver::ALL {
        let place = place(settings, driver);
        let exists = place.try_exists().map_err(|error| {
            Error::wrap(errors::io_class(&error), error).context(format!("look for {}", place.display()))
        })?;
        if exists {
            present.push(driver);
        }
    }
    Ok(present)
}

/// What is added to the name of a store that another one took the place of.
const ASIDE: &str = ".before-";

/// A store that was put aside.
fn found_aside(settings: &Settings) -> Result<Option<PathBuf>> {
    let root = &settings.runtime.root_dir;
    let failed = |error: std::io::Error| {
        Error::wrap(errors::io_class(&error), error).context(format!("list {}", root.display()))
    };
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("state.") && name.contains(ASIDE) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// Opens the store that the settings name.
pub(crate) async fn open(settings: &Settings) -> Result<Arc<dyn StateStore>> {
    let wanted = settings.state.driver;
    let present = present(settings)?;
    if present.is_empty()
        && let Some(kept) = found_aside(settings)?
    {
        let text = format!("there is no state store, but {} was put aside", kept.display());
        return Err(Error::new(Class::Conflict, text).hint(format!(
            "An import was cut off: run it again, or give that its old name back (what stands before '{ASIDE}'). \
             To begin without records, move it away"
        )));
    }
    if let Some(other) = present.into_iter().find(|driver| *driver != wanted) {
        let (wanted, other, place) = (wanted.as_str(), other.as_str(), place(settings, other));
        return Err(Error::new(
            Class::Conflict,
            format!("state.driver is {wanted}, but the engine's records are held by {other}: {}", place.display()),
        )
        .hint(format!(
            "Set state.driver to {other} and run 'state migrate --to {wanted}', or move that away to begin without records"
        )));
    }
    let store = open_driver(settings, wanted).await?;
    store::upgrade(&*store, MIGRATIONS).await?;
    Ok(injected::injected(store, place(settings, wanted)))
}

/// Opens what a driver has, or begins anew.
async fn open_driver(settings: &Settings, driver: StateDriver) -> Result<Arc<dyn StateStore>> {
    match driver {
        StateDriver::Redb => Ok(store::open_redb(&place(settings, driver))?),
        StateDriver::File => Ok(store::open_files(&place(settings, driver))?),
        StateDriver::Etcd => etcd::open(settings).await,
    }
}

/// All records as they are at one moment, as a text that [`import`] takes.
///
/// # Errors
/// The store's.
pub async fn export(services: &Services) -> Result<Vec<u8>> {
    export_store(&*services.store).await
}

/// The same of an engine whose daemon does not run.
///
/// # Errors
/// When the store can't be opened or read.
pub async fn export_offline(settings: &Settings) -> Result<Vec<u8>> {
    let Some(driver) = present(settings)?.into_iter().find(|driver| *driver == settings.state.driver) else {
        let place = place(settings, settings.state.driver);
        return Err(Error::new(Class::NotFound, format!("there is no state store {}", place.display())));
    };
    export_store(&*open_driver(settings, driver).await?).await
}

/// Takes the records out of an etcd; those in the root directory go with it.
pub(crate) async fn forget(services: &Services) -> Result<()> {
    if services.settings().state.driver != StateDriver::Etcd {
        return Ok(());
    }
    Ok(store::clear(&*services.store).await?)
}

async fn export_store(store: &dyn StateStore) -> Result<Vec<u8>> {
    let listing = store.list("").await?;
    let mut bytes = Vec::new();
    store::write_export(&listing, &mut bytes)
        .map_err(|error| Error::wrap(Class::Internal, error).context("write the records as a text"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
