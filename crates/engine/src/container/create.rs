//! `create`: a record, a name and a writable layer. Nothing runs yet.

use crate::{Services, random};
use ::events::ContainerAction;
use containers::{ImageUse, MountPoint, MountPointKind, NameReservation, Record, SCHEMA, State};
use errors::{Class, Error, Result};
use ids::{ContainerId, ContainerName};
use images::Image;
use spec::{ContainerSpec, ExposedPort, Healthcheck, Mount, MountKind, VolumeMount};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
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
    let image = find_image(services, &spec).await?;
    merge_image(&mut spec, &image);
    let warnings = super::validate::validate(services, &mut spec)?;
    let limit = services.settings.runtime.max_containers;
    if limit != 0 && services.containers.count() >= limit {
        return Err(Error::new(
            Class::Unavailable,
            format!("this engine may hold {limit} containers and does"),
        )
        .hint("Remove one, or raise runtime.max_containers"));
    }

    let id = ContainerId::from_bytes(random::bytes()?);
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
    let mounts = mount_points(services, id, &spec, undo).await?;

    undo.step("store the record")?;
    let runtime = spec.runtime.clone().unwrap_or_else(|| services.settings.runtime.default_runtime.clone());
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
    let container = services.containers.insert(record, reservation).await?;
    undo.push("forget the record", {
        let (services, container) = (Arc::clone(services), Arc::clone(&container));
        move || Box::pin(async move { services.containers.delete(&container).await })
    });
    undo.step("announce it")?;
    Ok(container.record())
}

async fn find_image(services: &Services, spec: &ContainerSpec) -> Result<Arc<Image>> {
    if spec.image.is_empty() {
        return Err(Error::new(Class::Invalid, "no image was named"));
    }
    let image = match services.images.resolve(&spec.image) {
        Ok(image) => image,
        Err(error) => match services.images.load_embedded(&spec.image).await? {
            Some(image) => image,
            None => return Err(error.into()),
        },
    };
    if let Some(wanted) = &spec.platform {
        let wanted: oci::Platform = wanted.parse()?;
        if wanted.rank(&image.platform()).is_none() {
            return Err(Error::new(
                Class::NotFound,
                format!(
                    "image with reference {} was found but its platform ({}) does not match the specified platform ({wanted})",
                    spec.image,
                    image.platform()
                ),
            ));
        }
    }
    Ok(image)
}

/// Fills what the client left open from the image's configuration, as `docker create` does.
fn merge_image(spec: &mut ContainerSpec, image: &Image) {
    let config = &image.config.config;
    let process = &mut spec.process;
    // A new entry point drops the image's command: it was written for the old one.
    if process.entrypoint.is_none() {
        if process.command.as_ref().is_none_or(Vec::is_empty) {
            process.command.clone_from(&config.cmd);
        }
        process.entrypoint.clone_from(&config.entrypoint);
    } else if process.entrypoint.as_ref().is_some_and(|args| args.iter().all(String::is_empty)) {
        process.entrypoint = None;
    }
    process.env = merged_env(&config.env, &process.env);
    if process.user.is_empty() {
        process.user.clone_from(&config.user);
    }
    if process.working_dir.is_empty() {
        process.working_dir.clone_from(&config.working_dir);
    }
    if process.stop_signal.is_none() && !config.stop_signal.is_empty() {
        process.stop_signal = Some(config.stop_signal.clone());
    }
    if process.stop_timeout.is_none() {
        process.stop_timeout = config.stop_timeout.and_then(|seconds| i32::try_from(seconds).ok());
    }
    for (name, value) in &config.labels {
        spec.labels.entry(name.clone()).or_insert_with(|| value.clone());
    }
    for port in config.exposed_ports.keys().filter_map(|text| ExposedPort::parse(text)) {
        if !spec.network.exposed.contains(&port) {
            spec.network.exposed.push(port);
        }
    }
    for volume in config.volumes.keys() {
        if !spec.filesystem.anonymous_volumes.contains(volume) {
            spec.filesystem.anonymous_volumes.push(volume.clone());
        }
    }
    if spec.health.is_none() {
        spec.health = config.healthcheck.as_ref().map(healthcheck);
    }
    spec.on_build.clone_from(&config.on_build);
    if spec.shell.is_empty() {
        spec.shell.clone_from(&config.shell);
    }
}

fn healthcheck(check: &oci::Healthcheck) -> Healthcheck {
    let nanos = |value: i64| Duration::from_nanos(u64::try_from(value).unwrap_or(0));
    Healthcheck {
        test: check.test.clone(),
        interval: nanos(check.interval),
        timeout: nanos(check.timeout),
        start_period: nanos(check.start_period),
        start_interval: nanos(check.start_interval),
        retries: u32::try_from(check.retries).unwrap_or(0),
    }
}

/// The client's variables, then those of the image that the client leaves alone.
fn merged_env(image: &[String], client: &[String]) -> Vec<String> {
    fn name(pair: &str) -> &str {
        pair.split('=').next().unwrap_or(pair)
    }
    let set: BTreeSet<&str> = client.iter().map(|pair| name(pair)).collect();
    client.iter().chain(image.iter().filter(|pair| !set.contains(name(pair)))).cloned().collect()
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

/// Turns what was asked to be mounted into what is: volumes get names and directories, sources are checked.
async fn mount_points(
    services: &Arc<Services>,
    id: &ContainerId,
    spec: &ContainerSpec,
    undo: &mut Undo,
) -> Result<Vec<MountPoint>> {
    let mut points = inherited(services, spec)?;
    for mount in &spec.filesystem.mounts {
        let point = mount_point(services, id, spec, mount, undo).await?;
        points.retain(|other: &MountPoint| other.target != point.target);
        points.push(point);
    }
    for target in &spec.filesystem.anonymous_volumes {
        let target = normal(target);
        if points.iter().any(|point| point.target == target) {
            continue;
        }
        let volume = VolumeMount::default();
        points.push(volume_point(services, id, spec, &volume, &target, false, undo).await?);
    }
    // Those that were inherited and not covered by another; for the others it is said again.
    for point in &points {
        if let MountPointKind::Volume { name, .. } = &point.kind {
            super::volumes::share(services, id, name, undo).await?;
        }
    }
    Ok(points)
}

/// The mounts of the containers named by `--volumes-from`.
fn inherited(services: &Services, spec: &ContainerSpec) -> Result<Vec<MountPoint>> {
    let mut points: Vec<MountPoint> = Vec::new();
    for entry in &spec.filesystem.volumes_from {
        let (name, mode) = entry.split_once(':').unwrap_or((entry, ""));
        if !matches!(mode, "" | "ro" | "rw" | "z" | "Z") {
            return Err(Error::new(Class::Invalid, format!("invalid mode: {mode}")));
        }
        let other =
            services.containers.find(name).map_err(|error| super::validate::not_the_image(error.into()))?;
        for mount in &other.record().mounts {
            if matches!(mount.kind, MountPointKind::Tmpfs) {
                continue;
            }
            let mut mount = mount.clone();
            mount.read_only |= mode == "ro";
            if let MountPointKind::Volume { anonymous, .. } = &mut mount.kind {
                *anonymous = false; // it goes with the container it was made for
            }
            points.retain(|other| other.target != mount.target);
            points.push(mount);
        }
    }
    Ok(points)
}

async fn mount_point(
    services: &Arc<Services>,
    id: &ContainerId,
    spec: &ContainerSpec,
    mount: &Mount,
    undo: &mut Undo,
) -> Result<MountPoint> {
    let target = normal(&mount.target);
    match &mount.kind {
        MountKind::Bind(bind) => {
            if std::fs::symlink_metadata(&bind.source).is_err() {
                if !bind.create_source {
                    return Err(Error::new(
                        Class::Invalid,
                        format!(
                            "invalid mount config for type \"bind\": bind source path does not exist: {}",
                            bind.source
                        ),
                    )
                    .hint("Create it first, or use -v, which creates a missing directory"));
                }
                durable::create_dir_all(bind.source.as_ref(), 0o755).map_err(|error| {
                    Error::from(error).context(format!("create the bind source {}", bind.source))
                })?;
            }
            Ok(MountPoint {
                kind: MountPointKind::Bind,
                source: bind.source.clone(),
                target,
                read_only: mount.read_only,
                propagation: bind.propagation,
                mode: bind_mode(mount, bind.relabel),
            })
        }
        MountKind::Volume(volume) => {
            let mut point = volume_point(services, id, spec, volume, &target, mount.read_only, undo).await?;
            if point.mode.is_empty() && volume.name.is_some() && !mount.structured {
                point.mode = if mount.read_only { "ro" } else { "z" }.to_owned();
            }
            Ok(point)
        }
        MountKind::Tmpfs(_) => Ok(MountPoint {
            kind: MountPointKind::Tmpfs,
            source: String::new(),
            target,
            read_only: mount.read_only,
            propagation: None,
            mode: String::new(),
        }),
        MountKind::Image { image, .. } => {
            Err(Error::new(Class::Unsupported, format!("mounting the image {image} is not supported yet")))
        }
    }
}

/// What was written behind the path, as `inspect` shows it.
fn bind_mode(mount: &spec::Mount, relabel: Option<char>) -> String {
    let read_only = (mount.read_only && !mount.structured).then(|| "ro".to_owned());
    read_only.into_iter().chain(relabel.map(String::from)).collect::<Vec<_>>().join(",")
}

async fn volume_point(
    services: &Arc<Services>,
    id: &ContainerId,
    spec: &ContainerSpec,
    volume: &VolumeMount,
    target: &str,
    read_only: bool,
    undo: &mut Undo,
) -> Result<MountPoint> {
    let anonymous = volume.name.is_none();
    let driver = volume.driver.clone().or_else(|| spec.filesystem.volume_driver.clone());
    let made = super::volumes::make(services, id, volume, driver, undo).await?;
    super::volumes::populate(services, id, volume, &made, target).await?;
    Ok(MountPoint {
        source: services.volumes.path(&made.name).display().to_string(),
        kind: MountPointKind::Volume { name: made.name, driver: made.driver, anonymous },
        target: target.to_owned(),
        read_only,
        propagation: None,
        mode: if volume.no_copy { "nocopy".into() } else { String::new() },
    })
}

/// A container path without `.`, `..`, doubled or trailing slashes.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_variable_replaces_the_images() {
        let image = ["PATH=/bin".to_owned(), "A=1".to_owned()];
        let client = ["A=2".to_owned(), "B".to_owned()];
        assert_eq!(merged_env(&image, &client), ["A=2", "B", "PATH=/bin"]);
    }

    #[test]
    fn container_paths_are_made_plain() {
        assert_eq!(normal("/a//b/./c/"), "/a/b/c");
        assert_eq!(normal("/a/../../b"), "/b");
    }
}
