//! Standard output and error of this program, written without holding up the rest.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// Where a container's output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sink {
    Stdout,
    Stderr,
}

/// A pipe or terminal that is writable takes this much without blocking (PIPE_BUF).
const PIECE: usize = 4096;

impl Sink {
    fn fd(self) -> BorrowedFd<'static> {
        match self {
            Self::Stdout => rustix::stdio::stdout(),
            Self::Stderr => rustix::stdio::stderr(),
        }
    }

    /// Writes everything. While the reader of a pipe is slow, signals and input still pass.
    pub(crate) async fn write(self, bytes: &[u8]) -> io::Result<()> {
        let mut left = bytes;
        while !left.is_empty() {
            if !ready(self.fd(), Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? {
                let waiting = tokio::task::spawn_blocking(move || ready(self.fd(), None));
                waiting.await.map_err(io::Error::other)??;
                continue;
            }
            let piece = &left[..left.len().min(PIECE)];
            match rustix::io::write(self.fd(), piece) {
                Ok(written) => left = &left[written..],
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Whether a write would not block, or would fail at once.
fn ready(fd: BorrowedFd<'_>, limit: Option<&Timespec>) -> io::Result<bool> {
    let fd = fd.as_fd();
    match poll(&mut [PollFd::new(&fd, PollFlags::OUT)], limit) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
