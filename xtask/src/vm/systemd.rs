//! The root with systemd: a small Debian, made by debootstrap once and kept in the cache.

use super::root::Root;
use crate::run::{output, run};
use anyhow::{Context as _, Result};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Beside Debian's essential packages. What is fetched another time has another name.
const PACKAGES: &str =
    "systemd-sysv,dbus,nftables,apparmor,runc,crun,iproute2,procps,busybox-static,kmod,util-linux,socat";
const NAME: &str = "bookworm-2";

/// Runs `/vm/command`: output to the second serial line, exit code to the third.
const RUN: &str = "#!/bin/sh
export HOME=/root TERM=linux
ulimit -n 1048576
# Mounted when somebody looks, in a cgroup that a test would find to be new.
ls /proc/sys/fs/binfmt_misc >/dev/null 2>&1
[ -b /dev/vdb ] && mkdir -p /var/lib/container-runtime && mount /dev/vdb /var/lib/container-runtime
stty -F /dev/ttyS1 raw -echo
sh /vm/command </dev/null >/dev/ttyS1 2>&1
echo $? >/dev/ttyS2
sync
systemctl poweroff --force --force
";

const UNIT: &str = "[Unit]
Description=What this machine was started for
After=basic.target dbus.service
Wants=dbus.service

[Service]
ExecStart=/vm/run
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576
";

/// Starts nobody waits for.
const MASKED: [&str; 6] = [
    "serial-getty@ttyS0.service",
    "getty@tty1.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "systemd-pcrphase.service",
];

/// A copy of the cached Debian that runs the command when booted.
pub(super) fn base(root: &Root, cache: &Path) -> Result<()> {
    let debian = debian(cache)?;
    // Links to the cache's files: whatever is written later replaces them.
    run(Command::new("cp").arg("-al").arg(&debian).arg(root.directory()))?;
    fs::create_dir_all(root.directory().join("vm"))?;
    root.write("/vm/run", RUN, 0o755)?;
    let units = root.directory().join("etc/systemd/system");
    root.write("/etc/systemd/system/vm.service", UNIT, 0o644)?;
    let wanted = units.join("multi-user.target.wants");
    fs::create_dir_all(&wanted)?;
    symlink("../vm.service", wanted.join("vm.service"))?;
    let default = units.join("default.target");
    let _ = fs::remove_file(&default);
    symlink("/lib/systemd/system/multi-user.target", default)?;
    for unit in MASKED {
        let _ = fs::remove_file(units.join(unit));
        symlink("/dev/null", units.join(unit))?;
    }
    root.write("/etc/hostname", "vm\n", 0o644)?;
    root.write("/etc/hosts", "127.0.0.1 localhost vm\n", 0o644)?;
    root.write("/etc/fstab", "", 0o644)?;
    root.write("/etc/resolv.conf", "", 0o644)?;
    root.write("/etc/machine-id", "b0075bead5a94c5fb1c5c5b0d1c4e001\n", 0o444)
}

fn debian(cache: &Path) -> Result<PathBuf> {
    let done = cache.join("systemd").join(NAME);
    if done.exists() {
        return Ok(done);
    }
    let place = cache.join("systemd").join(format!("making.{}", std::process::id()));
    fs::create_dir_all(&place)?;
    eprintln!("xtask: making a Debian with systemd (once, a few minutes)");
    let made = (|| {
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.args(["--variant=minbase", &format!("--include={PACKAGES}"), "bookworm"]).arg(&place);
        output(debootstrap.args(fixtures::mirror()))?;
        for path in [
            "var/cache/apt/archives",
            "var/lib/apt/lists",
            "usr/share/doc",
            "usr/share/man",
            "usr/share/locale",
        ] {
            fs::remove_dir_all(place.join(path)).with_context(|| format!("remove {path}"))?;
        }
        Ok(fs::rename(&place, &done)?)
    })();
    if made.is_err() {
        let _ = fs::remove_dir_all(&place);
    }
    made.map(|()| done)
}
