//! `rmi`.

use crate::Services;
use errors::Result;
use events::{Event, ImageAction};
use images::{Removal, Removed};
use oci::Platform;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Removes a name, and with its last name the image.
///
/// # Errors
/// `NotFound`; `Conflict` while a container uses it.
pub async fn remove(services: &Arc<Services>, name: &str, removal: Removal) -> Result<Vec<Removed>> {
    let id = services.images.resolve(name)?.id.to_string();
    let removed = services.images.remove(name, removal, || super::uses(services)).await?;
    publish(services, &id, &removed);
    Ok(removed)
}

/// Removes the images of these platforms from what a name stands for.
///
/// # Errors
/// `NotFound` for a platform that is not here; `Conflict` while a container uses it.
pub async fn remove_platforms(
    services: &Arc<Services>,
    name: &str,
    platforms: &[Platform],
    force: bool,
) -> Result<Vec<Removed>> {
    let uses = || super::uses(services);
    let removed = services.images.remove_platforms(name, platforms, force, uses).await?;
    for item in &removed {
        if let Removed::Deleted(id) = item {
            publish(services, id, std::slice::from_ref(item));
        }
    }
    Ok(removed)
}

pub(crate) fn publish(services: &Services, id: &str, removed: &[Removed]) {
    let none = BTreeMap::new();
    for item in removed {
        match item {
            // Docker too names the image here, not the name that it lost.
            Removed::Untagged(_) => services.events.publish(Event::image(ImageAction::Untag, id, id, &none)),
            Removed::Deleted(digest) if digest == id => {
                services.events.publish(Event::image(ImageAction::Delete, id, id, &none));
            }
            Removed::Deleted(_) => {}
        }
    }
}
