//! What the shim itself reads in a bundle; the runtime reads the rest.

use crate::devices::Rule;
use crate::error::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shim_protocol::{Log, Options, Runtime, file};
use std::io::ErrorKind;
use std::path::Path;

/// The parts of `config.json` that concern the shim.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Config {
    pub(crate) process: Process,
    pub(crate) linux: Linux,
}

/// A process, in `config.json` or in an exec's request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Process {
    pub(crate) terminal: bool,
    pub(crate) console_size: Option<ConsoleSize>,
    pub(crate) cwd: String,
    pub(crate) user: User,
    pub(crate) no_new_privileges: Option<bool>,
}

/// Of a terminal, in characters.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
pub(crate) struct ConsoleSize {
    pub(crate) height: u16,
    pub(crate) width: u16,
}

/// Whom the process runs as, by the container's numbers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    #[serde(rename = "additionalGids")]
    pub(crate) groups: Option<Vec<u32>>,
}

/// Namespaces and what belongs to them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Linux {
    namespaces: Vec<Namespace>,
    uid_mappings: Vec<IdMapping>,
    gid_mappings: Vec<IdMapping>,
    pub(crate) resources: Resources,
}

/// The limits that the shim itself sees to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Resources {
    pub(crate) devices: Option<Vec<Rule>>,
}

#[derive(Debug, Deserialize)]
struct Namespace {
    #[serde(rename = "type")]
    kind: String,
    path: Option<String>,
}

#[derive(Debug, Deserialize)]
struct IdMapping {
    #[serde(rename = "containerID")]
    inside: u32,
    #[serde(rename = "hostID")]
    outside: u32,
    size: u32,
}

impl Linux {
    /// Whether the kernel ends every process of the container along with its first.
    pub(crate) fn has_own_pid_namespace(&self) -> bool {
        self.namespaces.iter().any(|namespace| namespace.kind == "pid" && namespace.path.is_none())
    }

    /// The host's number for a user of the container's.
    pub(crate) fn host_uid(&self, uid: u32) -> u32 {
        on_host(&self.uid_mappings, uid)
    }

    /// The host's number for a group of the container's.
    pub(crate) fn host_gid(&self, gid: u32) -> u32 {
        on_host(&self.gid_mappings, gid)
    }

    /// The user namespace that the container joins, made ahead for it; none: the shim's own, or one to be made.
    pub(crate) fn user_namespace(&self) -> Option<&Path> {
        let user = self.namespaces.iter().find(|namespace| namespace.kind == "user")?;
        user.path.as_deref().map(Path::new)
    }
}

fn on_host(mappings: &[IdMapping], id: u32) -> u32 {
    let mapping = mappings.iter().find(|mapping| id.wrapping_sub(mapping.inside) < mapping.size);
    mapping.map_or(id, |mapping| mapping.outside.wrapping_add(id - mapping.inside))
}

/// Reads `config.json`.
pub(crate) fn config(bundle: &Path) -> Result<Config> {
    let path = bundle.join(file::CONFIG);
    let text = std::fs::read(&path).map_err(|cause| Error::file("read", &path, cause))?;
    parse(&path, &text)
}

/// Reads `shim.json`; without one it is a containerd that asks, and it mounts and logs for itself.
pub(crate) fn options(bundle: &Path) -> Result<Options> {
    let path = bundle.join(file::OPTIONS);
    match std::fs::read(&path) {
        Ok(text) => parse(&path, &text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Options {
            runtime: Runtime::Libcontainer,
            log: Log::None,
            stdin_once: false,
            private_mounts: false,
            systemd_cgroup: false,
            events_address: None,
            filters: None,
            spool: None,
        }),
        Err(cause) => Err(Error::file("read", &path, cause)),
    }
}

/// Parses the text of a document that stands, or would stand, at `path`.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|cause| Error::Document { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_mapped_and_a_shared_pid_namespace_is_not_ones_own() {
        let text =
            br#"{"process": {"user": {"uid": 7}}, "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW"},
            "namespaces": [{"type": "mount"}, {"type": "pid", "path": "/proc/1/ns/pid"}],
            "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 10}]}}"#;
        let config: Config = parse(Path::new("config.json"), text).unwrap();
        assert!(!config.linux.has_own_pid_namespace());
        assert_eq!(config.linux.host_uid(config.process.user.uid), 100_007);
        assert_eq!(config.linux.host_uid(10), 10);
    }

    #[test]
    fn a_bundle_without_options_is_containerds() {
        let bundle = tempfile::tempdir().unwrap();
        assert_eq!(options(bundle.path()).unwrap().runtime, Runtime::Libcontainer);
        std::fs::write(bundle.path().join("shim.json"), "{").unwrap();
        let message = errors::chain(&options(bundle.path()).unwrap_err());
        assert!(message.contains("shim.json"), "{message}");
    }
}
