//! What has to be done before libcontainer clones this process. For a container in a user namespace of its own, as long
//! as there is root:
//!
//! - namespaces that are joined are opened here, since the container's root may not look into other processes;
//! - sources of binds are cloned to a place that the container's root can reach;
//! - devices become binds of nodes that are made here, since a user namespace can make none.
//!
//! And for every container: what it shares of another one's mounts (`/proc/<pid>/root/…`) is cloned in the mount
//! namespace of that one. libcontainer would take the host's file of that name.

use super::bound_devices;
use super::derive::{Object, field, put};
use crate::bundle::{Linux, parse};
use crate::error::{Error, Result};
use rustix::fs::{
    CWD, FileType, Gid, Mode, OFlags, ResolveFlags, Uid, chmod, chown, fstat, makedev, mknodat, openat2,
};
use rustix::mount::{
    MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, move_mount, open_tree, unmount,
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A changed document, and what it refers to.
#[derive(Debug)]
pub(super) struct Adapted {
    pub(super) text: Vec<u8>,
    _namespaces: Vec<OwnedFd>,
    _stage: Stage,
}

/// From the text of `config.json`; none: there is nothing to be done.
pub(super) fn adapt(text: &[u8], bundle: &Path) -> Result<Option<Adapted>> {
    let path = bundle.join(shim_protocol::file::CONFIG);
    let mut config: Object = parse(&path, text)?;
    let mut linux: Object = field(&path, &config, "linux")?.unwrap_or_default();
    let mut namespaces: Vec<Value> = field(&path, &linux, "namespaces")?.unwrap_or_default();
    let mut mounts: Vec<Value> = field(&path, &config, "mounts")?.unwrap_or_default();
    let has_user = namespaces.iter().any(|namespace| namespace["type"] == "user");
    if !has_user && !mounts.iter().any(|mount| Foreign::of(mount).is_some()) {
        return Ok(None);
    }
    let opened = open_all(&mut namespaces)?;
    let mut stage = Stage::new(bundle)?;
    for mount in mounts.iter_mut().filter(|mount| is_bind(mount)) {
        if has_user || Foreign::of(mount).is_some() {
            stage.bind(mount)?;
        }
    }
    if has_user {
        let maps: Linux = field(&path, &config, "linux")?.unwrap_or_default();
        let devices: Vec<Device> = field(&path, &linux, "devices")?.unwrap_or_default();
        // Where the user has bound `/dev` it stays as it is.
        if bound_devices::position(&mounts).is_none() {
            for device in &devices {
                mounts.push(stage.device(device, &maps)?);
            }
        }
        linux.remove("devices");
    }
    put(&path, &mut linux, "namespaces", &namespaces)?;
    put(&path, &mut config, "linux", &linux)?;
    put(&path, &mut config, "mounts", &mounts)?;
    let text = serde_json::to_vec(&config).map_err(|cause| Error::Document { path, cause })?;
    Ok(Some(Adapted { text, _namespaces: opened, _stage: stage }))
}

fn open_all(namespaces: &mut [Value]) -> Result<Vec<OwnedFd>> {
    let mut opened = Vec::new();
    for namespace in namespaces {
        let Some(path) = namespace["path"].as_str().filter(|path| !path.is_empty()) else { continue };
        let path = Path::new(path);
        let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|cause| Error::file("open namespace", path, cause))?;
        namespace["path"] = format!("/proc/self/fd/{}", file.as_raw_fd()).into();
        opened.push(file);
    }
    Ok(opened)
}

/// Whether a mount shows something that is there already.
pub(super) fn is_bind(mount: &Value) -> bool {
    let options = mount["options"].as_array().into_iter().flatten();
    mount["type"] == "bind" || options.into_iter().any(|option| option == "bind" || option == "rbind")
}

/// A bind's source in another process's mount namespace.
#[derive(Debug)]
struct Foreign {
    namespace: PathBuf,
    path: PathBuf,
}

impl Foreign {
    /// `/proc/<pid>/root/<path>`.
    fn of(bind: &Value) -> Option<Self> {
        let rest = bind["source"].as_str()?.strip_prefix("/proc/")?;
        let (pid, rest) = rest.split_once('/')?;
        pid.parse::<u32>().ok()?;
        let path = rest.strip_prefix("root/")?;
        Some(Self { namespace: format!("/proc/{pid}/ns/mnt").into(), path: Path::new("/").join(path) })
    }

    /// Goes there, since a mount can be cloned in its own namespace alone, and comes back. Follows no links: they would
    /// be the other container's.
    fn clone_tree(&self, flags: OpenTreeFlags) -> rustix::io::Result<OwnedFd> {
        let mount = Some(LinkNameSpaceType::Mount);
        let open = |path: &Path| rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let (home, there) = (open(Path::new("/proc/self/ns/mnt"))?, open(&self.namespace)?);
        move_into_link_name_space(there.as_fd(), mount)?;
        let links = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let found = openat2(CWD, &self.path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), links);
        let cloned = found.and_then(|found| open_tree(found, "", flags | OpenTreeFlags::AT_EMPTY_PATH));
        move_into_link_name_space(home.as_fd(), mount)?;
        cloned
    }
}

/// `linux.devices[]`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Device {
    path: PathBuf,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    major: u32,
    #[serde(default)]
    minor: u32,
    file_mode: Option<u32>,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
}

/// A directory in memory that only this mount namespace has, and that goes when this is dropped.
#[derive(Debug)]
struct Stage {
    directory: PathBuf,
    count: usize,
}

impl Stage {
    fn new(bundle: &Path) -> Result<Self> {
        let directory = bundle.join("stage");
        let failed = |cause: std::io::Error| Error::file("make", &directory, cause);
        std::fs::create_dir_all(&directory).map_err(failed)?;
        mount("tmpfs", &directory, "tmpfs", MountFlags::NOSUID, Some(c"mode=0711,size=1m"))
            .map_err(|cause| Error::file("mount a tmpfs on", &directory, cause))?;
        Ok(Self { directory, count: 0 })
    }

    fn next(&mut self) -> PathBuf {
        self.count += 1;
        self.directory.join(self.count.to_string())
    }

    /// Clones the source of a bind to here.
    fn bind(&mut self, bind: &mut Value) -> Result<()> {
        let source = PathBuf::from(bind["source"].as_str().unwrap_or_default());
        let recursive = bind["options"].as_array().is_some_and(|options| options.contains(&json!("rbind")));
        let mut flags = OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::OPEN_TREE_CLONE;
        flags.set(OpenTreeFlags::AT_RECURSIVE, recursive);
        let tree = match Foreign::of(bind) {
            Some(foreign) => foreign.clone_tree(flags),
            None => open_tree(CWD, &source, flags),
        };
        let tree = tree.map_err(|cause| Error::file("bind", &source, cause))?;
        let stat = fstat(&tree).map_err(|cause| Error::file("bind", &source, cause))?;
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let place = self.next();
        let made =
            if is_directory { std::fs::create_dir(&place) } else { File::create_new(&place).map(drop) };
        made.map_err(|cause| Error::file("make", &place, cause))?;
        move_mount(tree, "", CWD, &place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
            .map_err(|cause| Error::file("bind on", &place, cause))?;
        bind["source"] = place.display().to_string().into();
        Ok(())
    }

    /// Makes a node, and the bind that brings it to where the container wants it.
    fn device(&mut self, device: &Device, maps: &Linux) -> Result<Value> {
        let place = self.next();
        let kind = match device.kind.as_str() {
            "b" => FileType::BlockDevice,
            "p" => FileType::Fifo,
            _ => FileType::CharacterDevice,
        };
        let mode = Mode::from_raw_mode(device.file_mode.unwrap_or(0o666));
        let owner = (maps.host_uid(device.uid), maps.host_gid(device.gid));
        mknodat(CWD, &place, kind, mode, makedev(device.major, device.minor))
            .and_then(|()| chmod(&place, mode))
            .and_then(|()| chown(&place, Some(Uid::from_raw(owner.0)), Some(Gid::from_raw(owner.1))))
            .map_err(|cause| Error::file("make device", &device.path, cause))?;
        Ok(json!({"destination": device.path, "type": "bind", "source": place, "options": ["bind"]}))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(error) = unmount(&self.directory, UnmountFlags::DETACH) {
            crate::log::note(format_args!("unmount {}: {error}", self.directory.display()));
        }
        // Once unmounted it is empty; the bundle goes as a whole in any case.
        let _ = std::fs::remove_dir(&self.directory);
    }
}
