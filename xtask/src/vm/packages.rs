//! The kernel and QEMU from Debian's packages, fetched and unpacked once, installed never.

use crate::run::{output, run};
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A kernel with its modules.
pub(super) struct Kernel {
    pub(super) version: String,
    /// What a boot loader loads.
    pub(super) image: PathBuf,
    /// Holds `lib/modules/<version>`.
    pub(super) unpacked: PathBuf,
}

/// Debian's kernel for clouds: small, with all that containers need.
pub(super) fn kernel(cache: &Path) -> Result<Kernel> {
    let place = cache.join("kernel");
    let unpacked = place.join("root");
    if !unpacked.exists() {
        let depends = output(Command::new("apt-cache").args(["depends", "linux-image-cloud-amd64"]))?;
        let mut named = depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        let package = named.next_back().context("no package linux-image-cloud-amd64: run apt-get update")?;
        fetch(&place, &["download", package])?;
        unpack(&place, &unpacked)?;
    }
    let modules = fs::read_dir(unpacked.join("lib/modules"))?.next().context("no modules")??;
    let version = modules.file_name().to_string_lossy().into_owned();
    // busybox's makes none of the binary tables that kmod reads, and busybox reads kmod's.
    if !modules.path().join("modules.dep.bin").exists() {
        run(Command::new("/sbin/depmod").arg("-b").arg(&unpacked).arg(&version))?;
    }
    let image = unpacked.join(format!("boot/vmlinuz-{version}"));
    Ok(Kernel { version, image, unpacked })
}

/// How to call QEMU.
pub(super) struct Qemu {
    program: PathBuf,
    /// Of an unpacked one.
    unpacked: Option<PathBuf>,
}

impl Qemu {
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(root) = &self.unpacked {
            let libraries =
                ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/pulseaudio"];
            let libraries: Vec<_> =
                libraries.iter().map(|path| root.join(path).display().to_string()).collect();
            command.env("LD_LIBRARY_PATH", libraries.join(":"));
            for data in ["usr/share/qemu", "usr/share/seabios"] {
                command.arg("-L").arg(root.join(data));
            }
        }
        command
    }
}

/// The host's QEMU, or else Debian's.
pub(super) fn qemu(cache: &Path) -> Result<Qemu> {
    const NAME: &str = "qemu-system-x86_64";
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join(NAME)).find(|path| path.exists());
    if let Some(program) = found {
        return Ok(Qemu { program, unpacked: None });
    }
    let place = cache.join("qemu");
    let unpacked = place.join("root");
    if !unpacked.exists() {
        fetch(&place, &["install", "--download-only", "--no-install-recommends", "-y", "qemu-system-x86"])?;
        unpack(&place, &unpacked)?;
    }
    Ok(Qemu { program: unpacked.join("usr/bin").join(NAME), unpacked: Some(unpacked) })
}

/// Has apt fetch into `place`, after an update of its lists if they are too old.
fn fetch(place: &Path, arguments: &[&str]) -> Result<()> {
    fs::create_dir_all(place.join("partial"))?;
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(["-qq", "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1", "-o"]);
        apt.arg(format!("Dir::Cache::archives={}", place.display())).args(arguments).current_dir(place);
        output(&mut apt)
    };
    if apt(arguments).is_err() {
        output(Command::new("apt-get").args(["-qq", "update"]))?;
        apt(arguments)?;
    }
    Ok(())
}

/// Unpacks all packages of `place`, under the final name only when all are.
fn unpack(place: &Path, unpacked: &Path) -> Result<()> {
    let temporary = place.join("unpacking");
    for entry in fs::read_dir(place)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg").arg("-x").arg(&path).arg(&temporary))?;
            fs::remove_file(&path)?;
        }
    }
    fs::rename(&temporary, unpacked).context("unpack packages")
}
