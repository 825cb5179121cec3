//! Looking paths up in a container's files. Symbolic links lead nowhere else.

use super::path::{Asked, End};
use errors::{Class, Error, Result};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2, readlinkat};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

const RESOLVE: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);

/// As many links as docker follows to tell where a link leads.
const MOST_LINKS: usize = 255;

/// A handle of what is there; none: nothing. A link that was asked for by its name is the link itself.
pub(super) fn find(root: BorrowedFd<'_>, asked: &Asked) -> Result<Option<OwnedFd>> {
    let flags = match asked.end {
        End::Name => OFlags::PATH | OFlags::NOFOLLOW,
        End::Slash | End::Dot => OFlags::PATH | OFlags::DIRECTORY,
    };
    open(root, &asked.path, flags, &asked.shown())
}

/// The directory at `path`, for reading; none: there is nothing.
pub(super) fn directory(root: BorrowedFd<'_>, path: &Path) -> Result<Option<OwnedFd>> {
    open(root, path, OFlags::RDONLY | OFlags::DIRECTORY, &path.display().to_string())
}

/// What is at `path`, links followed; none: there is nothing.
pub(super) fn follow(root: BorrowedFd<'_>, path: &Path) -> Result<Option<OwnedFd>> {
    open(root, path, OFlags::PATH, &path.display().to_string())
}

fn open(root: BorrowedFd<'_>, path: &Path, flags: OFlags, shown: &str) -> Result<Option<OwnedFd>> {
    match openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), RESOLVE) {
        Ok(handle) => Ok(Some(handle)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno @ (Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG)) => {
            Err(Error::new(Class::Invalid, format!("lstat {shown}: {}", words(errno))))
        }
        Err(errno) => Err(Error::wrap(Class::Internal, errno).context(format!("look up {shown}"))),
    }
}

fn words(errno: Errno) -> &'static str {
    match errno {
        Errno::NOTDIR => "not a directory",
        Errno::LOOP => "too many levels of symbolic links",
        _ => "file name too long",
    }
}

/// Where a link leads in the end, as far as that is there.
pub(super) fn target(root: BorrowedFd<'_>, path: &Path) -> Result<PathBuf> {
    let (mut reached, mut links) = (PathBuf::from("/"), 0);
    let mut ahead = parts(path);
    while let Some(part) = ahead.pop_front() {
        if part == ".." {
            reached.pop();
            continue;
        }
        let next = reached.join(&part);
        let Some(link) = read_link(root, &next) else {
            reached = next;
            continue;
        };
        links += 1;
        if links > MOST_LINKS {
            return Err(Error::new(Class::Invalid, format!("too many links in {}", path.display())));
        }
        if link.is_absolute() {
            reached = PathBuf::from("/");
        }
        let mut rest = parts(&link);
        rest.append(&mut ahead);
        ahead = rest;
    }
    Ok(reached)
}

fn read_link(root: BorrowedFd<'_>, path: &Path) -> Option<PathBuf> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = openat2(root, path, flags, Mode::empty(), RESOLVE).ok()?;
    // Of anything but a link this fails.
    let target = readlinkat(&handle, c"", Vec::new()).ok()?;
    Some(OsString::from_vec(target.into_bytes()).into())
}

/// Names and pairs of dots.
fn parts(path: &Path) -> VecDeque<OsString> {
    let kept = path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    kept.map(|part| part.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_lead_nowhere_else_and_their_ends_are_told() {
        let dir = std::env::temp_dir().join(format!("lookup-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("a/b")).unwrap();
        for (link, target) in [
            ("a/l", "b"),
            ("abs", "/a/b"),
            ("broken", "/nope/x"),
            ("out", "../../../../../etc"),
            ("chain", "abs"),
            ("round", "round"),
        ] {
            symlink(target, dir.join(link)).unwrap();
        }
        let root = File::open(&dir).unwrap();
        let root = root.as_fd();
        let leads = |path: &str| target(root, Path::new(path)).map(|path| path.display().to_string());
        for (path, end) in [
            ("/a/l", "/a/b"),
            ("/chain", "/a/b"),
            ("/broken", "/nope/x"),
            ("/out", "/etc"),
            ("/abs/x", "/a/b/x"),
        ] {
            assert_eq!(leads(path).unwrap(), end);
        }
        assert!(leads("/round").is_err());
        assert!(find(root, &Asked::parse("/out")).unwrap().is_some());
        assert!(find(root, &Asked::parse("/out/")).unwrap().is_none(), "there is no /etc in here");
        assert!(find(root, &Asked::parse("/chain/")).unwrap().is_some());
        let round = find(root, &Asked::parse("/round/")).unwrap_err();
        assert_eq!(round.to_string(), "lstat /round/: too many levels of symbolic links");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
