//! Records from a backup, and from one driver to another. Only while no daemon runs: callers hold its lock.

use super::super::StoreAge;
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
    let mut kept = Vec::new();
    if let Err(error) = take(settings, &listing, replace, &mut kept).await {
        for (other, path) in kept {
            if let Err(more) = durable::rename(&path, &place(settings, other)) {
                tracing::error!(error = %errors::chain(&more), "bring the store back that was put aside");
            }
        }
        return Err(error);
    }
    Ok(Imported { records: listing.entries.len(), kept: kept.into_iter().map(|(_, path)| path).collect() })
}

/// Notes in `kept` what was put aside, also if it fails then.
async fn take(
    settings: &Settings,
    listing: &Listing,
    replace: bool,
    kept: &mut Vec<(StateDriver, PathBuf)>,
) -> Result<()> {
    let driver = settings.state.driver;
    let present = present(settings)?;
    if !replace {
        for other in &present {
            refuse_records(settings, *other).await?;
        }
    }
    // Where the records are in etcd, they are replaced there.
    let stays = |other: StateDriver| other == StateDriver::Etcd && driver == StateDriver::Etcd;
    for other in present.into_iter().filter(|other| !stays(*other)) {
        kept.push((other, put_aside(settings, other, "import")?));
    }
    StoreAge::distrust(&settings.runtime.root_dir)?;
    fill(settings, driver, listing, replace).await
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
    let source = open_driver(settings, from).await?;
    let listing = source.list("").await?;
    if !present.contains(&to) {
        fill(settings, to, &listing, false).await?;
    } else if !gives_back(settings, to, &listing).await? {
        // Else it is of a migration that was cut off.
        let place = place(settings, to);
        return Err(Error::new(
            Class::Conflict,
            format!("there is a state store {} already", place.display()),
        )
        .hint("Move it away if its records are not needed"));
    }
    drop(source);
    let kept = put_aside(settings, from, to.as_str())?;
    StoreAge::forget(&settings.runtime.root_dir, listing.revision)?;
    Ok(Migrated { records: listing.entries.len(), from, kept })
}

/// Makes a store of these records that was seen to give them back. After an error there is none, or one that the next try replaces.
async fn fill(settings: &Settings, driver: StateDriver, listing: &Listing, replace: bool) -> Result<()> {
    let place = place(settings, driver);
    match driver {
        StateDriver::Redb => store::create_redb(&place, listing)?,
        StateDriver::File => store::create_files(&place, listing)?,
        StateDriver::Etcd => return etcd::fill(settings, listing, replace).await,
    }
    let same = gives_back(settings, driver, listing).await;
    if !matches!(same, Ok(true)) {
        match driver {
            StateDriver::Redb => store::remove_redb(&place)?,
            StateDriver::File | StateDriver::Etcd => drop(durable::remove_tree(&place)?),
        }
    }
    match same? {
        true => Ok(()),
        false => Err(Error::new(
            Class::Internal,
            format!("{} does not give back the records that were put in", place.display()),
        )),
    }
}

/// Whether a store gives back what was put in.
async fn gives_back(settings: &Settings, driver: StateDriver, expected: &Listing) -> Result<bool> {
    let found = open_driver(settings, driver).await?.list("").await?;
    let values = |listing: &Listing| {
        let all = listing.entries.iter().map(|(key, entry)| (key.clone(), entry.value.clone()));
        all.collect::<Vec<_>>()
    };
    // Revisions are etcd's own there.
    Ok(if driver == StateDriver::Etcd { values(&found) == values(expected) } else { found == *expected })
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
