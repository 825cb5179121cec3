//! An address where questions are taken, until it is dropped.

use super::socket::{Asker, Pair, Socket};
use super::sockets::Sockets;
use super::{Resolver, tcp};
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// An open pair of sockets. When it is dropped they close, and their connections with them.
#[derive(Debug)]
pub(super) struct Listening {
    sockets: Arc<Sockets>,
    udp: u64,
    tcp: AbortHandle,
}

/// Sockets in a container's namespace.
#[derive(Debug)]
pub(super) struct Inside {
    /// The namespace's inode.
    pub(super) namespace: u64,
    pub(super) _listening: Listening,
}

impl Listening {
    pub(super) fn new(
        pair: Pair,
        asker: Asker,
        sockets: &Arc<Sockets>,
        resolver: &Arc<Resolver>,
    ) -> io::Result<Self> {
        let listener = TcpListener::from_std(pair.tcp)?;
        let udp = sockets.add(Socket { fd: pair.udp, asker: asker.clone() })?;
        let tcp = tokio::spawn(tcp::serve(listener, asker, Arc::clone(resolver))).abort_handle();
        Ok(Self { sockets: Arc::clone(sockets), udp, tcp })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.sockets.close(self.udp);
        self.tcp.abort();
    }
}
