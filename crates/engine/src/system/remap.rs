//! `runtime.userns_remap`: whose ids containers have, and whether this host can do that.

use config::Settings;
use errors::{Class, Error, Result};
use images::Images;
use runtime::UserNamespace;
use runtime::subids::{self, Files};
use spec::IdMaps;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The first kernel whose overlay takes layers with mapped ids.
const LEAST_KERNEL: (u32, u32) = (5, 19);

/// The ids on the host of containers that are created from now on; none: their own.
///
/// # Errors
/// `Invalid` for a user without ids, with the line that is missing; `Unsupported` where the kernel or the file system
/// lacks something.
pub(super) fn id_maps(settings: &Settings) -> Result<Option<IdMaps>> {
    let Some(wanted) = settings.runtime.userns_remap.as_deref().filter(|wanted| !wanted.is_empty()) else {
        return Ok(None);
    };
    let maps = subids::id_maps(wanted, &files()?)?;
    if maps.is_none() {
        tracing::warn!(wanted, "runtime.userns_remap names root: containers keep the host's ids");
    }
    Ok(maps)
}

fn files() -> Result<Files> {
    let read = |path: &str| -> Result<String> {
        let bytes = durable::read_optional(Path::new(path))?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Files {
        passwd: read("/etc/passwd")?,
        group: read("/etc/group")?,
        subuid: read("/etc/subuid")?,
        subgid: read("/etc/subgid")?,
    })
}

/// Tries what every container will need.
pub(super) fn check(
    maps: &IdMaps,
    kernel: (u32, u32),
    shim: &Path,
    state: &Path,
    images: &Images,
) -> Result<()> {
    let unsupported = |message: String| {
        Error::new(Class::Unsupported, message).hint("Leave out runtime.userns_remap (--userns-remap)")
    };
    if kernel < LEAST_KERNEL {
        let (major, minor) = kernel;
        return Err(unsupported(format!(
            "userns-remap needs Linux 5.19 for overlay layers with mapped ids, this is {major}.{minor}"
        )));
    }
    let namespace = UserNamespace::make(shim, maps).map_err(|error| {
        unsupported(format!("userns-remap: no user namespace: {}", errors::chain(&error)))
    })?;
    images.try_ids(namespace.as_fd()).map_err(|error| {
        let why = errors::chain(&error);
        unsupported(format!("userns-remap: this file system cannot show files with mapped ids: {why}"))
    })?;
    can_reach(state, maps.root())
}

/// The containers' root has to reach the bundles below the state directory.
fn can_reach(directory: &Path, (uid, gid): (u32, u32)) -> Result<()> {
    for ancestor in directory.ancestors() {
        let stat = std::fs::metadata(ancestor).map_err(|error| {
            Error::wrap(Class::Internal, error).context(format!("stat {}", ancestor.display()))
        })?;
        if !may_pass((stat.mode(), stat.uid(), stat.gid()), (uid, gid)) {
            return Err(Error::new(
                Class::Invalid,
                format!(
                    "userns-remap: the containers' root (uid {uid}, gid {gid} on the host) cannot pass {}, and the state directory {} is below",
                    ancestor.display(),
                    directory.display()
                ),
            )
            .hint(format!("chmod o+x {}, or choose another --state", ancestor.display())));
        }
    }
    Ok(())
}

/// Whether the mode of a directory lets somebody who is neither root nor in further groups through it.
fn may_pass((mode, owner, group): (u32, u32, u32), (uid, gid): (u32, u32)) -> bool {
    let bits = if uid == owner {
        mode >> 6
    } else if gid == group {
        mode >> 3
    } else {
        mode
    };
    bits & 0o1 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_bits_decide() {
        let us = (100_000, 100_000);
        assert!(may_pass((0o711, 0, 0), us));
        assert!(!may_pass((0o700, 0, 0), us));
        assert!(may_pass((0o710, 0, 100_000), us));
        assert!(!may_pass((0o701, 0, 100_000), us));
        assert!(!may_pass((0o077, 100_000, 0), us));
    }
}
