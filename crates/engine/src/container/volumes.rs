//! A container's volumes: made when it is created, filled from its image when they are empty.

use crate::Services;
use ::containers::{MountPoint, MountPointKind, Record};
use ::volumes::{Create, Volume};
use errors::Result;
use events::{Event, VolumeAction};
use ids::ContainerId;
use spec::VolumeMount;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use undo::Undo;

/// Finds or makes the volume of a mount, and notes that the container has it. What is made here goes again if the
/// creation fails.
pub(super) async fn make(
    services: &Arc<Services>,
    id: &ContainerId,
    mount: &VolumeMount,
    driver: Option<String>,
    undo: &mut Undo,
) -> Result<Volume> {
    let mut labels = mount.labels.clone();
    if mount.name.is_none() {
        labels.insert("com.docker.volume.anonymous".into(), String::new());
    }
    let create = Create {
        name: mount.name.clone(),
        driver,
        options: mount.options.clone(),
        labels,
        goes_with: Some(id.to_string()),
    };
    let (volume, made) = services.volumes.create(create).await?;
    undo.push("give up the volume", {
        let (services, name, id) = (Arc::clone(services), volume.name.clone(), id.clone());
        move || {
            Box::pin(async move {
                services.volumes.release(&name, id.as_str());
                // Unless somebody else was told meanwhile that it is there.
                if services.volumes.tied_to(id.as_str()).contains(&name) {
                    services.volumes.remove(&name, true).await?;
                }
                Ok(())
            })
        }
    });
    services.volumes.reference(&volume.name, id.as_str()).await?;
    if made {
        services.events.publish(Event::volume(&VolumeAction::Create, &volume.name, &volume.driver));
    }
    Ok(volume)
}

/// Mounts a volume for a start, and tells of it.
pub(super) async fn mount(
    services: &Services,
    record: &Record,
    point: &MountPoint,
    name: &str,
    driver: &str,
) -> Result<()> {
    services.volumes.mount(name, record.id.as_str()).await?;
    let action = VolumeAction::Mount {
        container: record.id.to_string(),
        destination: point.target.clone(),
        read_write: !point.read_only,
        propagation: String::new(), // of binds only
    };
    services.events.publish(Event::volume(&action, name, driver));
    Ok(())
}

/// Takes the mount of a run back, and tells of it.
pub(super) async fn unmount(services: &Services, record: &Record, name: &str) -> Result<()> {
    services.volumes.unmount(name, record.id.as_str()).await?;
    let drivers = record.mounts.iter().find_map(|point| match &point.kind {
        MountPointKind::Volume { name: other, driver, .. } if other == name => Some(driver.as_str()),
        _ => None,
    });
    let action = VolumeAction::Unmount { container: record.id.to_string() };
    services.events.publish(Event::volume(&action, name, drivers.unwrap_or_default()));
    Ok(())
}

/// Notes that the container has a volume of another container's, so that the volume outlives that one.
pub(super) async fn share(
    services: &Arc<Services>,
    id: &ContainerId,
    name: &str,
    undo: &mut Undo,
) -> Result<()> {
    services.volumes.reference(name, id.as_str()).await?;
    undo.push_sync("give up the shared volume", {
        let (services, name, id) = (Arc::clone(services), name.to_owned(), id.clone());
        move || {
            services.volumes.release(&name, id.as_str());
            Ok(())
        }
    });
    Ok(())
}

/// Copies what the image has at `target` into an empty volume, as docker does at the first mount.
pub(super) async fn populate(
    services: &Arc<Services>,
    id: &ContainerId,
    mount: &VolumeMount,
    volume: &Volume,
    target: &str,
) -> Result<()> {
    if mount.no_copy || mount.subpath.is_some() {
        return Ok(());
    }
    let (ids, root) = (services.images.ids(id.as_str())?, services.images.open_root(id.as_str())?);
    let (root, target) = (root.as_fd(), Path::new(target));
    services.volumes.mount(&volume.name, id.as_str()).await?;
    let populated = services.volumes.populate(&volume.name, id.as_str(), root, target, ids.as_ref()).await;
    services.volumes.unmount(&volume.name, id.as_str()).await?;
    populated?;
    Ok(())
}
