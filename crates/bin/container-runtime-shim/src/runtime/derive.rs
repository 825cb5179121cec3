//! What libcontainer is given: the specification, less what the executor does in its stead.
//!
//! - `seccomp`: libcontainer drops it for an exec, loads it too late where `noNewPrivileges` is false, takes the mask of
//!   a masked comparison for its value, and compiles it each time.
//! - `capabilities`: once they are dropped, the filter can't be loaded any more.
//! - mounts of cgroup v1: libcontainer makes them writable whatever the options say. They become binds of the
//!   container's own cgroups.
//! - a bind on `/dev`: libcontainer makes its nodes and links in it, which would be the host's.
//! - `rlimits`: libcontainer sets them before its own work, which runs out of descriptors then.
//! - the user of an exec in a container with a user namespace of its own: libcontainer does not join that.
//! - `rootfsPropagation`: what libcontainer does is recursive anyhow, and it knows no `rslave`.
//! - a missing `HOME`: libcontainer would ask the C library, which in a static program loads code for that from the
//!   container's own files.
//!
//! The rest of the text stays as it is, and what is left is a fraction of what libcontainer would parse otherwise.

use super::{bound_devices, cgroup_mounts};
use crate::bundle::parse;
use crate::error::{Error, Result};
use crate::program::BoundDevices;
use libcontainer::oci_spec::runtime::{LinuxCapabilities, PosixRlimit};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::Path;

/// Where the shim builds a container's view of cgroups, in its bundle.
const STAGE: &str = "cgroups";

/// An object whose values are not looked into.
pub(super) type Object = BTreeMap<String, Box<RawValue>>;

/// A document for libcontainer, and what was taken out of it.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) text: Vec<u8>,
    /// The text of a profile without a listener.
    pub(super) seccomp: Option<String>,
    pub(super) capabilities: Option<LinuxCapabilities>,
    pub(super) limits: Vec<PosixRlimit>,
    /// Whether `HOME` has a stand-in.
    pub(super) home_missing: bool,
    pub(super) devices: Option<BoundDevices>,
}

/// From the text of `config.json`, that stands in `bundle`. `own_mounts`: the mount namespace is the shim's own.
pub(super) fn config(text: &[u8], bundle: &Path, own_mounts: bool) -> Result<Derived> {
    let path = bundle.join(shim_protocol::file::CONFIG);
    let mut config: Object = parse(&path, text)?;
    let mut linux: Object = field(&path, &config, "linux")?.unwrap_or_default();
    let seccomp = text_in(&linux, "seccomp").filter(|profile| !has_listener(profile));
    let propagation: Option<String> = field(&path, &linux, "rootfsPropagation")?;
    let plain = propagation.as_deref().and_then(|propagation| propagation.strip_prefix('r'));
    if let Some(plain) = plain {
        put(&path, &mut linux, "rootfsPropagation", &plain)?;
    }
    if seccomp.is_some() {
        linux.remove("seccomp");
    }
    if plain.is_some() || seccomp.is_some() {
        put(&path, &mut config, "linux", &linux)?;
    }
    let devices = bound_devices::take(&path, &mut config)?;
    let process: Object = field(&path, &config, "process")?.unwrap_or_default();
    let taken = self::process(&path, process)?;
    put(&path, &mut config, "process", &taken.object)?;
    make_root_absolute(&path, &mut config, bundle)?;
    // Below a bundle the root of a user namespace finds nothing.
    let stage = own_mounts && !has_user_namespace(text, bundle)?;
    cgroup_mounts::replace(&path, &mut config, stage.then(|| bundle.join(STAGE)).as_deref())?;
    Ok(Derived {
        text: text_of(&path, &config)?,
        seccomp,
        capabilities: taken.capabilities,
        limits: taken.limits,
        home_missing: taken.home_missing,
        devices,
    })
}

/// The same document for what comes after the creation: the namespaces that it joined are found at the init process,
/// since the paths that they were joined by may be descriptors of this process or of a daemon that is gone by then.
pub(super) fn settled(text: &[u8], bundle: &Path, pid: i32) -> Result<Vec<u8>> {
    let path = bundle.join(shim_protocol::file::CONFIG);
    let mut config: Object = parse(&path, text)?;
    let mut linux: Object = field(&path, &config, "linux")?.unwrap_or_default();
    let mut namespaces: Vec<serde_json::Value> = field(&path, &linux, "namespaces")?.unwrap_or_default();
    for namespace in &mut namespaces {
        if namespace["path"].is_string() {
            let name = match namespace["type"].as_str().unwrap_or_default() {
                "network" => "net",
                "mount" => "mnt",
                name => name,
            };
            namespace["path"] = format!("/proc/{pid}/ns/{name}").into();
        }
    }
    put(&path, &mut linux, "namespaces", &namespaces)?;
    put(&path, &mut config, "linux", &linux)?;
    text_of(&path, &config)
}

/// The text of the seccomp profile of a `config.json`, for an exec.
pub(super) fn seccomp(text: &[u8], bundle: &Path) -> Result<Option<String>> {
    let path = bundle.join(shim_protocol::file::CONFIG);
    let config: Object = parse(&path, text)?;
    let linux: Object = field(&path, &config, "linux")?.unwrap_or_default();
    Ok(text_in(&linux, "seccomp"))
}

/// Whether the container that this `config.json` describes has a user namespace of its own.
pub(super) fn has_user_namespace(text: &[u8], bundle: &Path) -> Result<bool> {
    let path = bundle.join(shim_protocol::file::CONFIG);
    let config: Object = parse(&path, text)?;
    let linux: Object = field(&path, &config, "linux")?.unwrap_or_default();
    let namespaces: Vec<serde_json::Value> = field(&path, &linux, "namespaces")?.unwrap_or_default();
    Ok(namespaces.iter().any(|namespace| namespace["type"] == "user"))
}

/// From the text of an exec's process. `as_root`: libcontainer leaves it the root that it is.
pub(super) fn exec(text: &[u8], seccomp: Option<String>, as_root: bool) -> Result<Derived> {
    let path = Path::new("the exec's process");
    let mut taken = process(path, parse(path, text)?)?;
    if as_root {
        let mut user: Object = field(path, &taken.object, "user")?.unwrap_or_default();
        user.remove("additionalGids");
        put(path, &mut user, "uid", &0)?;
        put(path, &mut user, "gid", &0)?;
        put(path, &mut taken.object, "user", &user)?;
    }
    let text = text_of(path, &taken.object)?;
    let Taken { capabilities, limits, home_missing, .. } = taken;
    Ok(Derived { text, seccomp, capabilities, limits, home_missing, devices: None })
}

struct Taken {
    object: Object,
    capabilities: Option<LinuxCapabilities>,
    limits: Vec<PosixRlimit>,
    home_missing: bool,
}

fn process(path: &Path, mut object: Object) -> Result<Taken> {
    if field(path, &object, "noNewPrivileges")? == Some(false) {
        object.remove("noNewPrivileges");
    }
    let capabilities = field(path, &object, "capabilities")?;
    object.remove("capabilities");
    let limits: Option<Vec<PosixRlimit>> = field(path, &object, "rlimits")?;
    object.remove("rlimits");
    let mut environment: Vec<String> = field(path, &object, "env")?.unwrap_or_default();
    let home = environment.iter().rev().find_map(|entry| entry.strip_prefix("HOME="));
    let home_missing = home.is_none_or(str::is_empty);
    if home_missing {
        environment.retain(|entry| !entry.starts_with("HOME="));
        environment.push("HOME=/".to_owned());
        put(path, &mut object, "env", &environment)?;
    }
    Ok(Taken { object, capabilities, limits: limits.unwrap_or_default(), home_missing })
}

fn make_root_absolute(path: &Path, config: &mut Object, bundle: &Path) -> Result<()> {
    let Some(mut root) = field::<Object>(path, config, "root")? else { return Ok(()) };
    let relative: String = field(path, &root, "path")?.unwrap_or_default();
    put(path, &mut root, "path", &bundle.join(relative))?;
    put(path, config, "root", &root)
}

/// Whether another process decides, which takes a conversation between libcontainer's processes.
fn has_listener(profile: &str) -> bool {
    profile.contains("SCMP_ACT_NOTIFY")
}

/// The text of a field that is there and not null.
fn text_in(object: &Object, name: &str) -> Option<String> {
    object.get(name).map(|value| value.get()).filter(|text| *text != "null").map(str::to_owned)
}

pub(super) fn field<T: DeserializeOwned>(path: &Path, object: &Object, name: &str) -> Result<Option<T>> {
    match object.get(name) {
        Some(value) => parse(path, value.get().as_bytes()),
        None => Ok(None),
    }
}

pub(super) fn put(path: &Path, object: &mut Object, name: &str, value: &impl Serialize) -> Result<()> {
    let value = serde_json::value::to_raw_value(value).map_err(|cause| broken(path, cause))?;
    object.insert(name.to_owned(), value);
    Ok(())
}

fn text_of(path: &Path, object: &Object) -> Result<Vec<u8>> {
    serde_json::to_vec(object).map_err(|cause| broken(path, cause))
}

fn broken(path: &Path, cause: serde_json::Error) -> Error {
    Error::Document { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn derive(config: &Value) -> (Derived, Value) {
        let derived = super::config(config.to_string().as_bytes(), Path::new("/bundle"), false).unwrap();
        let text = serde_json::from_slice(&derived.text).unwrap();
        (derived, text)
    }

    #[test]
    fn the_executors_part_is_taken_out_and_the_rest_stays() {
        let (derived, config) = derive(&json!({
            "ociVersion": "1.0.2",
            "root": {"path": "rootfs", "readonly": true},
            "process": {
                "args": ["sh"], "noNewPrivileges": false, "env": ["A=1", "HOME="],
                "capabilities": {"effective": ["CAP_KILL"]},
                "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 20}],
            },
            "linux": {"cgroupsPath": "/x", "rootfsPropagation": "rslave", "seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}},
        }));
        assert_eq!(derived.limits.len(), 1);
        assert!(derived.seccomp.is_some() && derived.capabilities.is_some() && derived.home_missing);
        assert_eq!(
            config,
            json!({
                "ociVersion": "1.0.2",
                "root": {"path": "/bundle/rootfs", "readonly": true},
                "process": {"args": ["sh"], "env": ["A=1", "HOME=/"]},
                "linux": {"cgroupsPath": "/x", "rootfsPropagation": "slave"},
            })
        );
    }

    #[test]
    fn a_listener_stays_with_libcontainer() {
        let rule = json!({"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"});
        let seccomp = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
        let (derived, config) =
            derive(&json!({"process": {"env": ["HOME=/x"]}, "linux": {"seccomp": seccomp}}));
        assert!(derived.seccomp.is_none() && !derived.home_missing);
        assert!(config["linux"]["seccomp"].is_object());
    }

    #[test]
    fn an_execs_user_is_the_executors_in_a_user_namespace() {
        let user = json!({"uid": 33, "gid": 7, "additionalGids": [8], "umask": 18});
        let text = json!({"user": user, "env": ["HOME=/"]}).to_string();
        let derived = super::exec(text.as_bytes(), None, true).unwrap();
        let text: Value = serde_json::from_slice(&derived.text).unwrap();
        assert_eq!(text["user"], json!({"uid": 0, "gid": 0, "umask": 18}));
        for (kind, expected) in [("pid", false), ("user", true)] {
            let config = json!({"linux": {"namespaces": [{"type": kind}]}}).to_string();
            assert_eq!(has_user_namespace(config.as_bytes(), Path::new("/bundle")).unwrap(), expected);
        }
    }

    #[test]
    fn null_is_nothing() {
        let (derived, _) =
            derive(&json!({"process": {"env": null, "capabilities": null, "rlimits": null}, "linux": null}));
        assert!(derived.capabilities.is_none() && derived.home_missing);
    }
}
