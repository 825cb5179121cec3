//! Registries on loopback: one of our own for the run, and what the distribution specification needs of any.

use anyhow::{Context, Result, bail, ensure};
use oci::{Digest, Platform};
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// All that has layers or leads to it.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A repository, reached without encryption and without credentials.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    http: reqwest::Client,
    /// `http://HOST/v2/NAME`.
    url: String,
}

impl Repository {
    pub(super) fn new(host: &str, name: &str) -> Self {
        // The client wants one even where nothing is encrypted; an error means that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { http: reqwest::Client::new(), url: format!("http://{host}/v2/{name}") }
    }

    /// The manifest for this host, with its media type.
    pub(super) async fn manifest(&self, reference: &str) -> Result<(String, Value)> {
        let mut reference = reference.to_owned();
        loop {
            let url = format!("{}/manifests/{reference}", self.url);
            let response = self.http.get(&url).header(ACCEPT, ACCEPTED).send().await?.error_for_status()?;
            let manifest: Value = serde_json::from_slice(&response.bytes().await?)?;
            let media_type = manifest["mediaType"].as_str().unwrap_or_default().to_owned();
            if !oci::media::is_index(&media_type) {
                return Ok((media_type, manifest));
            }
            reference = for_this_host(&manifest).with_context(|| format!("{url} has none for this host"))?;
        }
    }

    pub(super) async fn blob(&self, digest: &str) -> Result<Vec<u8>> {
        let url = format!("{}/blobs/{digest}", self.url);
        let response = self.http.get(&url).send().await?.error_for_status()?;
        Ok(response.bytes().await?.into())
    }

    pub(super) async fn put_blob(&self, digest: &Digest, content: Vec<u8>) -> Result<()> {
        let url = format!("{}/blobs/uploads/", self.url);
        let response = self.http.post(&url).send().await?.error_for_status()?;
        let location = response.headers().get(LOCATION).context("no place to upload to")?.to_str()?;
        let mut target = response.url().join(location)?;
        target.query_pairs_mut().append_pair("digest", digest.as_str());
        self.http.put(target).body(content).send().await?.error_for_status()?;
        Ok(())
    }

    pub(super) async fn put_manifest(&self, tag: &str, media_type: &str, manifest: Vec<u8>) -> Result<()> {
        let url = format!("{}/manifests/{tag}", self.url);
        let request = self.http.put(&url).header(CONTENT_TYPE, media_type).body(manifest);
        request.send().await?.error_for_status()?;
        Ok(())
    }
}

fn for_this_host(index: &Value) -> Option<String> {
    let host = Platform::host();
    let rank = |entry: &&Value| {
        let part = |name: &str| entry["platform"][name].as_str().unwrap_or_default();
        host.rank(&Platform::new(part("os"), part("architecture"), part("variant")))
    };
    let entries = index["manifests"].as_array()?.iter();
    let best = entries.filter(|entry| rank(entry).is_some()).min_by_key(rank)?;
    best["digest"].as_str().map(str::to_owned)
}

/// A registry of our own, for as long as it is held.
#[derive(Debug)]
pub(super) struct PrivateRegistry {
    process: Child,
    pub(super) address: String,
}

impl PrivateRegistry {
    pub(super) fn start(storage: &Path) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["registry", "serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--storage"])
            .arg(storage)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("start a registry")?;
        let output = process.stdout.take().context("the registry's output")?;
        let mut registry = Self { process, address: String::new() };
        for line in BufReader::new(output).lines() {
            if let Some(address) = line?.strip_prefix("listening on ") {
                address.clone_into(&mut registry.address);
                return Ok(registry);
            }
        }
        bail!("the registry does not say where it listens")
    }
}

impl Drop for PrivateRegistry {
    fn drop(&mut self) {
        // It keeps nothing that anybody needs.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `HOST[:PORT]/NAME[:TAG]`.
pub(super) fn split(image: &str) -> Result<(&str, &str, &str)> {
    let (host, rest) = image.split_once('/').unwrap_or_default();
    let (name, tag) = rest.rsplit_once(':').unwrap_or((rest, "latest"));
    ensure!(
        host.contains(['.', ':']) && !name.is_empty(),
        "{image:?} is not in a registry: write HOST:PORT/NAME[:TAG]"
    );
    Ok((host, name, tag))
}
