//! `export`: a container's root file system as an archive, without what is mounted in it.

use super::archive::Files;
use crate::Services;
use ::events::ContainerAction;
use errors::{Class, Error, Result};
use layers::{PackOptions, pack_contents};
use std::io::Write;
use std::sync::Arc;

/// Checks that there is something to export, then answers the writing itself, so that a server can send its headers
/// first. What the container writes meanwhile may or may not appear. Waits for no lock.
///
/// # Errors
/// `NotFound`, `Conflict` for one that is being removed.
pub async fn export(
    services: &Arc<Services>,
    reference: &str,
    output: impl Write + Send + 'static,
) -> Result<impl Future<Output = Result<()>> + Send + 'static> {
    let container = services.containers.find(reference)?;
    if container.is_removing() {
        return Err(Error::new(
            Class::Conflict,
            format!("You cannot export container {} which is being removed", container.id()),
        ));
    }
    let files = Files::to_read(services, &container, false).await?;
    let options = PackOptions { ids: services.images.ids(container.id().as_str())?, across_mounts: false };
    services.events.publish(super::event(&ContainerAction::Export, &container.record()));
    Ok(async move {
        let packed = offload::lasting("export", move || {
            let packed = pack_contents(files.root(), &options, output);
            files.leave();
            packed
        });
        Ok(packed
            .await
            .map_err(|error| Error::wrap(Class::Unavailable, error).context("start a thread"))??)
    })
}
