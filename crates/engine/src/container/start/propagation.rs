//! Mounts that come and go under a bind mount reach the container only if the mount that holds its source lets them.

use errors::{Class, Error, Result};
use spec::Propagation;
use std::path::{Path, PathBuf};

/// Refuses a propagation that the mount which holds `source` does not have.
///
/// # Errors
/// `Invalid` in docker's words.
pub(super) fn check(source: &str, propagation: Option<Propagation>) -> Result<()> {
    let wanted = match propagation {
        Some(Propagation::Shared | Propagation::RShared) => &["shared:"][..],
        Some(Propagation::Slave | Propagation::RSlave) => &["shared:", "master:"][..],
        _ => return Ok(()),
    };
    let path = std::fs::canonicalize(source)
        .map_err(|error| Error::wrap(Class::Invalid, error).context(format!("look up {source}")))?;
    let table = std::fs::read_to_string("/proc/self/mountinfo")
        .map_err(|error| Error::wrap(Class::Internal, error).context("read /proc/self/mountinfo"))?;
    match holder(&table, &path) {
        Some((_, fields)) if fields.iter().any(|field| wanted.iter().any(|w| field.starts_with(w))) => Ok(()),
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

/// The mount that a path lies on, and the optional fields that tell how it propagates: `proc_pid_mountinfo(5)`.
fn holder<'a>(table: &'a str, path: &Path) -> Option<(PathBuf, Vec<&'a str>)> {
    let mut best: Option<(PathBuf, Vec<&str>)> = None;
    for line in table.lines() {
        let mut fields = line.split(' ').skip(4);
        let Some(mount) = fields.next().map(|text| PathBuf::from(unescaped(text))) else { continue };
        // Of several mounts at one place the last is on top.
        let nearer = best.as_ref().is_none_or(|(other, _)| mount.starts_with(other));
        if path.starts_with(&mount) && nearer {
            best = Some((mount, fields.skip(1).take_while(|field| *field != "-").collect()));
        }
    }
    best
}

/// The table writes blanks and backslashes as octal numbers.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
        30 21 0:30 / /srv/a\\040b rw master:7 - tmpfs tmpfs rw\n\
        31 21 0:31 / /srv rw - tmpfs tmpfs rw\n\
        32 21 0:32 / /srv rw shared:9 - tmpfs tmpfs rw\n";

    #[test]
    fn the_nearest_and_topmost_mount_holds_a_path() {
        let of = |path: &str| holder(TABLE, Path::new(path)).unwrap();
        assert_eq!(of("/etc"), (PathBuf::from("/"), vec!["shared:1"]));
        assert_eq!(of("/srv/x"), (PathBuf::from("/srv"), vec!["shared:9"]));
        assert_eq!(of("/srvx"), (PathBuf::from("/"), vec!["shared:1"]));
        assert_eq!(of("/srv/a b/c"), (PathBuf::from("/srv/a b"), vec!["master:7"]));
    }

    #[test]
    fn private_binds_are_never_refused() {
        check("/nowhere", None).unwrap();
        check("/nowhere", Some(Propagation::RPrivate)).unwrap();
    }
}
