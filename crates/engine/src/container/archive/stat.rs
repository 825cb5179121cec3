//! What is at a path of a container.

use super::files::Files;
use super::path::Asked;
use super::{lookup, no_such_file};
use crate::Services;
use errors::{Class, Error, Result};
use rustix::fs::{FileType, fstat};
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStat {
    /// Its name, as it was asked for.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Type and permission bits, as `stat(2)` has them.
    pub mode: u32,
    /// Nanoseconds since 1970.
    pub modified_at: i64,
    /// Where a symbolic link leads in the end, as an absolute path; empty: it is none.
    pub link_target: String,
}

/// Looks at a path of a container. Waits for no lock.
///
/// # Errors
/// `NotFound` for the container or the path, `Invalid` for a path below something that is no directory.
pub async fn stat(services: &Arc<Services>, reference: &str, path: &str) -> Result<PathStat> {
    let container = services.containers.find(reference)?;
    let files = Files::to_read(services, &container, true).await?;
    let asked = Asked::parse(path);
    let looked = offload::blocking(move || {
        let looked = of(files.root(), &asked);
        files.leave();
        looked
    });
    looked.await?.ok_or_else(|| no_such_file(path, reference))
}

/// The same in files that are at hand; none: there is nothing.
pub(super) fn of(root: BorrowedFd<'_>, asked: &Asked) -> Result<Option<PathStat>> {
    let Some(handle) = lookup::find(root, asked)? else { return Ok(None) };
    let stat = fstat(&handle)
        .map_err(|error| Error::wrap(Class::Internal, error).context(format!("stat {}", asked.shown())))?;
    let is_link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
    let link_target = if is_link {
        lookup::target(root, &asked.path)?.to_string_lossy().into_owned()
    } else {
        String::new()
    };
    Ok(Some(PathStat {
        name: asked.name(),
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        mode: stat.st_mode,
        modified_at: stat
            .st_mtime
            .saturating_mul(1_000_000_000)
            .saturating_add(i64::try_from(stat.st_mtime_nsec).unwrap_or_default()),
        link_target,
    }))
}
