//! Docker contexts: named endpoints, one directory each below `contexts/meta`.

use crate::failure::{Failure, Outcome};
use engine_client::TlsFiles;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The store of contexts; it is docker's own and only read here.
#[derive(Debug)]
pub(crate) struct Contexts(PathBuf);

/// A stored context.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) name: String,
    pub(crate) description: String,
    /// The daemon's address.
    pub(crate) host: String,
    pub(crate) skip_tls_verify: bool,
    /// Its directories of metadata and TLS material.
    pub(crate) meta: PathBuf,
    pub(crate) tls: PathBuf,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Meta {
    name: String,
    metadata: BTreeMap<String, serde_json::Value>,
    endpoints: BTreeMap<String, EndpointMeta>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EndpointMeta {
    #[serde(rename = "Host")]
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

impl Contexts {
    /// The store below docker's configuration directory.
    pub(crate) fn new(config_dir: &Path) -> Self {
        Self(config_dir.join("contexts"))
    }

    /// All contexts, sorted by name.
    pub(crate) fn list(&self) -> Vec<Context> {
        let entries = std::fs::read_dir(self.0.join("meta")).into_iter().flatten().flatten();
        let mut all: Vec<Context> = entries.filter_map(|entry| self.read(&entry.path())).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// One context by name.
    pub(crate) fn get(&self, name: &str) -> Outcome<Context> {
        let missing = || Failure::new(format!("context {name:?}: context not found"));
        self.list().into_iter().find(|context| context.name == name).ok_or_else(missing)
    }

    fn read(&self, directory: &Path) -> Option<Context> {
        let text = std::fs::read(directory.join("meta.json")).ok()?;
        let mut meta: Meta = serde_json::from_slice(&text).ok()?;
        let endpoint = meta.endpoints.remove("docker").unwrap_or_default();
        let description = meta.metadata.get("Description").and_then(serde_json::Value::as_str);
        Some(Context {
            description: description.unwrap_or_default().to_owned(),
            name: meta.name,
            host: endpoint.host,
            skip_tls_verify: endpoint.skip_tls_verify,
            meta: directory.to_owned(),
            tls: self.0.join("tls").join(directory.file_name()?),
        })
    }
}

impl Context {
    /// The TLS material, when the context has any.
    pub(crate) fn tls_files(&self) -> Option<TlsFiles> {
        let directory = self.tls.join("docker");
        let file = |name: &str| Some(directory.join(name)).filter(|path| path.exists());
        let (ca, cert, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
        if ca.is_none() && cert.is_none() && !self.skip_tls_verify {
            return None;
        }
        Some(TlsFiles { ca, cert, key, verify: !self.skip_tls_verify })
    }
}
