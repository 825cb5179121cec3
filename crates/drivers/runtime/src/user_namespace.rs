//! User namespaces for containers, each with a network namespace that belongs to it, made ahead of the container.
//!
//! A process with threads can't make one, so our shim's program does, which is started for that and ends at once. The
//! namespaces live on as descriptors here until the container's runtime has joined them.

use crate::error::{Error, Result};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use spec::{IdMap, IdMaps};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use sys::spawn::{Child, Program, spawn};

/// The numbers under which the program expects its socket and a user namespace.
const SOCKET: RawFd = 3;
const USER: RawFd = 4;

/// A user namespace, and a network namespace that its root may configure.
#[derive(Debug)]
pub struct UserNamespace {
    user: OwnedFd,
    network: OwnedFd,
}

impl UserNamespace {
    /// Makes both with these maps. Blocks for some milliseconds; `shim` is our shim's program.
    pub fn make(shim: &Path, maps: &IdMaps) -> Result<Self> {
        let maker = Maker::start(shim, "user", None)?;
        maker.write("uid_map", &maps.uids)?;
        maker.write("gid_map", &maps.gids)?;
        Ok(Self { user: maker.open("user")?, network: maker.open("net")? })
    }

    /// That of a running process, with a new network namespace.
    pub fn of_process(shim: &Path, pid: u32) -> Result<Self> {
        let user = open(&PathBuf::from(format!("/proc/{pid}/ns/user")))?;
        let maker = Maker::start(shim, "network", Some(user.as_fd()))?;
        let network = maker.open("net")?;
        Ok(Self { user, network })
    }

    /// Where a runtime finds the user namespace as long as this value lives.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.user.as_raw_fd()))
    }

    /// The network namespace.
    pub fn network(&self) -> BorrowedFd<'_> {
        self.network.as_fd()
    }
}

impl AsFd for UserNamespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.user.as_fd()
    }
}

/// The program that has made the namespaces and waits to be let go.
struct Maker {
    program: PathBuf,
    child: Child,
    _socket: UnixStream,
}

impl Maker {
    fn start(program: &Path, wanted: &str, user: Option<BorrowedFd<'_>>) -> Result<Self> {
        let failed = |cause| Error::Spawn { program: program.to_path_buf(), cause };
        let (mut ours, theirs) = UnixStream::pair().map_err(failed)?;
        let mut descriptors = vec![(theirs.as_fd(), SOCKET)];
        descriptors.extend(user.map(|user| (user, USER)));
        let child = spawn(&Program {
            path: program,
            arguments: &["namespaces", wanted].map(OsStr::new),
            environment: &[],
            descriptors: &descriptors,
        });
        let child = child.map_err(failed)?;
        drop(theirs);
        let answer = read_answer(&mut ours);
        let maker = Self { program: program.to_path_buf(), child, _socket: ours };
        match answer {
            Ok(answer) if answer == [0] => Ok(maker),
            Ok(answer) => Err(maker.failed(String::from_utf8_lossy(&answer).into_owned())),
            Err(error) => Err(maker.failed(error.to_string())),
        }
    }

    fn write(&self, file: &str, maps: &[IdMap]) -> Result<()> {
        let lines = maps.iter().map(|map| format!("{} {} {}\n", map.container, map.host, map.size));
        let path = PathBuf::from(format!("/proc/{}/{file}", self.child.pid));
        std::fs::write(&path, lines.collect::<String>()).map_err(|cause| Error::File {
            action: "write",
            path,
            cause,
        })
    }

    fn open(&self, namespace: &str) -> Result<OwnedFd> {
        open(&PathBuf::from(format!("/proc/{}/ns/{namespace}", self.child.pid)))
    }

    fn failed(&self, message: String) -> Error {
        Error::Namespaces { program: self.program.clone(), message }
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        // It has nothing to finish; one that has ended already is as dead as wanted.
        let _ = pidfd_send_signal(&self.child.pidfd, Signal::KILL);
        if let Err(error) = waitid(WaitId::PidFd(self.child.pidfd.as_fd()), WaitIdOptions::EXITED) {
            tracing::warn!(%error, "wait for the end of the program that makes namespaces");
        }
    }
}

/// One read is enough: what it writes is short and comes at once.
fn read_answer(socket: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 1024];
    match socket.read(&mut buffer)? {
        0 => Err(io::Error::other("it ended without an answer")),
        read => Ok(buffer[..read].to_vec()),
    }
}

fn open(path: &Path) -> Result<OwnedFd> {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(|cause| Error::File {
        action: "open",
        path: path.to_path_buf(),
        cause: cause.into(),
    })
}
