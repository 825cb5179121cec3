//! `registries.conf` of podman, skopeo and CRI-O, version 2 (containers-registries.conf(5)): locations, mirrors, blocks.

use super::{Connection, Endpoint, HostsConfig, Purpose, base_of, certificates, origin};
use crate::{RegistryError, Result};
use oci::Reference;
use serde::Deserialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    registry: Vec<Registry>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Registry {
    prefix: Option<String>,
    location: Option<String>,
    insecure: bool,
    blocked: bool,
    mirror_by_digest_only: bool,
    mirror: Vec<Mirror>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Mirror {
    location: String,
    insecure: bool,
    pull_from_mirror: Option<String>,
}

pub(super) fn endpoints(
    config: &HostsConfig,
    reference: &Reference,
    purpose: Purpose,
) -> Result<Option<Vec<Endpoint>>> {
    let mut best: Option<(usize, PathBuf, Registry)> = None;
    for path in files(&config.registries_conf)? {
        for registry in read(&path)?.registry {
            // A later file replaces what an earlier one says of the same beginning.
            if let Some(length) = registry.matches(reference.name())
                && best.as_ref().is_none_or(|(longest, ..)| length >= *longest)
            {
                best = Some((length, path.clone(), registry));
            }
        }
    }
    match best {
        Some((length, path, registry)) => {
            places(config, &path, &registry, length, reference, purpose).map(Some)
        }
        None => Ok(None),
    }
}

impl Registry {
    /// How much of `name` the entry's prefix covers.
    fn matches(&self, name: &str) -> Option<usize> {
        let prefix = self.prefix.as_deref().or(self.location.as_deref())?;
        if let Some(suffix) = prefix.strip_prefix('*') {
            let host = name.split('/').next()?;
            return host.strip_suffix(suffix).filter(|rest| !rest.is_empty()).map(|_| host.len());
        }
        let rest = name.strip_prefix(prefix)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(prefix.len())
    }
}

fn places(
    config: &HostsConfig,
    path: &Path,
    registry: &Registry,
    covered: usize,
    reference: &Reference,
    purpose: Purpose,
) -> Result<Vec<Endpoint>> {
    if registry.blocked {
        return Err(RegistryError::Blocked { host: reference.domain().to_owned(), path: path.to_owned() });
    }
    let rest = &reference.name()[covered..];
    let mut places = Vec::new();
    for mirror in registry.mirror.iter().filter(|_| purpose == Purpose::Pull) {
        let only = if registry.mirror_by_digest_only {
            Some("digest-only")
        } else {
            mirror.pull_from_mirror.as_deref()
        };
        let serves = match only {
            Some("digest-only") => reference.digest().is_some(),
            Some("tag-only") => reference.digest().is_none(),
            _ => true,
        };
        if serves {
            let (domain, path) = located(&mirror.location, rest, path)?;
            let mut endpoint = Endpoint {
                base: base_of(&domain, mirror.insecure, false)?,
                path,
                namespace: None,
                is_mirror: true,
                is_origin: false,
                connection: Connection::default(),
            };
            endpoint.connection = certificates::of(&config.directories, &domain)?;
            endpoint.connection.skip_verify = mirror.insecure;
            places.push(endpoint);
        }
    }
    let (domain, there) = match &registry.location {
        Some(location) => located(location, rest, path)?,
        None => (reference.domain().to_owned(), reference.path().to_owned()),
    };
    places.extend(origin(config, &domain, &there, registry.insecure)?);
    Ok(places)
}

/// Host and repository of `location` and what follows the covered beginning of a name.
fn located(location: &str, rest: &str, path: &Path) -> Result<(String, String)> {
    let whole = format!("{location}{rest}");
    let split = whole.split_once('/').filter(|(host, path)| !host.is_empty() && !path.is_empty());
    let (host, repository) = split.ok_or_else(|| RegistryError::BadConfig {
        path: path.to_owned(),
        reason: format!("'{location}' is no location for {rest}"),
    })?;
    Ok((host.to_owned(), repository.to_owned()))
}

fn read(path: &Path) -> Result<File> {
    let text = fs::read_to_string(path)
        .map_err(|source| RegistryError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text)
        .map_err(|error| RegistryError::BadConfig { path: path.to_owned(), reason: error.to_string() })
}

/// The files that exist, those of a directory in the order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |source| RegistryError::Unreadable { path: path.clone(), source };
        match fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => files.push(path.clone()),
            Err(error) => return Err(unreadable(error)),
            Ok(entries) => {
                let mut inside = Vec::new();
                for entry in entries {
                    inside.push(entry.map_err(unreadable)?.path());
                }
                inside.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
                inside.sort();
                files.extend(inside);
            }
        }
    }
    Ok(files)
}
