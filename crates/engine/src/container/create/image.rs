//! The image that a container is made from, and what it says about containers.

use crate::Services;
use errors::{Class, Error, Result};
use images::{Image, ImageError};
use spec::{ContainerSpec, ExposedPort, Healthcheck};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The image that was named, for the platform that was named.
pub(super) async fn find(services: &Services, spec: &ContainerSpec) -> Result<Arc<Image>> {
    if spec.image.is_empty() {
        return Err(Error::new(Class::Invalid, "no image was named"));
    }
    let wanted = spec.platform.as_deref().map(str::parse::<oci::Platform>).transpose()?;
    match services.images.resolve_for(&spec.image, wanted.as_ref()) {
        Ok(image) => Ok(image),
        Err(error @ ImageError::WrongPlatform { .. }) => Err(error.into()),
        Err(error) => match services.images.load_embedded(&spec.image).await? {
            Some(image) => Ok(image),
            None => Err(error.into()),
        },
    }
}

/// Fills what the client left open from the image's configuration, as `docker create` does.
pub(super) fn merge(spec: &mut ContainerSpec, image: &Image) {
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
    spec.network.exposed.extend(config.exposed_ports.keys().filter_map(|text| ExposedPort::parse(text)));
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
pub(in super::super) fn merged_env(image: &[String], client: &[String]) -> Vec<String> {
    fn name(pair: &str) -> &str {
        pair.split('=').next().unwrap_or(pair)
    }
    let set: BTreeSet<&str> = client.iter().map(|pair| name(pair)).collect();
    client.iter().chain(image.iter().filter(|pair| !set.contains(name(pair)))).cloned().collect()
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
}
