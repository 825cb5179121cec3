//! A bind on `/dev`, by the user's wish: libcontainer gets a tmpfs there to work in, and the executor moves the bind over
//! it. See [`BoundDevices`].

use super::ahead::is_bind;
use super::derive::{Object, field, put};
use crate::error::{Error, Result};
use crate::program::{BoundDevices, PLACE};
use rustix::mount::MountPropagationFlags;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const DEVICES: &str = "/dev";

/// Which of the mounts is the bind that the container's `/dev` is.
pub(super) fn position(mounts: &[Value]) -> Option<usize> {
    let last = mounts.iter().rposition(|mount| destination(mount) == Path::new(DEVICES))?;
    is_bind(&mounts[last]).then_some(last)
}

/// Takes it off `/dev`; none: there is no such bind.
pub(super) fn take(path: &Path, config: &mut Object) -> Result<Option<BoundDevices>> {
    let mut mounts: Vec<Value> = field(path, config, "mounts")?.unwrap_or_default();
    let Some(position) = position(&mounts) else { return Ok(None) };
    refuse_hidden(path, config)?;
    let mut bound = BoundDevices::default();
    (bound.propagation, bound.is_shared) = propagation(&mounts[position]);
    for mount in &mounts[position + 1..] {
        let Ok(place) = destination(mount).strip_prefix(DEVICES) else { continue };
        if !bound.covers.iter().any(|cover| place.starts_with(cover)) {
            // A mount over others hides them.
            bound.covers.retain(|cover| !cover.starts_with(place));
            bound.covers.push(place.to_owned());
            bound.has_terminals |= place == Path::new("pts") && mount["type"] == "devpts";
        }
    }
    if !bound.covers.iter().any(|cover| cover.starts_with("pts")) {
        // A terminal takes one even where its name can't be seen.
        if !bound.is_shared && has_place_for_terminals(&mounts[position]) {
            bound.covers.push("pts".into());
            bound.has_terminals = true;
        }
        mounts.push(terminals());
    }
    mounts[position]["destination"] = PLACE.into();
    mounts.insert(position, stand_in());
    put(path, config, "mounts", &mounts)?;
    bound.directory = take_directory(path, config)?;
    Ok(Some(bound))
}

fn destination(mount: &Value) -> &Path {
    Path::new(mount["destination"].as_str().unwrap_or_default())
}

/// Where libcontainer would hide a path it is on the tmpfs, and the bind's is not hidden.
fn refuse_hidden(path: &Path, config: &Object) -> Result<()> {
    let linux: Object = field(path, config, "linux")?.unwrap_or_default();
    for name in ["maskedPaths", "readonlyPaths"] {
        let paths: Vec<PathBuf> = field(path, &linux, name)?.unwrap_or_default();
        if let Some(hidden) = paths.iter().find(|path| path.starts_with(DEVICES)) {
            let what = format!("linux.{name} with {} where a bind is on {DEVICES}", hidden.display());
            return Err(Error::Unsupported { what });
        }
    }
    Ok(())
}

/// What the bind's options say, and whether that is to share.
fn propagation(bind: &Value) -> (Option<MountPropagationFlags>, bool) {
    let options = bind["options"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut named = options.filter_map(|option| match option {
        "private" | "rprivate" => Some((Some(MountPropagationFlags::PRIVATE), false)),
        "slave" | "rslave" => Some((Some(MountPropagationFlags::DOWNSTREAM), false)),
        "unbindable" | "runbindable" => Some((Some(MountPropagationFlags::UNBINDABLE), false)),
        "shared" | "rshared" => Some((None, true)),
        _ => None,
    });
    named.next_back().unwrap_or((Some(MountPropagationFlags::PRIVATE), false))
}

fn has_place_for_terminals(bind: &Value) -> bool {
    let source = Path::new(bind["source"].as_str().unwrap_or_default());
    source.join("pts").symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}

fn terminals() -> Value {
    let options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"];
    json!({"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": options})
}

fn stand_in() -> Value {
    let options = ["nosuid", "strictatime", "mode=755", "size=65536k"];
    json!({"destination": DEVICES, "type": "tmpfs", "source": "tmpfs", "options": options})
}

/// A working directory below `/dev` is not there yet when libcontainer looks for it.
fn take_directory(path: &Path, config: &mut Object) -> Result<Option<PathBuf>> {
    let mut process: Object = field(path, config, "process")?.unwrap_or_default();
    let directory: Option<PathBuf> = field(path, &process, "cwd")?;
    let Some(directory) = directory.filter(|directory| directory.starts_with(DEVICES)) else {
        return Ok(None);
    };
    put(path, &mut process, "cwd", &"/")?;
    put(path, config, "process", &process)?;
    Ok(Some(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(config: &Value) -> (Result<Option<BoundDevices>>, Value) {
        let path = Path::new("config.json");
        let mut object = crate::bundle::parse(path, config.to_string().as_bytes()).unwrap();
        let bound = take(path, &mut object);
        (bound, serde_json::to_value(&object).unwrap())
    }

    fn bind(destination: &str, source: &Path, options: &[&str]) -> Value {
        json!({"destination": destination, "type": "bind", "source": source, "options": options})
    }

    #[test]
    fn libcontainer_gets_a_tmpfs_and_the_executor_what_belongs_on_the_bind() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("pts")).unwrap();
        let source = Path::new("/source");
        let own = bind("/dev/", directory.path(), &["rbind", "rro", "rslave"]);
        let mounts =
            [bind("/a", source, &[]), own, bind("/dev/x", source, &[]), bind("/dev/x/y", source, &[])];
        let (bound, config) = taken(&json!({"mounts": mounts, "process": {"cwd": "/dev/x"}}));
        let bound = bound.unwrap().unwrap();
        assert_eq!(bound.covers, [Path::new("x"), Path::new("pts")]);
        assert_eq!(bound.propagation, Some(MountPropagationFlags::DOWNSTREAM));
        assert!(bound.has_terminals && !bound.is_shared);
        assert_eq!(bound.directory.as_deref(), Some(Path::new("/dev/x")));
        let targets = config["mounts"].as_array().unwrap().iter();
        let targets: Vec<_> = targets.map(|mount| mount["destination"].as_str().unwrap()).collect();
        assert_eq!(targets, ["/a", "/dev", PLACE, "/dev/x", "/dev/x/y", "/dev/pts"]);
        assert_eq!(config["process"]["cwd"], "/");
        assert_eq!(config["mounts"][2]["options"], json!(["rbind", "rro", "rslave"]));
    }

    #[test]
    fn nothing_of_ours_is_mounted_where_the_host_would_see_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("pts")).unwrap();
        let mounts = [bind("/dev", directory.path(), &["rbind", "rshared"])];
        let bound = taken(&json!({ "mounts": mounts })).0.unwrap().unwrap();
        assert!(bound.is_shared && bound.covers.is_empty() && bound.propagation.is_none());
    }

    #[test]
    fn a_tmpfs_on_dev_is_libcontainers_and_a_hidden_path_on_a_bind_is_refused() {
        let tmpfs = json!({"destination": "/dev", "type": "tmpfs", "source": "tmpfs"});
        let config = json!({"mounts": [tmpfs]});
        let (bound, same) = taken(&config);
        assert!(bound.unwrap().is_none());
        assert_eq!(same, config);
        let mounts = [bind("/dev", Path::new("/source"), &["rbind"])];
        let refused = taken(&json!({"mounts": mounts, "linux": {"maskedPaths": ["/dev/mem"]}})).0;
        assert!(refused.unwrap_err().to_string().contains("/dev/mem"));
    }
}
