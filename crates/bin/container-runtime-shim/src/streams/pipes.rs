//! Making a process's streams, and the shim's ends of them.

use super::{Console, Endpoint, Endpoints};
use crate::error::{Error, Result};
use crate::queue::Queue;
use rustix::fs::{Mode, OFlags, fchown};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Uid;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::Path;

/// What the process gets.
#[derive(Debug)]
pub(crate) enum Theirs {
    Pipes { stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd },
    Terminal(Console),
}

/// What the shim keeps. With a terminal, `stdin` and `stdout` are its master.
#[derive(Debug, Default)]
pub(crate) struct Ours {
    pub(crate) stdin: Option<Input>,
    pub(crate) source: Option<OwnedFd>,
    pub(crate) stdout: Option<Output>,
    pub(crate) stderr: Option<Output>,
}

/// To a process.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) fd: OwnedFd,
    pub(crate) queue: Queue,
    /// Whether it closes once all is written.
    pub(crate) ending: bool,
}

/// From a process.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) fd: OwnedFd,
    pub(crate) sink: Option<Sink>,
}

/// A FIFO that takes output.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) fd: OwnedFd,
    pub(crate) queue: Queue,
}

/// Opens both sides of a process's streams; `owner` is the host's number of its user, who may reopen them
/// (`/dev/stdout`).
pub(crate) fn open(
    endpoints: &Endpoints,
    terminal: bool,
    bundle: &Path,
    owner: u32,
) -> Result<(Theirs, Ours)> {
    if terminal {
        return Ok((Theirs::Terminal(Console::listen(bundle)?), Ours::default()));
    }
    let (stdin, our_stdin) = input(&endpoints.stdin, owner)?;
    let (stdout, our_stdout) = output(&endpoints.stdout, owner)?;
    let (stderr, our_stderr) = output(&endpoints.stderr, owner)?;
    let source = source(&endpoints.stdin)?;
    let ours = Ours { stdin: our_stdin, source, stdout: our_stdout, stderr: our_stderr };
    Ok((Theirs::Pipes { stdin, stdout, stderr }, ours))
}

impl Theirs {
    /// Whether this is one of the process's descriptors.
    pub(crate) fn contain(&self, fd: RawFd) -> bool {
        match self {
            Self::Pipes { stdin, stdout, stderr } => {
                [stdin, stdout, stderr].map(AsRawFd::as_raw_fd).contains(&fd)
            }
            Self::Terminal(_) => false,
        }
    }
}

impl Ours {
    /// Of a terminal whose master has arrived.
    pub(crate) fn terminal(master: OwnedFd, endpoints: &Endpoints, owner: u32) -> Result<Self> {
        own_terminal(&master, owner);
        rustix::io::ioctl_fionbio(&master, true).map_err(Error::kernel("prepare the terminal"))?;
        let copy = rustix::io::fcntl_dupfd_cloexec(&master, 3).map_err(Error::kernel("copy the terminal"))?;
        let sink = sink(&endpoints.stdout)?;
        Ok(Self {
            stdin: Some(Input::new(copy)),
            source: source(&endpoints.stdin)?,
            stdout: Some(Output { fd: master, sink }),
            stderr: None,
        })
    }
}

impl Input {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self { fd, queue: Queue::default(), ending: false }
    }
}

/// So that a process which is not root can open its own terminal again.
fn own_terminal(master: &OwnedFd, owner: u32) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let owned = ioctl_tiocgptpeer(master, flags).and_then(|slave| chown(&slave, owner));
    if let Err(error) = owned {
        crate::log::note(format_args!("give the terminal to user {owner}: {error}"));
    }
}

fn chown(fd: impl AsFd, owner: u32) -> rustix::io::Result<()> {
    fchown(fd, Some(Uid::from_raw(owner)), None)
}

fn input(endpoint: &Endpoint, owner: u32) -> Result<(OwnedFd, Option<Input>)> {
    if *endpoint == Endpoint::Null {
        return Ok((null()?, None));
    }
    let (theirs, ours) = pipe()?;
    chown(&theirs, owner).map_err(Error::kernel("give the input to the user"))?;
    nonblocking(&ours)?;
    Ok((theirs, Some(Input::new(ours))))
}

fn output(endpoint: &Endpoint, owner: u32) -> Result<(OwnedFd, Option<Output>)> {
    if *endpoint == Endpoint::Null {
        return Ok((null()?, None));
    }
    let (ours, theirs) = pipe()?;
    chown(&theirs, owner).map_err(Error::kernel("give the output to the user"))?;
    nonblocking(&ours)?;
    Ok((theirs, Some(Output { fd: ours, sink: sink(endpoint)? })))
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    pipe_with(PipeFlags::CLOEXEC).map_err(Error::kernel("make a pipe"))
}

fn nonblocking(fd: &OwnedFd) -> Result<()> {
    rustix::io::ioctl_fionbio(fd, true).map_err(Error::kernel("prepare a pipe"))
}

fn null() -> Result<OwnedFd> {
    rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|cause| Error::file("open", Path::new("/dev/null"), cause))
}

/// Both ways, so that neither opening nor writing fails while no reader is there.
fn sink(endpoint: &Endpoint) -> Result<Option<Sink>> {
    let Endpoint::Fifo(path) = endpoint else { return Ok(None) };
    let fd = open_fifo(path, OFlags::RDWR)?;
    Ok(Some(Sink { fd, queue: Queue::default() }))
}

fn source(endpoint: &Endpoint) -> Result<Option<OwnedFd>> {
    let Endpoint::Fifo(path) = endpoint else { return Ok(None) };
    open_fifo(path, OFlags::RDONLY).map(Some)
}

fn open_fifo(path: &Path, access: OFlags) -> Result<OwnedFd> {
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|cause: Errno| Error::file("open", path, cause))
}
