//! `docker cp`.

use super::path;
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::device::clean;
use crate::flags::env::reason;
use crate::output::{self, units};
use crate::verb::{Arity, verb};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use engine_client::{Client, Response, Upload};
use serde::Deserialize;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

#[derive(Debug, clap::Args)]
struct Args {
    /// Archive mode (copy all uid/gid information)
    #[arg(short, long)]
    archive: bool,
    /// Always follow symbol link in SRC_PATH
    #[arg(short = 'L', long)]
    follow_link: bool,
    /// Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached
    #[arg(short, long)]
    quiet: bool,
}

verb!(
    Args,
    run,
    Arity::Exactly(2),
    "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    "Copy files/folders between a container and the local filesystem",
    Some(
        "Copy files/folders between a container and the local filesystem\n\n\
         Use '-' as the source to read a tar archive from stdin\nand extract it to a directory destination in a \
         container.\nUse '-' as the destination to stream a tar archive of a\ncontainer source to stdout."
    )
);

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let (source, target) = (side(&words[0]), side(&words[1]));
    match (source, target) {
        (Side::Container(name, from), Side::Local(to)) => {
            from_container(app.client()?, args, name, from, to).await
        }
        (Side::Local(from), Side::Container(name, to)) => {
            to_container(app.client()?, args, from, name, to).await
        }
        (Side::Container(..), Side::Container(..)) => {
            Err(Failure::new("copying between containers is not supported"))
        }
        _ => Err(Failure::new("must specify at least one container source")),
    }
}

/// One of the two places.
#[derive(Debug, PartialEq, Eq)]
enum Side<'w> {
    Local(&'w str),
    Container(&'w str, &'w str),
}

/// `container:path`; a colon behind a slash or a leading dot belongs to a local name.
fn side(word: &str) -> Side<'_> {
    if word.starts_with(['/', '.']) {
        return Side::Local(word);
    }
    match word.split_once(':') {
        Some((name, path)) if !name.is_empty() => Side::Container(name, path),
        _ => Side::Local(word),
    }
}

/// What the daemon says of a path.
#[derive(Debug, Deserialize)]
struct Stat {
    mode: u32,
    #[serde(rename = "linkTarget", default)]
    link_target: String,
}

impl Stat {
    /// Go's bits of a file's mode.
    fn is_dir(&self) -> bool {
        self.mode & 1 << 31 != 0
    }

    fn is_link(&self) -> bool {
        self.mode & 1 << 27 != 0
    }

    fn of(response: &Response) -> Option<Self> {
        let header = response.header("x-docker-container-path-stat")?;
        serde_json::from_slice(&STANDARD.decode(header).ok()?).ok()
    }
}

async fn stat(client: &Client, name: &str, at: &str) -> engine_client::Result<Option<Stat>> {
    let request = client.head(format!("/containers/{}/archive", output::names::path_segment(name)));
    Ok(Stat::of(&request.query("path", at).send().await?))
}

/// The last name of a path, and whether only what lies in it is meant (`dir/.`).
fn base(path: &str) -> (String, bool) {
    let contents = path == "." || path.ends_with("/.");
    let cleaned = clean(path);
    (Path::new(&cleaned).file_name().unwrap_or_default().to_string_lossy().into_owned(), contents)
}

async fn from_container(client: &Client, args: &Args, name: &str, from: &str, to: &str) -> Outcome {
    let mut from = format!("/{}", from.trim_start_matches('/'));
    if args.follow_link
        && let Some(stat) = stat(client, name, &from).await?
        && stat.is_link()
    {
        let parent = Path::new(&from).parent().unwrap_or_else(|| Path::new("/"));
        from = clean(&parent.join(&stat.link_target).to_string_lossy());
    }
    let mut response = client.get(path(name, "/archive")?).query("path", &from).send().await?;
    if to == "-" {
        while let Some(chunk) = response.chunk().await? {
            output::stdout_bytes(&chunk)?;
        }
        return Ok(());
    }
    let stat = Stat::of(&response);
    let is_dir = stat.is_some_and(|stat| stat.is_dir());
    let place = Place::choose(&from, is_dir, to)?;
    let total = receive(response, place, args.archive).await?;
    if !args.quiet && output::stdout_is_terminal() {
        output::stderr(&format!("Successfully copied {} to {to}\n", units::human_size(total as f64, 4)));
    }
    Ok(())
}

/// Where an archive's entries are put on this side.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// All of them below this directory.
    Into(PathBuf),
    /// The one first name becomes this path.
    As(PathBuf),
}

impl Place {
    fn choose(from: &str, is_dir: bool, to: &str) -> Outcome<Self> {
        let target = PathBuf::from(to);
        let (_, contents) = base(from);
        let cannot = |why: &str| Err(Failure::new(format!("{why}: {to}")));
        match std::fs::metadata(&target) {
            Ok(known) if known.is_dir() => return Ok(Self::Into(target)),
            Ok(_) if is_dir => return cannot("cannot copy directory"),
            Ok(_) => return Ok(Self::As(target)),
            Err(_) if to.ends_with('/') && !is_dir => return cannot("no such directory"),
            Err(_) => {}
        }
        if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty())
            && !parent.is_dir()
        {
            return Err(Failure::new(format!("invalid output path: directory {parent:?} does not exist")));
        }
        if contents {
            // The daemon names what lies in `dir/.` without `dir`.
            std::fs::create_dir(&target)?;
            return Ok(Self::Into(target));
        }
        Ok(Self::As(target))
    }
}

/// Unpacks on a thread of its own, since files are written without async; gives the bytes received.
async fn receive(mut response: Response, place: Place, archive: bool) -> Outcome<u64> {
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Bytes>(8);
    let unpacking = tokio::task::spawn_blocking(move || {
        unpack(Pieces { receiver, current: Bytes::new() }, &place, archive)
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

/// The tar library refuses every escape from the directory that it unpacks to; what is to get another name is
/// unpacked beside its place and then moved.
fn unpack(pieces: Pieces, place: &Place, archive: bool) -> io::Result<()> {
    let mut tar = tar::Archive::new(pieces);
    tar.set_preserve_permissions(true);
    tar.set_preserve_ownerships(archive);
    let path = match place {
        Place::Into(directory) => return tar.unpack(directory),
        Place::As(path) => path,
    };
    let parent =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let aside = parent.join(format!(".docker-cp-{}", std::process::id()));
    std::fs::create_dir(&aside)?;
    let mut moved = || -> io::Result<()> {
        tar.unpack(&aside)?;
        match std::fs::read_dir(&aside)?.next() {
            Some(entry) => std::fs::rename(entry?.path(), path),
            None => Ok(()),
        }
    };
    let result = moved();
    std::fs::remove_dir_all(&aside)?;
    result
}

/// Pieces from a channel as a reader.
struct Pieces {
    receiver: std::sync::mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.recv() {
                Ok(piece) => self.current = piece,
                Err(_) => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}

async fn to_container(client: &Client, args: &Args, from: &str, name: &str, to: &str) -> Outcome {
    let absolute = format!("/{}", to.trim_start_matches('/'));
    let known = match stat(client, name, &absolute).await {
        Ok(known) => known,
        Err(error) if error.is_not_found() => {
            // No such path, or no such container: the latter is the daemon's to tell.
            super::inspect_one(client, name).await?;
            None
        }
        Err(error) => return Err(error.into()),
    };
    let put = |directory: &str| -> Outcome<_> {
        let request = client.put(path(name, "/archive")?).query("path", directory);
        let request = request.query("noOverwriteDirNonDir", "true");
        Ok(if args.archive { request.query("copyUIDGID", "true") } else { request })
    };
    let is_dir = known.as_ref().is_some_and(|stat| stat.is_dir() || stat.is_link());
    if from == "-" {
        if !is_dir {
            return Err(Failure::new(format!("destination \"{name}:{to}\" must be a directory")));
        }
        put(&absolute)?.upload(Upload::from_reader(io::stdin()), "application/x-tar").done().await?;
        return Ok(());
    }
    let link = std::fs::symlink_metadata(from);
    let metadata = if args.follow_link { std::fs::metadata(from) } else { link };
    let metadata = metadata.map_err(|error| Failure::new(format!("lstat {from}: {}", reason(&error))))?;
    let (own, contents) = base(from);
    let (target_name, _) = base(&absolute);
    let (directory, entry) = match known {
        Some(_) if is_dir && contents => (absolute.clone(), String::new()),
        Some(_) if is_dir => (absolute.clone(), own),
        Some(_) if metadata.is_dir() => return Err(Failure::new("cannot copy directory")),
        None if absolute.ends_with('/') && !metadata.is_dir() => {
            return Err(Failure::new(format!("no such directory: {to}")));
        }
        _ => (parent_of(&absolute), target_name),
    };
    let upload = Upload::from_channel(pack(PathBuf::from(from), entry, args.follow_link));
    put(&directory)?.upload(upload, "application/x-tar").done().await?;
    Ok(())
}

fn parent_of(path: &str) -> String {
    let cleaned = clean(path);
    Path::new(&cleaned)
        .parent()
        .map_or_else(|| "/".to_owned(), |parent| parent.to_string_lossy().into_owned())
}

/// Packs a file or tree under the name `entry` (empty: its contents at the top), on a thread.
fn pack(from: PathBuf, entry: String, follow: bool) -> mpsc::Receiver<io::Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let sink = Sender(sender.clone());
        let packed = || -> io::Result<()> {
            let mut tar = tar::Builder::new(io::BufWriter::with_capacity(64 * 1024, sink));
            tar.follow_symlinks(false);
            let root = if follow { std::fs::canonicalize(&from)? } else { from };
            if std::fs::symlink_metadata(&root)?.is_dir() {
                tar.append_dir_all(if entry.is_empty() { "." } else { entry.as_str() }, &root)?;
            } else {
                tar.append_path_with_name(&root, &entry)?;
            }
            tar.into_inner()?.flush()
        };
        if let Err(error) = packed() {
            // Nobody listens when the connection is gone, and then its error is the one to tell.
            sender.blocking_send(Err(error)).ok();
        }
    });
    receiver
}

/// A writer into the channel of an upload.
struct Sender(mpsc::Sender<io::Result<Bytes>>);

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides() {
        assert_eq!(side("web:/etc/x"), Side::Container("web", "/etc/x"));
        assert_eq!(side("./a:b"), Side::Local("./a:b"));
        assert_eq!(side("/a:b"), Side::Local("/a:b"));
        assert_eq!(side("file"), Side::Local("file"));
        assert_eq!(base("/a/b/."), ("b".to_owned(), true));
        assert_eq!(base("/a/b/"), ("b".to_owned(), false));
        assert_eq!(parent_of("/a/b/"), "/a");
    }
}
