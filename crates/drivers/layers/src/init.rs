//! A layer between an image and a container's own directory: what a runtime mounts upon and the image lacks.
//!
//! Otherwise each start would create the same empty directories and files in the writable directory, copying `/etc` up for them,
//! and they would show among what the container changed. Images lack the same few things, so few such layers exist,
//! each named after what is in it.

use crate::error::at;
use crate::{LayerId, Layers, Result, walk};
use rustix::fd::OwnedFd;
use rustix::fs::{self, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

/// Mount points.
const DIRS: [&str; 3] = ["dev", "proc", "sys"];
/// Empty files, the first of them a mark that programs look for.
const FILES: [&str; 4] = [".dockerenv", "etc/hostname", "etc/hosts", "etc/resolv.conf"];
/// For programs that read the list of mounts here.
const MTAB: (&str, &str) = ("etc/mtab", "/proc/mounts");

/// How many images' answers are remembered.
const REMEMBERED: usize = 1024;

impl Layers {
    /// The name of the layer for containers on top of `layers`, lowest first. It exists.
    pub(crate) fn init(&self, layers: &[LayerId]) -> Result<String> {
        let known = || self.inner.inits.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(name) = known().get(layers) {
            return Ok(name.clone());
        }
        let missing =
            Missing::of(&self.open_layers(layers)?).map_err(at("read", Path::new("the image's root")))?;
        let name = missing.name();
        self.make(&missing, &name)?;
        let mut known = known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(layers.to_vec(), name.clone());
        Ok(name)
    }

    pub(crate) fn init_dir(&self, name: &str) -> PathBuf {
        self.inner.root.join("i").join(name)
    }

    /// Fills a directory of another name first, so that one of this name is complete.
    fn make(&self, missing: &Missing, name: &str) -> Result<()> {
        let dir = self.init_dir(name);
        if dir.is_dir() {
            return Ok(());
        }
        let temporary = self.make_stage()?;
        let filled = missing.fill(&temporary).map_err(at("fill", &temporary));
        let renamed = filled.and_then(|()| match std::fs::rename(&temporary, &dir) {
            // Somebody else was faster.
            Err(_) if dir.is_dir() => Ok(()),
            other => other.map_err(at("rename to", &dir)),
        });
        if temporary.exists() {
            self.discard(&temporary);
        }
        renamed
    }
}

/// What an image lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Missing {
    dirs: Vec<&'static str>,
    files: Vec<&'static str>,
    mtab: bool,
    /// Mode and owner of the image's `/etc`, which the layer's own must repeat.
    etc: (u32, u32, u32),
}

impl Missing {
    fn of(root: &OwnedFd) -> Result<Self, Errno> {
        let etc = match walk::stat(root, Path::new("etc")) {
            Err(Errno::NOENT) => Some((0o755, 0, 0)),
            Err(errno) => return Err(errno),
            Ok(stat) => walk::is_dir(&stat).then_some((stat.st_mode & 0o7777, stat.st_uid, stat.st_gid)),
        };
        let lacks = |path: &&str| {
            let possible = etc.is_some() || !path.starts_with("etc/");
            possible && walk::stat(root, Path::new(*path)).is_err_and(|errno| errno == Errno::NOENT)
        };
        Ok(Self {
            dirs: DIRS.into_iter().filter(lacks).collect(),
            files: FILES.into_iter().filter(lacks).collect(),
            mtab: lacks(&MTAB.0),
            etc: etc.unwrap_or_default(),
        })
    }

    fn needs_etc(&self) -> bool {
        self.mtab || self.files.iter().any(|file| file.starts_with("etc/"))
    }

    /// Says all of it, since equal names mean equal layers.
    fn name(&self) -> String {
        let bits = |all: &[&str], some: &[&str]| {
            all.iter().fold(0, |bits, one| bits * 2 + u8::from(some.contains(one)))
        };
        let (dirs, files) = (bits(&DIRS, &self.dirs), bits(&FILES, &self.files));
        let (mode, uid, gid) = if self.needs_etc() { self.etc } else { (0, 0, 0) };
        format!("{dirs:x}{files:x}{:x}-{mode:o}-{uid}-{gid}", u8::from(self.mtab))
    }

    fn fill(&self, root: &Path) -> std::io::Result<()> {
        let directory = |path: &Path| DirBuilder::new().mode(0o755).create(path);
        std::fs::set_permissions(root, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        self.dirs.iter().try_for_each(|dir| directory(&root.join(dir)))?;
        if self.needs_etc() {
            let path = root.join("etc");
            let (mode, uid, gid) = self.etc;
            directory(&path)?;
            fs::chown(&path, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
            fs::chmod(&path, Mode::from_raw_mode(mode))?;
        }
        for file in &self.files {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let created = fs::open(root.join(file), flags, Mode::from_raw_mode(0o755))?;
            fs::fchmod(created, Mode::from_raw_mode(if file.starts_with("etc/") { 0o644 } else { 0o755 }))?;
        }
        if self.mtab { symlink(MTAB.1, root.join(MTAB.0)) } else { Ok(()) }
    }
}
