//! Unix sockets whose paths may be longer than the 107 bytes that a socket address holds: a container's bundle
//! often is. They are reached through a descriptor of their directory.

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use std::io;
use std::os::unix::net::{UnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// Between attempts to get into a full queue of connections.
const PAUSE: Duration = Duration::from_millis(10);

/// Connects; the socket is ready for tokio. Connecting to a unix socket never waits for the other side, but for a
/// full queue of connections, which here is `WouldBlock`: a thread that serves others may not wait for it.
pub(crate) fn connect(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    through_directory(path, |short| {
        rustix::net::connect(&socket, &SocketAddrUnix::new(short)?).map_err(Into::into)
    })?;
    UnixStream::from_std(StdUnixStream::from(socket))
}

/// Connects, after those who wait for the same already.
pub(crate) async fn connect_in_line(path: &Path) -> io::Result<UnixStream> {
    loop {
        match connect(path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(PAUSE).await,
            done => return done,
        }
    }
}

/// Binds a listening socket, in place of a leftover one.
pub(crate) fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    through_directory(path, |short| UnixListener::bind(short))
}

fn through_directory<T>(path: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let directory: OwnedFd =
        open(directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(name);
    act(&short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_paths_work_and_leftovers_are_replaced() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("d".repeat(200));
        std::fs::create_dir(&deep).unwrap();
        let path = deep.join("a.sock");
        drop(bind(&path).unwrap());
        assert!(connect(&path).is_err());
        let listener = bind(&path).unwrap();
        let _client = connect(&path).unwrap();
        listener.accept().unwrap();
    }
}
