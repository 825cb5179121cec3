//! `commit`: an image out of a container.

use super::freeze::freeze;
use crate::Services;
use ::events::{ContainerAction, ImageAction};
use containers::Container;
use errors::{Class, Error, Result};
use images::{FromContainer, Image};
use oci::{Empty, Reference, RunConfig};
use spec::ContainerSpec;
use std::sync::Arc;

/// How to make an image of a container.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The image's name; none: it stays nameless.
    pub reference: Option<Reference>,
    /// Who made it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// Whether to freeze the container meanwhile, if it runs.
    pub pause: bool,
    /// Dockerfile instructions.
    pub changes: Vec<String>,
    /// What containers made from the image get instead of what this one has; empty fields change nothing.
    pub config: RunConfig,
}

/// Makes an image of a container's changes. A client that goes away does not leave the container frozen.
///
/// # Errors
/// `NotFound` for the container or its image; `Conflict` for one that is being removed; `Invalid` for a bad instruction.
pub async fn commit(services: &Arc<Services>, reference: &str, commit: Commit) -> Result<Arc<Image>> {
    let container = services.containers.find(reference)?;
    let services = Arc::clone(services);
    let working = tokio::spawn(async move { run(&services, &container, commit).await });
    working.await.map_err(|error| Error::wrap(Class::Internal, error).context("commit"))?
}

async fn run(services: &Arc<Services>, container: &Arc<Container>, commit: Commit) -> Result<Arc<Image>> {
    let _verb = container.verb_lock.lock().await;
    if container.is_removing() {
        let message = format!("You cannot commit container {} which is being removed", container.id());
        return Err(Error::new(Class::Conflict, message));
    }
    let record = container.record();
    let mut config = run_config(&record.spec);
    overlay(&mut config, commit.config);
    let from = FromContainer {
        key: container.id().to_string(),
        base: record.image.id.parse().ok(),
        config,
        changes: commit.changes,
        created_by: arguments(&record.spec).join(" "),
        author: commit.author,
        comment: commit.comment.clone(),
        reference: commit.reference.clone(),
    };
    let frozen = if commit.pause { freeze(services, container).await? } else { None };
    let made = services.images.commit_container(from).await;
    if let Some(frozen) = frozen {
        frozen.thaw(container).await?;
    }
    let image = made?;
    let name = commit.reference.map(|name| name.or_latest().to_string()).unwrap_or_default();
    let action = ContainerAction::Commit {
        image: image.id.to_string(),
        reference: name.clone(),
        comment: commit.comment,
    };
    services.events.publish(super::event(&action, &record));
    crate::image::publish(services, ImageAction::Create, &image, &name);
    Ok(image)
}

fn arguments(spec: &ContainerSpec) -> Vec<String> {
    let process = &spec.process;
    process.entrypoint.iter().chain(&process.command).flatten().cloned().collect()
}

/// What the container has, its image's defaults included.
fn run_config(spec: &ContainerSpec) -> RunConfig {
    let process = &spec.process;
    let nanos = |time: std::time::Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    let ports = spec
        .network
        .exposed
        .iter()
        .map(|port| (format!("{}/{}", port.port, port.protocol.as_str()), Empty {}));
    RunConfig {
        user: process.user.clone(),
        exposed_ports: ports.collect(),
        env: process.env.clone(),
        entrypoint: process.entrypoint.clone(),
        cmd: process.command.clone(),
        volumes: spec.filesystem.anonymous_volumes.iter().map(|path| (path.clone(), Empty {})).collect(),
        working_dir: process.working_dir.clone(),
        labels: spec.labels.clone(),
        stop_signal: process.stop_signal.clone().unwrap_or_default(),
        healthcheck: spec.health.as_ref().map(|health| oci::Healthcheck {
            test: health.test.clone(),
            interval: nanos(health.interval),
            timeout: nanos(health.timeout),
            start_period: nanos(health.start_period),
            start_interval: nanos(health.start_interval),
            retries: health.retries.into(),
        }),
        on_build: spec.on_build.clone(),
        shell: spec.shell.clone(),
        ..RunConfig::default()
    }
}

/// Takes what the client has set.
fn overlay(config: &mut RunConfig, client: RunConfig) {
    fn take<T>(into: &mut T, from: T, set: bool) {
        if set {
            *into = from;
        }
    }
    let set = (!client.user.is_empty(), !client.working_dir.is_empty(), !client.stop_signal.is_empty());
    take(&mut config.user, client.user, set.0);
    take(&mut config.working_dir, client.working_dir, set.1);
    take(&mut config.stop_signal, client.stop_signal, set.2);
    let set = (client.cmd.is_some(), client.entrypoint.is_some(), client.healthcheck.is_some());
    take(&mut config.cmd, client.cmd, set.0);
    take(&mut config.entrypoint, client.entrypoint, set.1);
    take(&mut config.healthcheck, client.healthcheck, set.2);
    config.exposed_ports.extend(client.exposed_ports);
    config.volumes.extend(client.volumes);
    config.labels.extend(client.labels);
    config.env = super::create::merged_env(&config.env, &client.env);
    let set = (!client.on_build.is_empty(), !client.shell.is_empty());
    take(&mut config.on_build, client.on_build, set.0);
    take(&mut config.shell, client.shell, set.1);
}
