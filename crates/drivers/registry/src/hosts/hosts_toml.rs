//! containerd's `hosts.toml`, one in a directory of the host's name, or in `_default` for all others.

use super::{Connection, Endpoint, HostsConfig, Purpose, base_of, certificates, is_insecure, origin};
use crate::{RegistryError, Result};
use oci::Reference;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, Deserialize)]
struct File {
    server: Option<String>,
    /// In the order of the file, which is the order to try.
    #[serde(default)]
    host: toml::Table,
    #[serde(flatten)]
    of_server: Host,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct Host {
    #[serde(default)]
    capabilities: Option<Vec<String>>,
    #[serde(default)]
    ca: OneOrMany<String>,
    #[serde(default)]
    client: OneOrMany<Client>,
    #[serde(default)]
    skip_verify: Option<bool>,
    #[serde(default)]
    override_path: bool,
    #[serde(default)]
    header: std::collections::BTreeMap<String, OneOrMany<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T: Clone> OneOrMany<T> {
    fn all(&self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one.clone()],
            Self::Many(many) => many.clone(),
        }
    }
}

/// One file with both, or a certificate and its key.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Client {
    Both(PathBuf),
    Pair(Vec<PathBuf>),
}

pub(super) fn endpoints(
    config: &HostsConfig,
    reference: &Reference,
    purpose: Purpose,
) -> Result<Option<Vec<Endpoint>>> {
    for directory in &config.directories {
        for name in [reference.domain(), "_default"] {
            let path = directory.join(name).join("hosts.toml");
            if let Some(file) = read(&path)? {
                return places(config, &path, &file, reference, purpose).map(Some);
            }
        }
    }
    Ok(None)
}

fn read(path: &Path) -> Result<Option<File>> {
    match fs::read_to_string(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(source) => Err(RegistryError::Unreadable { path: path.to_owned(), source }),
        Ok(text) => toml::from_str(&text).map(Some).map_err(|error| bad(path, error.to_string())),
    }
}

fn bad(path: &Path, reason: impl Into<String>) -> RegistryError {
    RegistryError::BadConfig { path: path.to_owned(), reason: reason.into() }
}

fn places(
    config: &HostsConfig,
    path: &Path,
    file: &File,
    reference: &Reference,
    purpose: Purpose,
) -> Result<Vec<Endpoint>> {
    let wanted: &[&str] = if purpose == Purpose::Pull { &["pull", "resolve"] } else { &["push"] };
    let can = |host: &Host| match &host.capabilities {
        None => true,
        Some(list) => wanted.iter().all(|wanted| list.iter().any(|capability| capability == wanted)),
    };
    let mut places = Vec::new();
    for (url, table) in &file.host {
        let host: Host =
            table.clone().try_into().map_err(|error: toml::de::Error| bad(path, error.to_string()))?;
        if can(&host) {
            places.push(place(config, path, url, &host, reference)?);
        }
    }
    match &file.server {
        Some(server) => places.push(Endpoint {
            is_mirror: false,
            is_origin: false,
            namespace: None,
            ..place(config, path, server, &file.of_server, reference)?
        }),
        None => places.extend(origin(config, reference.domain(), reference.path(), false)?),
    }
    Ok(places)
}

fn place(
    config: &HostsConfig,
    path: &Path,
    url: &str,
    host: &Host,
    reference: &Reference,
) -> Result<Endpoint> {
    let relative =
        |file: PathBuf| path.parent().map_or_else(|| file.clone(), |directory| directory.join(&file));
    let mut endpoint = Endpoint {
        base: base_of(url, false, host.override_path)?,
        path: reference.path().to_owned(),
        namespace: Some(reference.domain().to_owned()),
        is_mirror: true,
        is_origin: false,
        connection: Connection::default(),
    };
    let mut connection = certificates::of(&config.directories, endpoint.host())?;
    connection.authorities.extend(host.ca.all().into_iter().map(|file| relative(file.into())));
    for client in host.client.all() {
        connection.identities.push(match client {
            Client::Both(file) => (relative(file.clone()), relative(file)),
            Client::Pair(pair) => match <[PathBuf; 2]>::try_from(pair) {
                Ok([certificate, key]) => (relative(certificate), relative(key)),
                Err(_) => return Err(bad(path, "a client is a file, or a pair of certificate and key")),
            },
        });
    }
    connection.skip_verify = host
        .skip_verify
        .unwrap_or_else(|| connection.authorities.is_empty() && is_insecure(config, endpoint.host()));
    connection.headers = headers(path, host)?;
    endpoint.connection = connection;
    Ok(endpoint)
}

fn headers(path: &Path, host: &Host) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, values) in &host.header {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad(path, format!("'{name}' is no header")))?;
        for value in values.all() {
            let value = HeaderValue::from_str(&value)
                .map_err(|_| bad(path, format!("a bad value for the header {name}")))?;
            headers.append(name.clone(), value);
        }
    }
    Ok(headers)
}
