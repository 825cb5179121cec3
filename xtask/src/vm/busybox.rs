//! The small root: busybox, and an init of a few lines.

use super::root::Root;
use crate::run::output;
use anyhow::Result;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
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

/// Directories, busybox under all its names, init.
pub(super) fn base(root: &Root) -> Result<()> {
    for path in [
        "bin", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "tmp", "usr/bin",
        "usr/sbin", "var/lib", "vm",
    ] {
        fs::create_dir_all(root.directory().join(path))?;
    }
    root.put(Path::new("/bin/busybox"), "/bin/busybox")?;
    for applet in output(Command::new("/bin/busybox").arg("--list"))?.lines() {
        let link = root.directory().join("bin").join(applet);
        if !link.exists() {
            symlink("busybox", link)?;
        }
    }
    // Where the kernel looks for it.
    symlink("../bin/busybox", root.directory().join("sbin/modprobe"))?;
    root.write("/sbin/init", INIT, 0o755)?;
    root.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0o644)?;
    root.write("/etc/group", "root:x:0:\n", 0o644)?;
    // In whose place tests mount their own.
    root.write("/etc/subuid", "", 0o644)?;
    root.write("/etc/subgid", "", 0o644)?;
    root.write("/etc/hosts", "127.0.0.1 localhost vm\n", 0o644)?;
    root.write("/etc/resolv.conf", "", 0o644)
}
