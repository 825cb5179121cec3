//! The machine's root: busybox, the kernel's modules, what the caller puts in, and an init of a few lines.

use super::packages::Kernel;
use crate::run::{output, run};
use anyhow::{Context as _, Result};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `/vm/command`: output to the second serial line, exit code to the third.
const INIT: &str = "#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t securityfs security /sys/kernel/security
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 pts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t cgroup2 -o nsdelegate cgroup /sys/fs/cgroup
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$controller >/sys/fs/cgroup/cgroup.subtree_control; done
ln -sf /proc/self/fd /dev/fd; ln -sf fd/0 /dev/stdin; ln -sf fd/1 /dev/stdout; ln -sf fd/2 /dev/stderr
hostname vm
ip link set lo up
ulimit -n 1048576
modprobe overlay
[ -b /dev/vdb ] && mkdir -p /var/lib/container-runtime && mount /dev/vdb /var/lib/container-runtime
stty -F /dev/ttyS1 raw -echo
sh /vm/command </dev/null >/dev/ttyS1 2>&1
echo $? >/dev/ttyS2
sync
poweroff -f
";

/// A root in the making.
pub(super) struct Root {
    directory: PathBuf,
    image: PathBuf,
}

impl Root {
    /// Busybox and the kernel's modules.
    pub(super) fn new(work: &Path, kernel: &Kernel) -> Result<Self> {
        let root = Self { directory: work.join("root"), image: work.join("root.img") };
        for path in [
            "bin", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "tmp", "usr/bin",
            "usr/sbin", "var/lib", "vm",
        ] {
            fs::create_dir_all(root.directory.join(path))?;
        }
        root.put(Path::new("/bin/busybox"), "/bin/busybox")?;
        for applet in output(Command::new("/bin/busybox").arg("--list"))?.lines() {
            let link = root.directory.join("bin").join(applet);
            if !link.exists() {
                symlink("busybox", link)?;
            }
        }
        // Where the kernel looks for it.
        symlink("../bin/busybox", root.directory.join("sbin/modprobe"))?;
        root.write("/sbin/init", INIT, 0o755)?;
        root.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0o644)?;
        root.write("/etc/group", "root:x:0:\n", 0o644)?;
        root.write("/etc/hosts", "127.0.0.1 localhost vm\n", 0o644)?;
        root.write("/etc/resolv.conf", "", 0o644)?;
        let modules = kernel.unpacked.join("lib/modules");
        run(Command::new("cp").arg("-r").arg(modules).arg(root.directory.join("lib")))?;
        Ok(root)
    }

    /// Copies a file or directory of the host's, and the libraries that a program needs.
    pub(super) fn put(&self, from: &Path, to: &str) -> Result<()> {
        self.copy(from, to)?;
        if from.is_file() {
            for library in libraries(from) {
                self.copy(Path::new(&library), &library)?;
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
        let place = self.directory.join(to.trim_start_matches('/'));
        let parent = place.parent().context("a file has a directory")?;
        fs::create_dir_all(parent)?;
        run(Command::new("cp").args(["-rL", "--preserve=mode", "--sparse=always"]).arg(from).arg(&place))
    }

    pub(super) fn write(&self, to: &str, text: &str, mode: u32) -> Result<()> {
        let place = self.directory.join(to.trim_start_matches('/'));
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
