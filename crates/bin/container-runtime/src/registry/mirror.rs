//! From flags to the registries that ours is a mirror of.

use super::options;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use registry::{Client, Credentials, HostsConfig, Proxies, RetryPolicy};
use repositories::{Mirror, Repositories, Upstream};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Clients wait: rather an answer soon than one more try.
const ATTEMPTS: u32 = 3;

/// What of docker's `config.json` is of use here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Logins {
    auths: BTreeMap<String, Login>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Login {
    auth: String,
    identitytoken: Option<String>,
}

/// The mirror that the flags ask for; none: this registry is its own.
/// `directories`: where the certificates of registries are; `insecure`: who may speak plain HTTP.
pub(super) fn from(
    options: &options::Mirror,
    repositories: &Repositories,
    directories: Vec<PathBuf>,
    mut insecure: Vec<String>,
) -> Result<Option<Mirror>> {
    if options.mirror_of.is_empty() {
        return Ok(None);
    }
    let logins = options.mirror_credentials.as_deref().map(read).transpose()?.unwrap_or_default();
    let mut upstreams = Vec::new();
    for text in &options.mirror_of {
        let (plain, host) = host(text)?;
        insecure.extend(plain.then(|| host.to_owned()));
        let credentials = logins.of(host).with_context(|| format!("the login for {host}"))?;
        upstreams.push(Upstream { host: host.to_owned(), credentials });
    }
    let proxies = Proxies::from_environment();
    let hosts = HostsConfig { insecure, directories, proxies, direct: true, ..HostsConfig::default() };
    let policy = RetryPolicy { attempts: ATTEMPTS, ..RetryPolicy::default() };
    let client = Client::new(hosts, &format!("container-runtime/{}", engine::system::VERSION), policy);
    Ok(Some(Mirror::new(repositories.clone(), client, upstreams, options.mirror_ttl)))
}

/// Whether without TLS, and the host as names of images have it.
fn host(text: &str) -> Result<(bool, &str)> {
    let (plain, rest) = match text.split_once("://") {
        None => (false, text),
        Some(("https", rest)) => (false, rest),
        Some(("http", rest)) => (true, rest),
        Some(_) => {
            bail!("'{text}' is no registry: write HOST, HOST:PORT, or one of them with http:// or https://")
        }
    };
    let host = rest.trim_end_matches('/');
    let host = match host {
        "registry-1.docker.io" | "index.docker.io" => oci::DEFAULT_DOMAIN,
        host => host,
    };
    if host.is_empty() || host.contains('/') || !(host.contains(['.', ':']) || host == "localhost") {
        bail!("'{text}' is no registry: write HOST, HOST:PORT, or one of them with http:// or https://");
    }
    Ok((plain, host))
}

fn read(path: &Path) -> Result<Logins> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("read {}", path.display()))
}

impl Logins {
    fn of(&self, host: &str) -> Result<Option<Credentials>> {
        // Docker Hub is called by an address of its first days.
        let names =
            if host == oci::DEFAULT_DOMAIN { &["https://index.docker.io/v1/", host][..] } else { &[host] };
        let Some(login) = names.iter().find_map(|name| self.auths.get(*name)) else { return Ok(None) };
        if let Some(token) = login.identitytoken.clone().filter(|token| !token.is_empty()) {
            return Ok(Some(Credentials::IdentityToken(token)));
        }
        let text = BASE64_STANDARD.decode(&login.auth).context("it is no base64")?;
        let text = String::from_utf8(text).context("it is no text")?;
        let (user, password) = text.split_once(':').context("it has no password")?;
        Ok(Some(Credentials::Basic { user: user.to_owned(), password: password.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_hosts_with_or_without_a_scheme() {
        for (text, expected) in [
            ("docker.io", (false, "docker.io")),
            ("https://registry-1.docker.io/", (false, "docker.io")),
            ("http://10.0.0.1:5000", (true, "10.0.0.1:5000")),
            ("localhost", (false, "localhost")),
        ] {
            assert_eq!(host(text).unwrap(), expected, "{text}");
        }
        for bad in ["", "ftp://x.y", "x", "https://x.y/z"] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn logins_are_as_docker_writes_them() {
        let text = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"YTpi"},"x:1":{"auth":"","identitytoken":"t"}},"x":1}"#;
        let logins: Logins = serde_json::from_str(text).unwrap();
        let basic = Credentials::Basic { user: "a".to_owned(), password: "b".to_owned() };
        assert_eq!(logins.of("docker.io").unwrap(), Some(basic));
        assert_eq!(logins.of("x:1").unwrap(), Some(Credentials::IdentityToken("t".to_owned())));
        assert_eq!(logins.of("y").unwrap(), None);
    }
}
