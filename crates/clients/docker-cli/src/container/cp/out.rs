//! From a container to here.

use super::place::{Place, Source, Target};
use super::{Args, Stat, absolute, parent_of, report, stat, unpack};
use crate::container::path;
use crate::failure::{Failure, Outcome};
use crate::flags::device::clean;
use crate::output;
use bytes::Bytes;
use engine_client::{Client, Response};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

pub(super) async fn copy(client: &Client, args: &Args, name: &str, from: &str, to: &str) -> Outcome {
    let target = if to == "-" { String::new() } else { absolute(to)? };
    if to != "-" {
        check(&target)?;
    }
    let mut asked = from.to_owned();
    if args.follow_link
        && let Some(stat) = stat(client, name, from).await
        && stat.is_link()
    {
        asked = clean(&Path::new(&parent_of(from)).join(&stat.link_target).to_string_lossy());
    }
    let mut response = client.get(path(name, "/archive")?).query("path", &asked).send().await?;
    if to == "-" {
        while let Some(chunk) = response.chunk().await? {
            output::stdout_bytes(&chunk)?;
        }
        return Ok(());
    }
    let is_dir = Stat::of(&response).is_some_and(|stat| stat.is_dir());
    let (target, there) = local(&target)?;
    // A link that was followed keeps its name.
    let source = Source::new(from, is_dir);
    let place = Place::choose(&source, &target, there)?;
    let how = unpack::How { contents: source.name.is_empty(), owners: args.archive };
    let total = receive(response, place, how).await?;
    report(args, total, to);
    Ok(())
}

/// Refuses a target in no directory, and one that is neither a directory nor a file.
fn check(target: &str) -> Outcome {
    let parent = parent_of(target);
    if !Path::new(&parent).exists() {
        return Err(Failure::new(format!("invalid output path: directory {parent:?} does not exist")));
    }
    match std::fs::metadata(target) {
        Ok(known) if known.file_type().is_block_device() || known.file_type().is_char_device() => {
            Err(Failure::new(format!(
                "invalid output path: {target:?} must be a directory or a regular file: got a device"
            )))
        }
        _ => Ok(()),
    }
}

/// What is there. A link as target is followed, also to where nothing is yet.
fn local(target: &str) -> Outcome<(String, Target)> {
    const MOST_LINKS: usize = 10;
    let mut path = target.to_owned();
    for _ in 0..=MOST_LINKS {
        match std::fs::symlink_metadata(&path) {
            Ok(known) if known.is_symlink() => {
                let link = std::fs::read_link(&path)?;
                path = clean(&Path::new(&parent_of(&path)).join(link).to_string_lossy());
            }
            Ok(known) if known.is_dir() => return Ok((path, Target::Directory)),
            Ok(_) => return Ok((path, Target::File)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((path, Target::Nothing)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::new(format!("too many symlinks in {target}")))
}

/// Unpacks on a thread of its own, since files are written without async; gives the bytes received.
async fn receive(mut response: Response, place: Place, how: unpack::How) -> Outcome<u64> {
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Bytes>(8);
    let unpacking = tokio::task::spawn_blocking(move || {
        let pieces = unpack::Pieces::new(receiver);
        unpack::unpack(pieces, &PathBuf::from(place.directory), &place.name, how)
    });
    let mut total = 0;
    while let Some(chunk) = response.chunk().await? {
        total += chunk.len() as u64;
        let sender = sender.clone();
        let sent = tokio::task::spawn_blocking(move || sender.send(chunk)).await;
        if !matches!(sent, Ok(Ok(()))) {
            break; // the other side failed, and says why
        }
    }
    drop(sender);
    let result = unpacking.await.map_err(|error| Failure::new(error.to_string()))?;
    result.map_err(|error| Failure::new(errors::chain(&error)))?;
    Ok(total)
}
