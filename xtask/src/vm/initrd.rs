//! The first, small root in memory: just enough to find the disk and go on from there.

use super::packages::Kernel;
use anyhow::{Context as _, Result};
use flate2::{Compression, write::GzEncoder};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the disk needs; each with what it depends on.
const MODULES: [&str; 3] = ["virtio_pci", "virtio_blk", "virtio_rng"];

const INIT: &str = "#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /root
/bin/busybox mount -t devtmpfs dev /dev
for module in /modules/*; do /bin/busybox insmod $module; done
until [ -b /dev/vda ]; do /bin/busybox usleep 10000; done
/bin/busybox mount -t ext4 /dev/vda /root || exec /bin/busybox poweroff -f
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
";

/// Writes the image and returns its path.
pub(super) fn build(work: &Path, kernel: &Kernel) -> Result<PathBuf> {
    let mut image = GzEncoder::new(Vec::new(), Compression::fast());
    let mut inode = 0;
    let mut add = |name: &str, mode: u32, bytes: &[u8]| {
        inode += 1;
        entry(&mut image, inode, name, mode, bytes)
    };
    for directory in ["bin", "modules"] {
        add(directory, 0o040_755, b"")?;
    }
    add("init", 0o100_755, INIT.as_bytes())?;
    add("bin/busybox", 0o100_755, &fs::read("/bin/busybox").context("busybox-static is needed")?)?;
    for (number, module) in modules(kernel)?.iter().enumerate() {
        let name = module.file_name().unwrap_or_default().to_string_lossy().into_owned();
        add(&format!("modules/{number:02}-{name}"), 0o100_644, &fs::read(module)?)?;
    }
    add("TRAILER!!!", 0, b"")?;
    let path = work.join("initrd");
    fs::write(&path, image.finish()?)?;
    Ok(path)
}

/// An entry of a cpio archive in the form `newc`.
fn entry(out: &mut impl Write, inode: u32, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    let size = u32::try_from(bytes.len())?;
    let name_size = u32::try_from(name.len() + 1)?;
    write!(out, "070701")?;
    for field in [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0] {
        write!(out, "{field:08x}")?;
    }
    // The header's 110 bytes and the name end at a multiple of four, and so does the content.
    out.write_all(name.as_bytes())?;
    out.write_all(&[0; 4][..1 + padding(110 + name.len() + 1)])?;
    out.write_all(bytes)?;
    out.write_all(&[0; 4][..padding(bytes.len())])?;
    Ok(())
}

fn padding(length: usize) -> usize {
    length.next_multiple_of(4) - length
}

/// Module files in an order in which they can be loaded.
fn modules(kernel: &Kernel) -> Result<Vec<PathBuf>> {
    let base = kernel.unpacked.join("lib/modules").join(&kernel.version);
    let table = fs::read_to_string(base.join("modules.dep"))?;
    let mut ordered = Vec::new();
    let mut known = BTreeSet::new();
    for name in MODULES {
        let wanted = format!("/{name}.ko");
        let line =
            table.lines().find(|line| line.split(':').next().is_some_and(|file| file.ends_with(&wanted)));
        // What is not a module is built in.
        let Some((file, needs)) = line.and_then(|line| line.split_once(':')) else { continue };
        let needs: Vec<_> = needs.split_whitespace().collect();
        for path in needs.into_iter().rev().chain([file]) {
            if known.insert(path.to_owned()) {
                ordered
                    .push(base.join(path.trim_start_matches(&format!("/lib/modules/{}/", kernel.version))));
            }
        }
    }
    Ok(ordered)
}
