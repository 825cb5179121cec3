//! From here into a container.

use super::place::{Place, Source, Target};
use super::{Args, absolute, base, pack, parent_of, report, stat};
use crate::container::path;
use crate::failure::{Failure, Outcome};
use crate::flags::device::clean;
use crate::flags::env::reason;
use engine_client::{Client, Upload};
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) async fn copy(client: &Client, args: &Args, from: &str, name: &str, to: &str) -> Outcome {
    let (target, there) = find(client, name, to).await?;
    if from == "-" {
        if there != Target::Directory {
            return Err(Failure::new(format!("destination \"{name}:{to}\" must be a directory")));
        }
        return put(client, args, name, &target, Upload::from_reader(io::stdin())).await;
    }
    let from = absolute(from)?;
    let (local, metadata) = look(&from, args.follow_link)
        .map_err(|error| Failure::new(format!("lstat {}: {}", from.trim_end_matches('/'), reason(&error))))?;
    let place = Place::choose(&Source::new(&from, metadata.is_dir()), &target, there)?;
    let packed = Arc::new(AtomicU64::new(0));
    let upload = Upload::from_channel(pack::pack(local, place.name, Arc::clone(&packed)));
    put(client, args, name, &place.directory, upload).await?;
    report(args, packed.load(Ordering::Relaxed), &format!("{name}:{to}"));
    Ok(())
}

async fn put(client: &Client, args: &Args, name: &str, directory: &str, upload: Upload) -> Outcome {
    let request = client.put(path(name, "/archive")?).query("path", directory);
    let request = request.query("noOverwriteDirNonDir", "true");
    let request = if args.archive { request.query("copyUIDGID", "true") } else { request };
    request.upload(upload, "application/x-tar").done().await?;
    Ok(())
}

/// What is at the path of the container, or where the link that is there leads.
async fn find(client: &Client, name: &str, to: &str) -> Outcome<(String, Target)> {
    let mut path = to.to_owned();
    let mut known = stat(client, name, to).await;
    if let Some(link) = known.as_ref().filter(|stat| stat.is_link()) {
        path = clean(&Path::new(&parent_of(to)).join(&link.link_target).to_string_lossy());
        known = stat(client, name, &path).await;
    }
    if let Some(what) = known.as_ref().and_then(super::Stat::unusable) {
        let message = format!("destination \"{name}:{to}\" must be a directory or a regular file: {what}");
        return Err(Failure::new(message));
    }
    let there = match known {
        None => Target::Nothing,
        Some(stat) if stat.is_dir() => Target::Directory,
        Some(_) => Target::File,
    };
    Ok((path, there))
}

/// The local file itself, a link only if it was not to be followed.
fn look(from: &str, follow: bool) -> io::Result<(PathBuf, Metadata)> {
    let (_, contents) = base(from);
    if follow || contents || from.ends_with('/') {
        let path = std::fs::canonicalize(from)?;
        let metadata = std::fs::metadata(&path)?;
        if !metadata.is_dir() && !follow {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        return Ok((path, metadata));
    }
    Ok((from.into(), std::fs::symlink_metadata(from)?))
}
