//! `inspect`: everything about one container.

use super::Files;
use crate::Services;
use ::containers::Record;
use errors::Result;
use ids::ExecId;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Everything about a container.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Its record.
    pub record: Arc<Record>,
    /// Whether it is being removed.
    pub removing: bool,
    /// Newest file of its log; none: the driver keeps no file.
    pub log_path: Option<PathBuf>,
    /// Its files in `/etc`.
    pub files: Files,
    /// Execs that the engine remembers.
    pub execs: Vec<ExecId>,
    /// Directories of its layers by overlayfs's names.
    pub layers: BTreeMap<String, String>,
    /// Storage driver.
    pub storage_driver: &'static str,
    /// AppArmor profile; empty: none.
    pub apparmor_profile: String,
    /// Legacy links: `/child:/parent/alias`.
    pub links: Vec<String>,
    /// Sizes, if asked for.
    pub sizes: Option<Sizes>,
}

/// Bytes on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Writable layer.
    pub writable: u64,
    /// Writable layer and image.
    pub total: u64,
}

/// Inspects a container. Waits for no lock.
///
/// # Errors
/// `NotFound`.
pub async fn inspect(services: &Arc<Services>, reference: &str, size: bool) -> Result<Inspection> {
    let container = services.containers.find(reference)?;
    let record = container.record();
    let sizes = if size { Some(sizes(services, &record).await) } else { None };
    Ok(Inspection {
        removing: container.is_removing(),
        log_path: (record.spec.log.driver == "json-file").then(|| super::log_path(services, &record.id)),
        files: Files::of(services, &record.id),
        execs: services.execs.of_container(&record.id),
        layers: layer_dirs(services, &record),
        links: super::links::shown(services, &record),
        storage_driver: "overlay2",
        apparmor_profile: super::apparmor::profile(services, &record.spec.security).unwrap_or_default(),
        sizes,
        record,
    })
}

fn layer_dirs(services: &Services, record: &Record) -> BTreeMap<String, String> {
    let Ok(dirs) = services.images.dirs(record.id.as_str()) else { return BTreeMap::new() };
    let text = |path: &std::path::Path| path.display().to_string();
    let lower: Vec<String> = dirs.lower.iter().map(|path| text(path)).collect();
    let merged = services.bundle_dir(&record.id).join(shim_protocol::file::ROOTFS);
    let mut named = BTreeMap::from([
        ("LowerDir".to_owned(), lower.join(":")),
        ("UpperDir".to_owned(), text(&dirs.upper)),
        ("MergedDir".to_owned(), text(&merged)),
    ]);
    named.extend(dirs.work.map(|work| ("WorkDir".to_owned(), text(&work))));
    named
}

/// Sizes of a container; zero where they can't be read.
pub(super) async fn sizes(services: &Arc<Services>, record: &Record) -> Sizes {
    let writable = services.images.usage(record.id.as_str()).await.map_or(0, |usage| usage.bytes);
    let image = services.images.lower_size(record.id.as_str()).unwrap_or(0);
    Sizes { writable, total: writable + image }
}

/// The name under which a list shows a container's image: the one it was created with while that still means the same
/// image, else the id.
pub(super) fn image_name(services: &Services, record: &Record) -> String {
    match services.images.resolve(&record.spec.image) {
        Ok(image) if image.id.to_string() == record.image.id => record.spec.image.clone(),
        _ => record.image.id.clone(),
    }
}
