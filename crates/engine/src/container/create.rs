//! `create`: a record, a name and a writable layer. Nothing runs yet.

mod image;
mod mounts;
mod validate;

pub(super) use image::merged_env;

use crate::{Services, random};
use ::events::ContainerAction;
use containers::{Container, ImageUse, NameReservation, Record, SCHEMA, State};
use errors::{Class, Error, Result};
use ids::{ContainerId, ContainerName};
use images::Image;
use spec::ContainerSpec;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Transaction;
use undo::Undo;

/// What to create.
#[derive(Debug, Clone, Default)]
pub struct Create {
    /// Wanted name; none: a random one.
    pub name: Option<String>,
    /// What it shall be. What the client left open is filled from the image.
    pub spec: ContainerSpec,
}

/// What was created.
#[derive(Debug, Clone)]
pub struct Created {
    /// The new container.
    pub id: ContainerId,
    /// What the client should know.
    pub warnings: Vec<String>,
}

/// Creates a container.
///
/// # Errors
/// `NotFound` without the image, `Conflict` for a name in use, `Invalid` for what cannot be.
pub async fn create(services: &Arc<Services>, request: Create) -> Result<Created> {
    let Create { name, mut spec } = request;
    services.warmth.expect_work();
    let image = image::find(services, &spec).await?;
    image::merge(&mut spec, &image);
    let warnings = validate::validate(services, &mut spec)?;
    let limit = services.settings().runtime.max_containers;
    if limit != 0 && services.containers.count() >= limit {
        return Err(Error::new(
            Class::Unavailable,
            format!("this engine may hold {limit} containers and does"),
        )
        .hint("Remove one, or raise runtime.max_containers"));
    }

    let id = ContainerId::from_bytes(random::bytes()?);
    let _making = services.containers.begin(&id);
    let mut undo = Undo::new("container.create");
    undo.step("reserve the name")?;
    let reservation = reserve_name(services, name.as_deref())?;

    let built = build(services, &id, spec, &image, reservation, &mut undo).await;
    let record = undo.settle(built).await?;
    services.events.publish(super::event(&ContainerAction::Create, &record));
    Ok(Created { id, warnings })
}

async fn build(
    services: &Arc<Services>,
    id: &ContainerId,
    spec: ContainerSpec,
    image: &Image,
    reservation: NameReservation,
    undo: &mut Undo,
) -> Result<Arc<Record>> {
    undo.step("prepare the writable layer")?;
    let ids = super::user_namespace::ids_for(services, &spec);
    services.images.prepare(image, id.as_str(), ids).await?;
    undo.push("release the writable layer", {
        let (services, id) = (Arc::clone(services), id.clone());
        move || Box::pin(async move { Ok(services.images.release(id.as_str()).await?) })
    });

    undo.step("make the container's directory")?;
    let dir = services.container_dir(id);
    durable::create_dir_all(&dir, 0o710)?;
    undo.push_sync("remove the container's directory", {
        let services = Arc::clone(services);
        move || Ok(services.trash.discard(&dir)?)
    });

    undo.step("make the volumes")?;
    let mounts = mounts::mount_points(services, id, &spec, undo).await?;

    undo.step("store the record")?;
    let runtime = spec.runtime.clone().unwrap_or_else(|| services.settings().runtime.default_runtime.clone());
    let record = Record {
        schema: SCHEMA,
        id: id.clone(),
        name: reservation.name().clone(),
        created_at: crate::now(),
        image: ImageUse {
            id: image.id.to_string(),
            manifest: image.descriptor.as_ref().map(|manifest| manifest.digest().to_string()),
            platform: image.platform().to_string(),
        },
        mounts,
        runtime,
        state: State::Created { failure: None },
        stopped_by_user: false,
        restart_count: 0,
        endpoints: BTreeMap::new(),
        spec,
    };
    // From here on they stay.
    let made = services.volumes.tied_to(id.as_str());
    let untied = services.volumes.tie(made.iter().map(String::as_str), None, Transaction::new())?;
    let container = services.containers.insert(record, reservation, untied).await?;
    services.volumes.tied(made.iter().map(String::as_str), None);
    undo.push("forget the record", {
        let (services, container) = (Arc::clone(services), Arc::clone(&container));
        move || Box::pin(async move { forget(&services, &container, &made).await })
    });
    undo.step("announce it")?;
    Ok(container.record())
}

/// Takes the record away; the volumes that were made for it go with it again.
async fn forget(services: &Services, container: &Container, made: &[String]) -> Result<()> {
    let (names, id) = (|| made.iter().map(String::as_str), Some(container.id().as_str()));
    let tied = services.volumes.tie(names(), id, Transaction::new())?;
    services.containers.delete(container, tied).await?;
    services.volumes.tied(names(), id);
    Ok(())
}

fn reserve_name(services: &Services, name: Option<&str>) -> Result<NameReservation> {
    if let Some(name) = name {
        return Ok(services.containers.reserve(name.parse::<ContainerName>()?)?);
    }
    let mut attempt = 0;
    loop {
        match services.containers.reserve(random::name(attempt)?) {
            Ok(reservation) => return Ok(reservation),
            Err(_) if attempt < 20 => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}
