//! Credentials for registries, from docker's configuration and its credential helpers.

use crate::app::App;
use crate::config::ConfigFile;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Docker Hub's name in the configuration.
pub(crate) const HUB: &str = "https://index.docker.io/v1/";

/// The registry of a reference, by its name in the configuration.
pub(crate) fn registry_of(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => {
            if host == "docker.io" || host == "index.docker.io" { HUB } else { host }
        }
        _ => HUB,
    }
}

/// The `X-Registry-Auth` header for a reference; empty credentials when none are stored.
pub(crate) fn header(app: &App, reference: &str) -> String {
    encode(&lookup(app.config(), registry_of(reference)))
}

/// The header of given credentials.
pub(crate) fn encode(auth: &Value) -> String {
    URL_SAFE.encode(auth.to_string())
}

fn lookup(config: &ConfigFile, registry: &str) -> Value {
    let helper = config.cred_helpers.get(registry).cloned().unwrap_or_else(|| config.creds_store.clone());
    if !helper.is_empty()
        && let Some(auth) = from_helper(&helper, registry)
    {
        return auth;
    }
    let bare = |name: &str| {
        let name = name.trim_start_matches("https://").trim_start_matches("http://");
        name.split('/').next().unwrap_or(name).to_owned()
    };
    let exact = config.auths.get(registry);
    let stored =
        exact.or_else(|| config.auths.iter().find(|(name, _)| bare(name) == bare(registry)).map(|e| e.1));
    let Some(stored) = stored else { return json!({"serveraddress": registry}) };
    if !stored.identity_token.is_empty() {
        return json!({"identitytoken": stored.identity_token, "serveraddress": registry});
    }
    let decoded = STANDARD.decode(&stored.auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let (user, password) = decoded.as_deref().and_then(|text| text.split_once(':')).unwrap_or_default();
    json!({"username": user, "password": password.trim_end_matches('\0'), "serveraddress": registry})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Secret {
    username: String,
    secret: String,
}

/// Asks `docker-credential-NAME get`. One that fails or is missing has no credentials.
fn from_helper(name: &str, registry: &str) -> Option<Value> {
    let mut child = Command::new(format!("docker-credential-{name}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(registry.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let secret: Secret = serde_json::from_slice(&output.stdout).ok()?;
    // A user of that name marks an identity token.
    if secret.username == "<token>" {
        return Some(json!({"identitytoken": secret.secret, "serveraddress": registry}));
    }
    Some(json!({"username": secret.username, "password": secret.secret, "serveraddress": registry}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_of_references() {
        assert_eq!(registry_of("busybox"), HUB);
        assert_eq!(registry_of("me/app:1"), HUB);
        assert_eq!(registry_of("localhost/app"), "localhost");
        assert_eq!(registry_of("h:5000/app"), "h:5000");
        assert_eq!(registry_of("ghcr.io/a/b@sha256:0"), "ghcr.io");
    }
}
