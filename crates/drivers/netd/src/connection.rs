//! A connection to netd.

use crate::error::{Error, Result};
use netd_protocol::{MAX_DESCRIPTORS, MAX_MESSAGE, Response, file};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType, sockopt,
};
use rustix::process::{PidfdFlags, pidfd_open};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// How long an answer may take: a netd that needs longer is taken for one that hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connected socket, used for one request at a time.
#[derive(Debug)]
pub(crate) struct Connection(OwnedFd);

impl Connection {
    /// Connects; none if nobody listens there.
    pub(crate) fn open(state: &Path) -> Result<Option<Self>> {
        match connect(state) {
            Ok(socket) => Ok(Some(Self(socket))),
            Err(Errno::NOENT | Errno::CONNREFUSED) => Ok(None),
            Err(error) => Err(Error::Talk { action: "connect to", source: error.into() }),
        }
    }

    /// Sends a request and waits for the answer.
    pub(crate) fn ask(&self, message: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<Response> {
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut room);
        if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(Error::TooLong { bytes: descriptors.len() });
        }
        rustix::net::sendmsg(&self.0, &[IoSlice::new(message)], &mut ancillary, SendFlags::NOSIGNAL)
            .map_err(|error| Error::Talk { action: "write to", source: error.into() })?;
        let mut answer = Vec::with_capacity(MAX_MESSAGE);
        let read = |source| Error::Talk { action: "read from", source };
        let (length, _) =
            rustix::net::recv(&self.0, rustix::buffer::spare_capacity(&mut answer), RecvFlags::empty())
                .map_err(|error| read(error.into()))?;
        if length == 0 {
            return Err(read(std::io::ErrorKind::UnexpectedEof.into()));
        }
        serde_json::from_slice(&answer).map_err(|error| read(error.into()))
    }

    /// A pidfd of who listens; none if it has ended.
    pub(crate) fn process(&self) -> Result<Option<OwnedFd>> {
        let peer = sockopt::socket_peercred(&self.0);
        match peer.and_then(|peer| pidfd_open(peer.pid, PidfdFlags::empty())) {
            // It answers, so the number is still its own.
            Ok(process) => Ok(Some(process)),
            Err(Errno::SRCH) => Ok(None),
            Err(error) => Err(Error::Talk { action: "watch", source: error.into() }),
        }
    }
}

fn connect(state: &Path) -> rustix::io::Result<OwnedFd> {
    let directory =
        rustix::fs::open(state, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    // A socket's path may have 107 bytes and the directory's be longer.
    let short = format!("/proc/self/fd/{}/{}", directory.as_raw_fd(), file::SOCKET);
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    for timeout in [sockopt::Timeout::Recv, sockopt::Timeout::Send] {
        sockopt::set_socket_timeout(&socket, timeout, Some(PATIENCE))?;
    }
    rustix::net::connect(&socket, &SocketAddrUnix::new(&*short)?)?;
    Ok(socket)
}

/// Returns once the process has ended.
pub(crate) fn wait_for_end(process: &OwnedFd) {
    while poll(&mut [PollFd::new(process, PollFlags::IN)], None) == Err(Errno::INTR) {}
}
