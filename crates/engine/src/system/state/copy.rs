//! Records from a backup, and from one driver to another. Only while no daemon runs: callers hold its lock.

use super::{ASIDE, etcd, open_driver, place, present};
use config::{Settings, StateDriver};
use errors::{Class, Error, Result};
use std::path::{Path, PathBuf};
use store::Listing;

/// What an import did.
#[derive(Debug)]
pub struct Imported {
    /// How many records there are now.
    pub records: usize,
    /// Where what was there before is kept.
    pub kept: Vec<PathBuf>,
}

/// What a migration did.
#[derive(Debug)]
pub struct Migrated {
    /// How many records there are now.
    pub records: usize,
    /// Who had them.
    pub from: StateDriver,
    /// Where those are kept.
    pub kept: PathBuf,
}

/// Takes the records of an export as this engine's.
///
/// `replace`: what is there is put aside; else it must be an empty store, or none.
///
/// # Errors
/// [`Class::Conflict`] if there are records; what is wrong with the export, or with the store.
pub async fn import(settings: &Settings, export: &[u8], replace: bool) -> Result<Imported> {
    let listing = store::read_export(export)?;
    let driver = settings.state.driver;
    let mut aside = Vec::new();
    for other in present(settings)? {
        if !replace {
            refuse_records(settings, other).await?;
        }
        // Where the records are in etcd, they are replaced there.
        if other != StateDriver::Etcd || driver != StateDriver::Etcd {
            aside.push(other);
        }
    }
    let mut kept = Vec::new();
    for other in aside {
        kept.push((other, put_aside(settings, other, "import")?));
    }
    let taken = match fill(settings, driver, &listing, replace).await {
        Ok(()) => verify(settings, driver, &listing).await,
        Err(error) => Err(error),
    };
    if let Err(error) = taken {
        for (other, path) in kept {
            bring_back(settings, other, &path)?;
        }
        return Err(error);
    }
    Ok(Imported { records: listing.entries.len(), kept: kept.into_iter().map(|(_, path)| path).collect() })
}

async fn refuse_records(settings: &Settings, driver: StateDriver) -> Result<()> {
    let place = place(settings, driver);
    let hint = "With --replace the import takes their place; what can be put aside is kept";
    let opened = open_driver(settings, driver).await.map_err(|error| error.hint(hint))?;
    let found = opened.list("").await?.entries.len();
    if found == 0 {
        return Ok(());
    }
    let text = format!("{} holds {found} records", place.display());
    Err(Error::new(Class::Conflict, text).hint(hint))
}

/// Brings the records from the driver that the settings name to another one.
///
/// # Errors
/// If there is nothing to bring, if there are records there already, or one of the two stores fails.
pub async fn migrate(settings: &Settings, to: StateDriver) -> Result<Migrated> {
    let from = settings.state.driver;
    if from == to {
        return Err(Error::new(Class::Invalid, format!("the records are held by {} already", to.as_str())));
    }
    let present = present(settings)?;
    if !present.contains(&from) {
        let place = place(settings, from);
        return Err(Error::new(Class::NotFound, format!("there is no state store {}", place.display())));
    }
    if present.contains(&to) {
        let place = place(settings, to);
        return Err(Error::new(
            Class::Conflict,
            format!("there is a state store {} already", place.display()),
        )
        .hint("Move it away if its records are not needed"));
    }
    let source = open_driver(settings, from).await?;
    let listing = source.list("").await?;
    fill(settings, to, &listing, false).await?;
    verify(settings, to, &listing).await?;
    drop(source);
    let kept = put_aside(settings, from, to.as_str())?;
    Ok(Migrated { records: listing.entries.len(), from, kept })
}

async fn fill(settings: &Settings, driver: StateDriver, listing: &Listing, replace: bool) -> Result<()> {
    let place = place(settings, driver);
    match driver {
        StateDriver::Redb => Ok(store::create_redb(&place, listing)?),
        StateDriver::File => Ok(store::create_files(&place, listing)?),
        StateDriver::Etcd => etcd::fill(settings, listing, replace).await,
    }
}

/// Whether a store that was filled gives back what was put in.
async fn verify(settings: &Settings, driver: StateDriver, expected: &Listing) -> Result<()> {
    let found = open_driver(settings, driver).await?.list("").await?;
    let values = |listing: &Listing| {
        let all = listing.entries.iter().map(|(key, entry)| (key.clone(), entry.value.clone()));
        all.collect::<Vec<_>>()
    };
    // Revisions are etcd's own there.
    let same =
        if driver == StateDriver::Etcd { values(&found) == values(expected) } else { found == *expected };
    if same {
        return Ok(());
    }
    let text =
        format!("{} does not give back the records that were put in", place(settings, driver).display());
    Err(Error::new(Class::Internal, text))
}

/// Renames what a driver has, so that no daemon takes it any more.
fn put_aside(settings: &Settings, driver: StateDriver, why: &str) -> Result<PathBuf> {
    let from = place(settings, driver);
    let name = |number: u32| {
        let mut name = from.as_os_str().to_owned();
        name.push(format!("{ASIDE}{why}"));
        if number > 0 {
            name.push(format!("-{number}"));
        }
        PathBuf::from(name)
    };
    let free = |path: &Path| !path.exists();
    let to = (0..1000).map(name).find(|path| free(path)).unwrap_or_else(|| name(1000));
    durable::rename(&from, &to)?;
    Ok(to)
}

/// After an import that failed: what was made of it goes, what was there before is there again.
fn bring_back(settings: &Settings, driver: StateDriver, kept: &Path) -> Result<()> {
    if driver == settings.state.driver {
        durable::remove_tree(&place(settings, driver))?;
    }
    Ok(durable::rename(kept, &place(settings, driver))?)
}
