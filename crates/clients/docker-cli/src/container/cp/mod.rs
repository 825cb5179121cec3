//! `docker cp`.

mod into;
mod out;
mod pack;
mod place;
mod unpack;

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::device::clean;
use crate::output::{self, units};
use crate::verb::{Arity, verb};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine_client::{Client, Response};
use serde::Deserialize;
use std::path::Path;

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
            out::copy(app.client()?, args, name, from, to).await
        }
        (Side::Local(from), Side::Container(name, to)) => {
            into::copy(app.client()?, args, from, name, to).await
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

    /// What kind of thing nothing can be copied to.
    fn unusable(&self) -> Option<&'static str> {
        if self.mode & 1 << 26 != 0 {
            return Some("got a device");
        }
        (self.mode & 1 << 19 != 0).then_some("got an irregular file")
    }

    fn of(response: &Response) -> Option<Self> {
        let header = response.header("x-docker-container-path-stat")?;
        serde_json::from_slice(&STANDARD.decode(header).ok()?).ok()
    }
}

/// What is at a path of a container; none: nothing that the daemon would tell of. Whatever is wrong is told when it is
/// used.
async fn stat(client: &Client, name: &str, at: &str) -> Option<Stat> {
    let request = client.head(format!("/containers/{}/archive", output::names::path_segment(name)));
    Stat::of(&request.query("path", at).send().await.ok()?)
}

/// The last name of a path, and whether only what lies in it is meant (`dir/.`).
fn base(path: &str) -> (String, bool) {
    let contents = path == "." || path.ends_with("/.");
    let cleaned = clean(path);
    (Path::new(&cleaned).file_name().unwrap_or_default().to_string_lossy().into_owned(), contents)
}

/// An absolute local path, with the slash or dot at its end that means something.
fn absolute(path: &str) -> std::io::Result<String> {
    let mut text = clean(&std::path::absolute(path)?.to_string_lossy());
    let end = path.rsplit('/').next().unwrap_or_default();
    if matches!(end, "" | ".") {
        text.truncate(text.trim_end_matches('/').len());
        text.push('/');
        text.push_str(end);
    }
    Ok(text)
}

/// The directory that holds what a path names.
fn parent_of(path: &str) -> String {
    let cleaned = clean(path);
    let parent = Path::new(&cleaned).parent();
    parent.map_or_else(|| "/".to_owned(), |parent| parent.to_string_lossy().into_owned())
}

/// Says how much was copied, to people.
fn report(args: &Args, bytes: u64, to: &str) {
    if !args.quiet && output::stdout_is_terminal() {
        output::stderr(&format!("Successfully copied {} to {to}\n", units::human_size(bytes as f64, 4)));
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
    }

    #[test]
    fn names_and_ends_of_paths() {
        assert_eq!(base("/a/b/."), ("b".to_owned(), true));
        assert_eq!(base("/a/b/"), ("b".to_owned(), false));
        assert_eq!(base("/"), (String::new(), false));
        assert_eq!(parent_of("/a/b/"), "/a");
        assert_eq!(absolute("/a/../b/").unwrap(), "/b/");
        assert_eq!(absolute("/a/.").unwrap(), "/a/.");
        assert!(absolute("x").unwrap().ends_with("/x"));
    }
}
