//! Files into a container.

use super::files::{Files, ToWrite};
use super::path::Asked;
use super::{lookup, no_such_file};
use crate::Services;
use ::containers::{Container, Record};
use ::events::ContainerAction;
use errors::{Class, Error, Result};
use layers::{Extract, Owner};
use rustix::fs::{AtFlags, FileType, StatVfsMountFlags, StatxFlags, fstat, fstatvfs, statx};
use std::io::BufRead;
use std::os::fd::AsFd;
use std::sync::Arc;

/// How files are put into a container.
#[derive(Debug, Clone, Copy, Default)]
pub struct Put {
    /// Refuses to replace a directory by something else, and something else by a directory.
    pub keep_kinds: bool,
    /// Gives everything to the user that the container runs as, if one is configured.
    pub to_user: bool,
}

/// Extracts an archive, plain or compressed, into a directory of a container, which may run. What was extracted before
/// an error stays. A start of the container waits for the end of it.
///
/// # Errors
/// `NotFound` for the container or the path; `Invalid` for a path that is no directory or read-only, and for an archive
/// that is damaged or hostile.
pub async fn put(
    services: &Arc<Services>,
    reference: &str,
    path: &str,
    input: impl BufRead + Send + 'static,
    how: Put,
) -> Result<()> {
    let container = services.containers.find(reference)?;
    let record = container.record();
    let target = ToWrite::new(services, &container).await?;
    let asked = Asked::parse(path);
    let owner = if how.to_user { owner(services, &container).await? } else { Owner::Archive };
    let ids = services.images.ids(container.id().as_str())?;
    let extract = Extract { keep_kinds: how.keep_kinds, owner, ids };
    let missing = no_such_file(path, reference);
    let files = Arc::clone(&target.files);
    let work = move || {
        check(&files, &asked, &record, missing)?;
        files.extract(&asked.path, input, extract)
    };
    let extracted = offload::lasting("copy", work).await;
    drop(target);
    extracted.map_err(|error| Error::wrap(Class::Unavailable, error).context("start a thread"))??;
    services.events.publish(crate::container::event(&ContainerAction::ExtractToDir, &container.record()));
    Ok(())
}

/// The user that the container's processes run as, by the container's own files.
async fn owner(services: &Arc<Services>, container: &Container) -> Result<Owner> {
    let record = container.record();
    let name = record.spec.process.user.clone();
    if name.is_empty() {
        return Ok(Owner::Archive);
    }
    let (services, pid) = (Arc::clone(services), record.state.pid());
    offload::blocking(move || {
        let user = crate::container::lookup_user(&services, &record.id, pid, &name, &[])?;
        Ok(Owner::Fixed(user.uid, user.gid))
    })
    .await
}

/// Whether files can be put there.
fn check(files: &Files, asked: &Asked, record: &Record, missing: Error) -> Result<()> {
    let root = files.root();
    let Some(there) = lookup::follow(root, &asked.path)? else { return Err(missing) };
    let failed = |error| Error::wrap(Class::Internal, error).context(format!("look at {}", asked.shown()));
    if FileType::from_raw_mode(fstat(&there).map_err(failed)?.st_mode) != FileType::Directory {
        return Err(Error::new(Class::Invalid, "extraction point is not a directory"));
    }
    let mount = |handle: &dyn AsFd| {
        statx(handle.as_fd(), c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).map(|stat| stat.stx_mnt_id)
    };
    if mount(&there).map_err(failed)? == mount(&root).map_err(failed)? {
        if record.spec.filesystem.read_only {
            return Err(Error::new(Class::Invalid, "container rootfs is marked read-only"));
        }
        return Ok(());
    }
    let flags = fstatvfs(&there).map_err(failed)?.f_flag;
    if flags.contains(StatVfsMountFlags::RDONLY) {
        return Err(Error::new(Class::Invalid, "mounted volume is marked read-only"));
    }
    Ok(())
}
