//! Images as registries have them, and pulls of them.

use crate::scripted::Registry;
use crate::support::{Home, digest};
use images::{Progress, Pull, Pulled, Push, Result};
use oci::media;
use registry::{Client, HostsConfig, Purpose, Repository, RetryPolicy};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::time::Duration;

/// An image as a registry has it.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Vec<u8>>,
    pub(crate) manifest: Value,
}

impl Served {
    /// An OCI image of plain layers, each compressed so.
    pub(crate) fn new(plain: &[Vec<u8>], compress: fn(&[u8]) -> Vec<u8>) -> Self {
        Self::of("amd64", plain, compress)
    }

    pub(crate) fn of(architecture: &str, plain: &[Vec<u8>], compress: fn(&[u8]) -> Vec<u8>) -> Self {
        let diff_ids: Vec<_> = plain.iter().map(|layer| digest(layer)).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {"Cmd": ["sh"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        Self::with(&config, plain.iter().map(|layer| compress(layer)).collect())
    }

    /// Whatever config, over whatever blobs.
    pub(crate) fn with(config: &Value, layers: Vec<Vec<u8>>) -> Self {
        let config = config.to_string().into_bytes();
        let list: Vec<_> = layers.iter().map(|layer| descriptor(media::LAYER_GZIP, layer)).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media::MANIFEST,
            "config": descriptor(media::CONFIG, &config), "layers": list,
        });
        Self { config, layers, manifest }
    }

    /// The same in docker's words.
    pub(crate) fn docker(mut self) -> Self {
        self.manifest["mediaType"] = json!(media::DOCKER_MANIFEST);
        self.manifest["config"]["mediaType"] = json!(media::DOCKER_CONFIG);
        for layer in self.manifest["layers"].as_array_mut().unwrap() {
            layer["mediaType"] = json!(media::DOCKER_LAYER);
        }
        self
    }

    pub(crate) fn id(&self) -> String {
        digest(&self.config)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.manifest.to_string().into_bytes()
    }

    pub(crate) fn digest(&self) -> String {
        digest(&self.bytes())
    }

    /// Path of a layer's blob in the registry.
    pub(crate) fn layer(&self, number: usize) -> String {
        format!("app/blobs/{}", digest(&self.layers[number]))
    }

    /// Puts blobs and manifest into the repository `app`.
    pub(crate) fn put(&self, registry: &Registry) {
        for blob in self.layers.iter().chain([&self.config]) {
            registry.put_blob("app", &digest(blob), blob.clone());
        }
        registry.put(&format!("app/manifests/{}", self.digest()), None, self.bytes());
    }

    /// The same, with a tag.
    pub(crate) fn tag(&self, registry: &Registry, tag: &str) {
        self.put(registry);
        registry.put(&format!("app/manifests/{tag}"), None, self.bytes());
    }

    /// Of its manifest, in an index.
    pub(crate) fn descriptor(&self, platform: &str) -> Value {
        let mut found = descriptor(media::MANIFEST, &self.bytes());
        let (os, architecture) = platform.split_once('/').unwrap();
        found["platform"] = json!({"os": os, "architecture": architecture});
        found
    }
}

pub(crate) fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(content), "size": content.len()})
}

/// An index in the repository `app`; its digest.
pub(crate) fn index(registry: &Registry, tag: Option<&str>, manifests: &[Value]) -> (Vec<u8>, String) {
    let document = json!({"schemaVersion": 2, "mediaType": media::INDEX, "manifests": manifests});
    let bytes = document.to_string().into_bytes();
    let found = digest(&bytes);
    for target in tag.into_iter().chain([found.as_str()]) {
        registry.put(&format!("app/manifests/{target}"), Some(media::INDEX), bytes.clone());
    }
    (bytes, found)
}

pub(crate) fn repository(registry: &Registry, purpose: Purpose) -> Repository {
    let policy = RetryPolicy {
        attempts: 2,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(10),
        connect: Duration::from_secs(2),
        silence: Duration::from_secs(5),
    };
    let client = Client::new(HostsConfig::default(), "tests", policy);
    client.repository(&name(registry, ""), None, purpose).unwrap()
}

/// `127.0.0.1:<port>/app` and what is put behind it.
pub(crate) fn name(registry: &Registry, suffix: &str) -> oci::Reference {
    format!("{}/app{suffix}", registry.host()).parse().unwrap()
}

/// Pulls `app:tag` or `app@digest`.
pub(crate) async fn pull(home: &Home, registry: &Registry, suffix: &str) -> Result<Pulled> {
    pull_for(home, registry, suffix, None).await
}

pub(crate) async fn pull_for(
    home: &Home,
    registry: &Registry,
    suffix: &str,
    platform: Option<&str>,
) -> Result<Pulled> {
    let platform = platform.map(|platform| platform.parse().unwrap());
    let pull = Pull { reference: name(registry, suffix), platform };
    home.images.pull(&repository(registry, Purpose::Pull), &pull, &|_| {}).await
}

/// The lines that a pull tells.
pub(crate) async fn notes(home: &Home, registry: &Registry, suffix: &str) -> Vec<String> {
    let lines = Mutex::new(Vec::new());
    let pull = Pull { reference: name(registry, suffix), platform: None };
    let tell = |progress| {
        if let Progress::Note { text, .. } = progress {
            lines.lock().unwrap().push(text);
        }
    };
    home.images.pull(&repository(registry, Purpose::Pull), &pull, &tell).await.unwrap();
    lines.into_inner().unwrap()
}

pub(crate) fn push_of(registry: &Registry, suffix: &str) -> Push {
    Push { reference: name(registry, suffix), platform: None, uploads: 3 }
}

/// Text of an error and of all its causes.
pub(crate) fn text(error: images::ImageError) -> String {
    errors::Error::from(error).to_string()
}
