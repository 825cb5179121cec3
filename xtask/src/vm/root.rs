//! The machine's root: an init with what it needs, the kernel's modules, and what the caller puts in.

use super::packages::Kernel;
use super::{busybox, systemd};
use crate::run::{output, run};
use anyhow::{Context as _, Result};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A root in the making.
pub(super) struct Root {
    directory: PathBuf,
    image: PathBuf,
}

/// Who is process 1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Init {
    /// A script of ours: up in seconds.
    Busybox,
    /// A small Debian with systemd.
    Systemd,
}

impl Root {
    /// The base for an init, and the kernel's modules.
    pub(super) fn new(work: &Path, cache: &Path, kernel: &Kernel, init: Init) -> Result<Self> {
        let root = Self { directory: work.join("root"), image: work.join("root.img") };
        match init {
            Init::Busybox => busybox::base(&root)?,
            Init::Systemd => systemd::base(&root, cache)?,
        }
        let modules = kernel.unpacked.join("lib/modules");
        run(Command::new("cp").arg("-rl").arg(modules).arg(root.directory.join("lib")))?;
        Ok(root)
    }

    /// Takes a module of the kernel away: nothing can load it then.
    pub(super) fn remove_module(&self, kernel: &Kernel, name: &str) -> Result<()> {
        let modules = self.directory.join("lib/modules").join(&kernel.version);
        let table = fs::read_to_string(modules.join("modules.dep"))?;
        let wanted = format!("/{name}.ko");
        let mut files = table.lines().filter_map(|line| line.split(':').next());
        let file = files.find(|file| file.ends_with(&wanted)).with_context(|| format!("no module {name}"))?;
        Ok(fs::remove_file(modules.join(file))?)
    }

    /// Where it is made.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Copies a file or directory of the host's, and the libraries that a program needs.
    pub(super) fn put(&self, from: &Path, to: &str) -> Result<()> {
        self.copy(from, to)?;
        if from.is_file() {
            for library in libraries(from) {
                // A whole system has its own.
                if !self.place(&library).exists() {
                    self.copy(Path::new(&library), &library)?;
                }
            }
        }
        Ok(())
    }

    /// Copies a program that is somewhere in `PATH`.
    pub(super) fn put_program(&self, name: &str) -> Result<()> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found =
            std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file());
        self.put(&found.with_context(|| format!("no {name} in PATH"))?, &format!("/usr/bin/{name}"))
    }

    fn copy(&self, from: &Path, to: &str) -> Result<()> {
        let place = self.place(to);
        let parent = place.parent().context("a file has a directory")?;
        fs::create_dir_all(parent)?;
        run(Command::new("cp")
            .args(["-rL", "--preserve=mode", "--sparse=always", "--remove-destination"])
            .arg(from)
            .arg(&place))
    }

    fn place(&self, to: &str) -> PathBuf {
        self.directory.join(to.trim_start_matches('/'))
    }

    pub(super) fn write(&self, to: &str, text: &str, mode: u32) -> Result<()> {
        let place = self.place(to);
        // Never through a link: a base in the cache shares its files with this root.
        let _ = fs::remove_file(&place);
        fs::write(&place, text).with_context(|| format!("write {}", place.display()))?;
        fs::set_permissions(place, fs::Permissions::from_mode(mode))?;
        Ok(())
    }

    /// Makes a disk of it that runs the command when booted.
    pub(super) fn image(&self, command: &str) -> Result<PathBuf> {
        self.write("/vm/command", command, 0o644)?;
        make_disk(&self.image, 8192, Some(&self.directory))?;
        Ok(self.image.clone())
    }
}

/// Makes a sparse file with an ext4 file system.
pub(super) fn make_disk(path: &Path, mebibytes: u64, content: Option<&Path>) -> Result<()> {
    fs::File::create(path)?.set_len(mebibytes << 20)?;
    let mut command = Command::new("mke2fs");
    command.args([
        "-q",
        "-F",
        "-t",
        "ext4",
        "-E",
        "lazy_itable_init=1,root_owner=0:0",
        "-O",
        "^metadata_csum_seed,^orphan_file",
    ]);
    if let Some(content) = content {
        command.arg("-d").arg(content);
    }
    run(command.arg(path))
}

/// Shared libraries of a program, the loader included; none for a static one.
fn libraries(program: &Path) -> Vec<String> {
    let listed = output(Command::new("ldd").arg(program)).unwrap_or_default();
    let paths = listed.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    paths.map(str::to_owned).collect()
}
