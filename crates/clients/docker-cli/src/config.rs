//! Docker's own files below `~/.docker`: `config.json` and the stored contexts.

mod contexts;
pub(crate) mod credentials;
mod endpoints;

pub(crate) use contexts::Contexts;
pub(crate) use endpoints::Endpoints;

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is used of `config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConfigFile {
    #[serde(rename = "HttpHeaders")]
    pub(crate) http_headers: BTreeMap<String, String>,
    #[serde(rename = "currentContext")]
    pub(crate) current_context: String,
    #[serde(rename = "detachKeys")]
    pub(crate) detach_keys: String,
    #[serde(rename = "psFormat")]
    pub(crate) ps_format: String,
    #[serde(rename = "imagesFormat")]
    pub(crate) images_format: String,
    #[serde(rename = "networksFormat")]
    pub(crate) networks_format: String,
    #[serde(rename = "volumesFormat")]
    pub(crate) volumes_format: String,
    #[serde(rename = "statsFormat")]
    pub(crate) stats_format: String,
    #[serde(rename = "pruneFilters")]
    pub(crate) prune_filters: Vec<String>,
    pub(crate) auths: BTreeMap<String, Auth>,
    pub(crate) proxies: BTreeMap<String, Proxy>,
    #[serde(rename = "credsStore")]
    pub(crate) creds_store: String,
    #[serde(rename = "credHelpers")]
    pub(crate) cred_helpers: BTreeMap<String, String>,
}

/// The credentials of one registry.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Auth {
    /// `user:password` in base64.
    pub(crate) auth: String,
    #[serde(rename = "identitytoken")]
    pub(crate) identity_token: String,
}

/// Proxy settings that containers get as environment variables.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Proxy {
    pub(crate) http_proxy: String,
    pub(crate) https_proxy: String,
    pub(crate) no_proxy: String,
    pub(crate) ftp_proxy: String,
    pub(crate) all_proxy: String,
}

impl ConfigFile {
    /// Reads the file of `directory`; the second value is a warning about a file that could not be used.
    pub(crate) fn load(directory: &Path) -> (Self, Option<String>) {
        let path = directory.join("config.json");
        let problem = |why: String| {
            let text = format!("Error loading config file: {}: {why}", path.display());
            (Self::default(), Some(text))
        };
        match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Self::default(), None),
            Err(error) => problem(error.to_string()),
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(config) => (config, None),
                Err(error) => problem(error.to_string()),
            },
        }
    }

    /// The proxy variables that new containers get, in both spellings, unless the user set one.
    pub(crate) fn proxy_environment(&self, host: &str, given: &[String]) -> Vec<String> {
        let Some(proxy) = self.proxies.get(host).or_else(|| self.proxies.get("default")) else {
            return Vec::new();
        };
        let settings = [
            ("HTTP_PROXY", &proxy.http_proxy),
            ("HTTPS_PROXY", &proxy.https_proxy),
            ("NO_PROXY", &proxy.no_proxy),
            ("FTP_PROXY", &proxy.ftp_proxy),
            ("ALL_PROXY", &proxy.all_proxy),
        ];
        let is_given = |name: &str| given.iter().any(|entry| entry.split('=').next() == Some(name));
        settings
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .flat_map(|(name, value)| [(name.to_string(), value), (name.to_lowercase(), value)])
            .filter(|(name, _)| !is_given(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }
}

/// The configuration directory: `--config`, `DOCKER_CONFIG`, `~/.docker`.
pub(crate) fn directory(flag: Option<&str>) -> PathBuf {
    if let Some(flag) = flag.filter(|flag| !flag.is_empty()) {
        return PathBuf::from(flag);
    }
    match std::env::var_os("DOCKER_CONFIG").filter(|value| !value.is_empty()) {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".docker"),
    }
}
