//! Receiving a terminal's master from the process that made it inside the container.

use crate::error::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// How long a runtime that says it is done may take to send the master it has sent already.
const PATIENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// A console socket: the runtime connects to it and sends the master along.
#[derive(Debug)]
pub(crate) struct Console {
    listener: UnixListener,
    path: PathBuf,
}

impl Console {
    /// Listens on a socket in `bundle`.
    pub(crate) fn listen(bundle: &Path) -> Result<Self> {
        let path = bundle.join("console.sock");
        let _ = std::fs::remove_file(&path);
        let listener = bind(bundle, "console.sock").map_err(|cause| Error::file("bind", &path, cause))?;
        Ok(Self { listener, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The master, once the runtime has made it.
    pub(crate) fn receive(self) -> Result<OwnedFd> {
        let failed = Error::kernel::<Errno>;
        wait_for(&self.listener)?;
        let (stream, _) = self.listener.accept().map_err(Error::kernel("accept the console's connection"))?;
        wait_for(&stream)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut name = [0; 64];
        recvmsg(&stream, &mut [IoSliceMut::new(&mut name)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
            .map_err(failed("receive the terminal"))?;
        let descriptors = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        descriptors.ok_or_else(|| Error::Runtime {
            class: errors::Class::Internal,
            message: "the runtime sent no terminal over the console socket".to_owned(),
        })
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn wait_for(fd: impl AsFd) -> Result<()> {
    let ready = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&PATIENCE));
    match ready.map_err(Error::kernel("wait for the terminal"))? {
        0 => Err(Error::Kernel { doing: "wait for the terminal", cause: Errno::TIMEDOUT.into() }),
        _ => Ok(()),
    }
}

/// Binds a socket of any path's length: the kernel takes 107 bytes.
pub(crate) fn bind(directory: &Path, name: &str) -> std::io::Result<UnixListener> {
    let directory = std::fs::File::open(directory)?;
    UnixListener::bind(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()))
}
