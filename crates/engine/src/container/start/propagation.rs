//! Mounts that come and go under a bind mount reach the container only if the mount that holds its source lets them.

use errors::{Class, Error, Result};
use spec::Propagation;
use std::path::{Path, PathBuf};
use sys::mountinfo;

/// Refuses a propagation that the mount which holds `source` does not have.
///
/// # Errors
/// `Invalid` in docker's words.
pub(super) fn check(source: &str, propagation: Option<Propagation>) -> Result<()> {
    let wanted = match propagation {
        Some(Propagation::Shared | Propagation::RShared) => &["shared:"][..],
        Some(Propagation::Slave | Propagation::RSlave) => &["shared:", "master:"],
        _ => return Ok(()),
    };
    let path = std::fs::canonicalize(source)
        .map_err(|error| Error::wrap(Class::Invalid, error).context(format!("look up {source}")))?;
    let table = mountinfo::read()
        .map_err(|error| Error::wrap(Class::Internal, error).context("read /proc/self/mountinfo"))?;
    match holder(&table, &path) {
        Some((_, fields))
            if fields.iter().any(|field| wanted.iter().any(|w| field.starts_with(w.as_bytes()))) =>
        {
            Ok(())
        }
        Some((mount, _)) => Err(Error::new(
            Class::Invalid,
            format!(
                "path {source} is mounted on {} but it is not a {} mount",
                mount.display(),
                if wanted.len() == 1 { "shared" } else { "shared or slave" }
            ),
        )
        .hint("Share it first: mount --make-shared")),
        None => Err(Error::new(Class::Internal, format!("no mount holds {source}"))),
    }
}

/// The mount that a path lies on, and what tells how it propagates.
fn holder<'a>(table: &'a [u8], path: &Path) -> Option<(PathBuf, Vec<&'a [u8]>)> {
    let mut best: Option<(PathBuf, Vec<&[u8]>)> = None;
    for fields in mountinfo::lines(table) {
        let mount = mountinfo::point(&fields);
        // Of several mounts at one place the last is on top.
        let nearer = best.as_ref().is_none_or(|(other, _)| mount.starts_with(other));
        if path.starts_with(&mount) && nearer {
            best = Some((mount, mountinfo::propagation(&fields)));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
        30 21 0:30 / /srv/a\\040b rw master:7 - tmpfs tmpfs rw\n\
        31 21 0:31 / /srv rw - tmpfs tmpfs rw\n\
        32 21 0:32 / /srv rw shared:9 - tmpfs tmpfs rw\n";

    #[test]
    fn the_nearest_and_topmost_mount_holds_a_path() {
        let of = |path: &str| holder(TABLE, Path::new(path)).unwrap();
        assert_eq!(of("/etc"), (PathBuf::from("/"), vec![&b"shared:1"[..]]));
        assert_eq!(of("/srv/x"), (PathBuf::from("/srv"), vec![&b"shared:9"[..]]));
        assert_eq!(of("/srvx"), (PathBuf::from("/"), vec![&b"shared:1"[..]]));
        assert_eq!(of("/srv/a b/c"), (PathBuf::from("/srv/a b"), vec![&b"master:7"[..]]));
    }

    #[test]
    fn private_binds_are_never_refused() {
        check("/nowhere", None).unwrap();
        check("/nowhere", Some(Propagation::RPrivate)).unwrap();
    }
}
