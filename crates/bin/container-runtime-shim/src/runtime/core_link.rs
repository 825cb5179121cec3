//! `/dev/core`, which libcontainer calls `/dev/kcore` where the kernel has `/proc/kcore`.

use rustix::fs::{Mode, OFlags, RenameFlags, ResolveFlags, open, openat2, readlinkat, renameat_with};
use rustix::io::Result;
use std::path::Path;

const TARGET: &str = "/proc/kcore";

/// Gives the link its name in the container of this process, that has not executed anything yet.
pub(super) fn rename(pid: i32) {
    // A container without it lacks nothing that it could read.
    if Path::new(TARGET).exists() {
        let _ = try_rename(pid);
    }
}

fn try_rename(pid: i32) -> Result<()> {
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(format!("/proc/{pid}/root"), directory, Mode::empty())?;
    // The image decides what its directories are.
    let links = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let devices = openat2(root, "dev", directory, Mode::empty(), links)?;
    if readlinkat(&devices, "kcore", Vec::new())?.as_bytes() == TARGET.as_bytes() {
        renameat_with(&devices, "kcore", &devices, "core", RenameFlags::NOREPLACE)?;
    }
    Ok(())
}
