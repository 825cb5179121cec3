//! Sockets that questions come to.

use crate::error::{Error, Result};
use crate::names::{Container, Network};
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Where a question came to says who may ask it there.
#[derive(Debug, Clone)]
pub(crate) enum Asker {
    /// At a gateway: the container of the network whose address it comes from.
    On(Arc<Network>),
    /// In a container's namespace: that container.
    Is(Arc<Container>),
}

impl Asker {
    /// Who it is; none for who is no container.
    pub(crate) fn who(&self, from: IpAddr) -> Option<Arc<Container>> {
        match self {
            Self::On(network) => network.table().owner(from).map(Arc::clone),
            Self::Is(container) => Some(Arc::clone(container)),
        }
    }
}

/// A socket for datagrams.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) fd: OwnedFd,
    pub(crate) asker: Asker,
}

/// Both sockets of one address.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) udp: OwnedFd,
    pub(super) tcp: TcpListener,
}

/// How many connections wait to be accepted.
const BACKLOG: i32 = 64;

/// Bytes of questions that wait, where the kernel lets us say so.
const WAITING: usize = 1 << 20;

impl Pair {
    /// Listens, in the calling thread's network namespace.
    pub(super) fn open(address: SocketAddr) -> Result<Self> {
        let open = || -> io::Result<Self> {
            let tcp = bind(address, SocketType::STREAM)?;
            rustix::net::listen(&tcp, BACKLOG)?;
            Ok(Self { udp: bind(address, SocketType::DGRAM)?, tcp: tcp.into() })
        };
        open().map_err(|source| Error::Listen { address, source })
    }
}

/// The address need not be there yet: a bridge's comes and goes, and with it the questions, but the socket stays
/// (`IP_FREEBIND`). So nothing has to be watched, and no address that still looks for its duplicate has to be waited for.
fn bind(address: SocketAddr, kind: SocketType) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = match address {
        SocketAddr::V4(_) => {
            let fd = rustix::net::socket_with(AddressFamily::INET, kind, flags, None)?;
            sockopt::set_ip_freebind(&fd, true)?;
            fd
        }
        SocketAddr::V6(_) => {
            let fd = rustix::net::socket_with(AddressFamily::INET6, kind, flags, None)?;
            sockopt::set_ipv6_freebind(&fd, true)?;
            sockopt::set_ipv6_v6only(&fd, true)?;
            fd
        }
    };
    match kind {
        // Connections of before, which the kernel still remembers, do not matter.
        SocketType::STREAM => sockopt::set_socket_reuseaddr(&fd, true)?,
        // The kernel cuts it down to its limit without an error.
        _ => sockopt::set_socket_recv_buffer_size(&fd, WAITING)?,
    }
    rustix::net::bind(&fd, &address)?;
    Ok(fd)
}
