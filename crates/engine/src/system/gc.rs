//! `storage.gc`: half-fetched blobs that nobody comes back for, and images beyond their budget, least recently used first.

mod pressure;

use crate::Services;
use errors::Result;
use events::{Event, ImageAction};
use images::{Filter, Removal, StoreUsage, Summary, User};
use oci::Digest;
use pressure::{Disk, Pressure};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// What was, or would be, done.
#[derive(Debug, Clone, Default)]
pub struct Collected {
    /// What became of each image, least recently used first. Without a budget a dry run alone tells of them.
    pub choices: Vec<Choice>,
    /// Bytes of half-fetched blobs that went, or would.
    pub partials: u64,
    /// Why those and no others.
    pub partials_reason: String,
    /// Bytes that the disk has got back, or would.
    pub reclaimed: u64,
    /// What the budget says, and how it stands now.
    pub budget: String,
}

/// What became of an image, and why.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Its first name, or its id.
    pub image: String,
    /// What became of it.
    pub fate: Fate,
    /// In a sentence.
    pub reason: String,
}

/// What becomes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Kept,
    /// It went, or would.
    Removed,
}

/// Collects, or with `dry_run` says what it would collect.
///
/// # Errors
/// Those of the store. An image that resists is kept, and its choice says why.
pub async fn gc(services: &Arc<Services>, dry_run: bool) -> Result<Collected> {
    services.images.record_uses().await?;
    let settings = services.settings();
    let settings = &settings.storage.gc;
    let mut collected = Collected::default();
    collected.partials_reason = match settings.partials_after() {
        Some(patience) => {
            collected.partials = services.images.old_partials(patience, dry_run).await?;
            collected.reclaimed = collected.partials;
            format!("nothing was written to them for {} s or longer", patience.as_secs())
        }
        None => "storage.gc keeps them".to_owned(),
    };
    let usage = services.images.disk_usage().await?;
    let pressure = Pressure::of(&settings.images, usage.total, || disk(services))?;
    collected.budget = pressure.text;
    if settings.images.is_on() {
        images(services, &mut collected, usage, pressure.excess, dry_run).await?;
    } else if dry_run {
        let stays = |summary: Summary| Choice {
            image: called(&summary),
            fate: Fate::Kept,
            reason: "storage.gc.images sets no budget".to_owned(),
        };
        collected.choices = by_last_use(services)?.into_iter().map(stays).collect();
    }
    if !dry_run && collected.choices.iter().any(|choice| choice.fate == Fate::Removed) {
        let action = ImageAction::Prune { reclaimed: collected.reclaimed };
        services.events.publish(Event::image(action, "", "", &BTreeMap::new()));
    }
    Ok(collected)
}

/// Collects again and again, for as long as the engine lives.
pub(super) fn watch(services: &Arc<Services>) {
    let interval =
        |services: &Arc<Services>| Duration::from_secs(services.settings().storage.gc.interval.max(1));
    let (changed, services) = (services.settings.subscribe(), Arc::downgrade(services));
    tokio::spawn(super::timer::each(interval, changed, services, async |services| collect(&services).await));
}

/// A pull is what fills the disk: looks at the budget behind it, if there is one.
pub(crate) fn after_pull(services: &Arc<Services>) {
    if services.settings().storage.gc.images.is_on() {
        let services = Arc::clone(services);
        tokio::spawn(async move { collect(&services).await });
    }
}

async fn collect(services: &Arc<Services>) {
    match gc(services, false).await {
        Ok(collected) => {
            for choice in collected.choices.iter().filter(|choice| choice.fate == Fate::Removed) {
                tracing::info!(image = choice.image, reason = choice.reason, "an image goes");
            }
        }
        Err(error) => tracing::warn!(%error, "collect what is beyond the budget"),
    }
}

fn disk(services: &Services) -> Result<Disk> {
    let stat = rustix::fs::statvfs(services.settings().storage_root()).map_err(|errno| {
        errors::Error::wrap(errors::Class::Internal, std::io::Error::from(errno)).context("look at the disk")
    })?;
    Ok(Disk { all: stat.f_blocks * stat.f_frsize, free: stat.f_bavail * stat.f_frsize })
}

async fn images(
    services: &Arc<Services>,
    collected: &mut Collected,
    mut usage: StoreUsage,
    excess: u64,
    dry_run: bool,
) -> Result<()> {
    let kept = kept_by_name(services)?;
    let mut freed = 0;
    for summary in by_last_use(services)? {
        let id = &summary.image.id;
        let name = called(&summary);
        let (mut fate, mut reason) = fate(services, &summary, kept.contains(id), freed >= excess);
        if fate == Fate::Removed && dry_run {
            let size = usage.images.get(id).copied().unwrap_or_default();
            freed += size.size - size.shared;
        } else if fate == Fate::Removed {
            match remove(services, id).await {
                Ok(()) => {
                    let later = services.images.disk_usage().await?;
                    freed += usage.gone_in(&later);
                    usage = later;
                }
                Err(error) => (fate, reason) = (Fate::Kept, error.to_string()),
            }
        }
        collected.choices.push(Choice { image: name, fate, reason });
    }
    collected.reclaimed += freed;
    Ok(())
}

/// Its first name, or its id.
fn called(summary: &Summary) -> String {
    summary.repo_tags.first().cloned().unwrap_or_else(|| summary.image.id.to_string())
}

/// Why an image goes or stays.
fn fate(services: &Services, summary: &Summary, kept: bool, enough: bool) -> (Fate, String) {
    let image = &summary.image;
    let idle = crate::now() - services.images.last_used(&image.id).unwrap_or(0);
    let keep = |reason: String| (Fate::Kept, reason);
    if let Some(user) = crate::image::uses(services).into_iter().find(|user| user.image == image.id) {
        return keep(match user.by {
            User::Container { id, .. } => {
                format!("container {} is made from it", id.get(..12).unwrap_or_default())
            }
            User::Mount(path) => format!("it is mounted at {}", path.display()),
        });
    }
    if services.images.has_children(&image.id) {
        return keep("other images are made from it".to_owned());
    }
    if kept {
        return keep("storage.gc.images.keep names it".to_owned());
    }
    let (minutes, least) = (idle / 60_000_000_000, services.settings().storage.gc.images.min_age);
    // Somebody may be about to use it.
    if u64::try_from(idle / 1_000_000_000).is_ok_and(|seconds| seconds < least) {
        return keep(format!("it was used {minutes} minutes ago, and stays for {} minutes", least / 60));
    }
    if enough {
        return keep("the budget is kept without its removal".to_owned());
    }
    (Fate::Removed, format!("nobody has used it for {minutes} minutes, longer than any that is left"))
}

/// Least recently used first.
fn by_last_use(services: &Services) -> Result<Vec<Summary>> {
    let mut list = services.images.list(&Filter { all: true, ..Filter::default() })?;
    list.sort_by_cached_key(|summary| services.images.last_used(&summary.image.id));
    Ok(list)
}

fn kept_by_name(services: &Services) -> Result<HashSet<Digest>> {
    let references = services.settings().storage.gc.images.keep.clone();
    if references.is_empty() {
        return Ok(HashSet::new());
    }
    let filter = Filter { all: true, references, ..Filter::default() };
    Ok(services.images.list(&filter)?.into_iter().map(|summary| summary.image.id.clone()).collect())
}

async fn remove(services: &Arc<Services>, id: &Digest) -> Result<()> {
    // Names in several repositories need force; somebody who has come to use it meanwhile must not.
    let removal = Removal { force: true, prune: true, unused: true };
    let removed = services.images.remove(id.as_str(), removal, || crate::image::uses(services)).await?;
    crate::image::publish_removed(services, id.as_str(), &removed);
    Ok(())
}
