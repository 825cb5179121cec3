//! Network namespaces: making them, holding them, acting inside them.

use crate::socket::Socket;
use crate::{Error, Result, link, sysctl};
use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags};
use rustix::thread::LinkNameSpaceType;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread;

/// What every new namespace begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether devices made in it later have IPv6; loopback has it in any case.
    pub ipv6: bool,
}

/// A network namespace that this process keeps alive.
#[derive(Debug)]
pub struct Namespace {
    fd: OwnedFd,
    path: PathBuf,
    socket: Mutex<Option<Socket>>,
}

impl Namespace {
    /// Makes a namespace with loopback up, on a thread of its own.
    pub fn make(settings: Settings) -> Result<Self> {
        on_thread("netns-make", move || {
            unshare()?;
            Self::settle(settings)
        })
    }

    /// Takes a namespace that another has just made, such as one that belongs to a container's user namespace, and gives it
    /// what every new one begins with.
    pub fn adopt(fd: OwnedFd, settings: Settings) -> Result<Self> {
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), fd.as_raw_fd()));
        let namespace = Self { fd, path, socket: Mutex::new(None) };
        let socket = namespace.run(|| prepare(settings))?;
        *namespace.socket.lock() = Some(socket);
        Ok(namespace)
    }

    /// The namespace of a running process.
    pub fn of_process(pid: u32) -> Result<Self> {
        // By the descriptor: the number may be another process's by the time that somebody opens it.
        let fd = open(Path::new(&format!("/proc/{pid}/ns/net")))?;
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), fd.as_raw_fd()));
        Ok(Self { fd, path, socket: Mutex::new(None) })
    }

    /// The namespace of the calling thread.
    pub fn current() -> Result<Self> {
        let fd = open(Path::new("/proc/thread-self/ns/net"))?;
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), fd.as_raw_fd()));
        Ok(Self { fd, path, socket: Mutex::new(None) })
    }

    /// Where others open it as long as this value lives.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `act` with a netlink socket that acts in this namespace; the socket is kept for the next time.
    pub fn with_socket<T>(&self, act: impl FnOnce(&mut Socket) -> Result<T>) -> Result<T> {
        let mut slot = self.socket.lock();
        if let Some(socket) = &mut *slot {
            return act(socket);
        }
        act(slot.insert(self.open_socket()?))
    }

    /// Sets parameters in it. What the kernel lacks or forbids stays as it is: devices work without.
    pub(crate) fn set_parameters(&self, parameters: &[(&str, &str)]) -> Result<()> {
        self.run(|| {
            for (parameter, error) in sysctl::write_new(parameters) {
                tracing::debug!(parameter, %error, "a parameter of a network namespace is as it was");
            }
            Ok(())
        })
    }

    /// Runs `act` on a new thread in this namespace.
    pub fn run<T: Send>(&self, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        on_thread("netns-run", || {
            enter(self.fd.as_fd()).map_err(|cause| self.error("open", cause))?;
            act()
        })
    }

    /// Makes a namespace on the calling thread and returns from it to `home`.
    ///
    /// # Errors
    /// After [`Error::Namespace`] with the action `return from` the thread is of no use any more.
    pub(crate) fn make_and_return(settings: Settings, home: &Self) -> Result<Self> {
        unshare()?;
        let made = Self::settle(settings);
        enter(home.fd.as_fd()).map_err(|cause| home.error("return from", cause))?;
        made
    }

    /// Prepares the namespace that the calling thread has just made.
    fn settle(settings: Settings) -> Result<Self> {
        let namespace = Self::current()?;
        *namespace.socket.lock() = Some(prepare(settings)?);
        Ok(namespace)
    }

    fn open_socket(&self) -> Result<Socket> {
        self.run(Socket::open)
    }

    fn error(&self, action: &'static str, cause: io::Error) -> Error {
        Error::Namespace { action, path: Some(self.path.clone()), cause }
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Sets loopback up and the parameters, in the calling thread's namespace.
fn prepare(settings: Settings) -> Result<Socket> {
    let mut socket = Socket::open()?;
    socket.batch(vec![link::up(1, "lo")])?;
    write_defaults(settings);
    Ok(socket)
}

/// The parameters that Docker gives each container: ports below 1024 and `ping` for everyone. A container without them
/// still works, so a read-only `/proc/sys` is no failure.
fn write_defaults(settings: Settings) {
    let mut parameters =
        vec![("ipv4/ip_unprivileged_port_start", "0"), ("ipv4/ping_group_range", "0 2147483647")];
    if !settings.ipv6 {
        parameters.push(("ipv6/conf/default/disable_ipv6", "1"));
    }
    for (parameter, error) in sysctl::write_new(&parameters) {
        tracing::debug!(parameter, %error, "a network namespace keeps the kernel's default");
    }
}

fn unshare() -> Result<()> {
    sys::netns::unshare().map_err(|cause| Error::Namespace { action: "make", path: None, cause })
}

fn enter(namespace: BorrowedFd<'_>) -> io::Result<()> {
    rustix::thread::move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?;
    Ok(())
}

fn open(path: &Path) -> Result<OwnedFd> {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(|cause| {
        Error::Namespace { action: "open", path: Some(path.to_owned()), cause: cause.into() }
    })
}

/// Runs `act` on a thread that ends with it, so that no other work ever finds itself in a foreign namespace.
fn on_thread<T: Send>(name: &'static str, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let spawned = thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, act);
        let handle = spawned.map_err(|cause| Error::Thread { name, cause })?;
        handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
