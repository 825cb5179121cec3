//! The resolver at work: sockets, the threads that answer there, and what they know.

mod listening;
mod namespace;
mod socket;
mod sockets;
mod tcp;
mod worker;

use crate::answer::{Known, Outcome, coded};
use crate::cache;
use crate::error::{Error, Result};
use crate::forward::Forwarder;
use crate::message::{Query, Response, code};
use crate::names::{Container, Directory};
use crate::servers::Servers;
use arc_swap::ArcSwap;
use listening::{Inside, Listening};
use netd_protocol as protocol;
use parking_lot::Mutex;
use rustix::net::SendFlags;
use socket::{Asker, Socket};
use sockets::Sockets;
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Weak};
use std::thread;
use tokio::sync::mpsc;

/// Where Docker's resolver is in every container.
const IN_CONTAINERS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));

/// Questions on their way from the threads to those who ask outside.
const ON_THE_WAY: usize = 1024;

/// A datagram's question that somebody outside has to be asked.
#[derive(Debug)]
pub(crate) struct Asking {
    /// A socket in a container's namespace keeps that alive: not for the sake of an answer.
    socket: Weak<Socket>,
    from: SocketAddr,
    packet: Box<[u8]>,
    query: Box<Query>,
    servers: Arc<Servers>,
}

/// Answers one question at a time, and waits for others where it has to.
#[derive(Debug)]
pub(crate) struct Resolver {
    known: Arc<Known>,
    forwarder: Arc<Forwarder>,
}

impl Resolver {
    /// The answer in the place of the question, of any length; none: nothing goes back.
    async fn answer(&self, asker: Option<&Container>, packet: &mut [u8], length: usize) -> Option<usize> {
        let limit = packet.len();
        let (query, servers) = match self.known.answer(asker, packet, length, Some(limit), 0) {
            Outcome::Answer(length) => return Some(length),
            Outcome::Silence => return None,
            Outcome::Ask(query, servers) => (query, servers),
        };
        let response = self.forwarder.ask(Query::clone(&query), &packet[..length], servers).await;
        write(response.as_deref(), &query, packet, limit)
    }

    async fn datagram(self: Arc<Self>, asking: Asking) {
        let Asking { socket, from, packet, query, servers } = asking;
        let response = self.forwarder.ask(Query::clone(&query), &packet, servers).await;
        let mut buffer = packet.into_vec();
        buffer.resize(query.datagram().clamp(buffer.len(), usize::from(u16::MAX)), 0);
        let limit = query.datagram();
        if let (Some(length), Some(socket)) =
            (write(response.as_deref(), &query, &mut buffer, limit), socket.upgrade())
        {
            // A full or closed socket drops it, as a network would.
            let _ = rustix::net::sendto(&socket.fd, &buffer[..length], SendFlags::DONTWAIT, &from);
        }
    }
}

fn write(response: Option<&Response>, query: &Query, buffer: &mut [u8], limit: usize) -> Option<usize> {
    if let Some(response) = response {
        return Some(cache::write(response, query, buffer, limit, 0));
    }
    match coded(buffer, query, code::SERVFAIL) {
        Outcome::Answer(length) => Some(length),
        _ => None,
    }
}

/// The resolver. Its methods are called in a tokio runtime, by its one owner; dropped, it answers no more.
#[derive(Debug)]
pub struct Server {
    port: u16,
    sockets: Arc<Sockets>,
    resolver: Arc<Resolver>,
    directory: Directory,
    gateways: HashMap<SocketAddr, (String, Option<Listening>)>,
    inside: HashMap<String, Inside>,
    home: namespace::Home,
}

impl Server {
    /// Starts `threads` of them, and listens nowhere yet.
    ///
    /// # Errors
    /// [`Error::Start`].
    pub fn start(port: u16, threads: usize) -> Result<Self> {
        let known = Arc::new(Known {
            servers: ArcSwap::from_pointee(Servers::new(Vec::new())),
            cache: Mutex::default(),
        });
        let forwarder = Arc::new(Forwarder::new(Arc::clone(&known)));
        let resolver = Arc::new(Resolver { known: Arc::clone(&known), forwarder });
        let sockets = Arc::new(Sockets::new()?);
        let (sender, receiver) = mpsc::channel(ON_THE_WAY);
        for _ in 0..threads {
            let (sockets, known, sender) = (Arc::clone(&sockets), Arc::clone(&known), sender.clone());
            let thread = thread::Builder::new().name("names".into()).stack_size(128 << 10);
            let spawned = thread.spawn(move || worker::run(&sockets, &known, &sender));
            spawned.map_err(|source| Error::Start { action: "start a thread", source })?;
        }
        tokio::spawn(pass_on(receiver, Arc::clone(&resolver)));
        let (directory, gateways, inside) = (Directory::default(), HashMap::new(), HashMap::new());
        Ok(Self { port, sockets, resolver, directory, gateways, inside, home: namespace::Home::here()? })
    }

    /// The host's servers, from now on.
    pub fn set_servers(&self, servers: Vec<SocketAddr>) {
        self.resolver.known.servers.store(Arc::new(Servers::new(servers)));
    }

    /// Networks, containers and sockets for datagrams.
    pub fn counts(&self) -> (usize, usize, usize) {
        let (networks, containers) = self.directory.counts();
        (networks, containers, self.sockets.count())
    }

    /// Adds or changes a network. Says what does not work of it: the rest does.
    pub fn put_network(&mut self, record: protocol::Network) -> Vec<String> {
        let id = record.id.clone();
        let wanted: Vec<_> =
            record.gateways.iter().map(|&gateway| SocketAddr::new(gateway, self.port)).collect();
        let network = self.directory.put_network(record);
        self.gateways.retain(|address, (owner, _)| *owner != id || wanted.contains(address));
        let mut warnings = Vec::new();
        for address in wanted {
            if self
                .gateways
                .get(&address)
                .is_some_and(|(owner, listening)| *owner == id && listening.is_some())
            {
                continue;
            }
            let listening = self.listen(address, Asker::On(Arc::clone(&network)));
            let listening = listening.map_err(|error| warnings.push(chain(&error))).ok();
            self.gateways.insert(address, (id.clone(), listening));
        }
        warnings
    }

    /// Listens where it could not before. Says whether there is such a place left.
    pub fn retry(&mut self) -> bool {
        let silent = self.gateways.values().filter(|(_, listening)| listening.is_none());
        let missing: BTreeSet<_> = silent.map(|(owner, _)| owner.clone()).collect();
        let records: Vec<_> = missing.iter().filter_map(|id| self.directory.network_record(id)).collect();
        let left = records.into_iter().filter(|record| !self.put_network(record.clone()).is_empty());
        left.count() > 0
    }

    /// Forgets a network.
    pub fn remove_network(&mut self, id: &str) {
        self.directory.remove_network(id);
        self.gateways.retain(|_, (owner, _)| owner != id);
    }

    /// Adds or changes a container, whose names are visible when this returns, and listens in its namespace if the record
    /// wants that. Without a namespace it goes on listening where it did. Says what does not work of it.
    pub fn put_container(
        &mut self,
        record: protocol::Container,
        namespace: Option<BorrowedFd<'_>>,
    ) -> Vec<String> {
        let (id, loopback) = (record.id.clone(), record.loopback);
        let (container, mut warnings) = self.directory.put_container(record);
        if !loopback {
            self.inside.remove(&id);
        } else if let Some(namespace) = namespace
            && let Err(error) = self.listen_inside(&id, container, namespace)
        {
            warnings.push(chain(&error));
        }
        warnings
    }

    fn listen_inside(
        &mut self,
        id: &str,
        container: Arc<Container>,
        namespace: BorrowedFd<'_>,
    ) -> Result<()> {
        let failed = |source| Error::Namespace { container: id.to_owned(), source };
        let number = rustix::fs::fstat(namespace).map_err(|error| failed(error.into()))?.st_ino;
        if self.inside.get(id).is_some_and(|inside| inside.namespace == number) {
            return Ok(());
        }
        let address = SocketAddr::new(IN_CONTAINERS, self.port);
        let pair = self.home.visit(namespace, || socket::Pair::open(address)).map_err(failed)??;
        let listening = self.hear(address, pair, Asker::Is(container))?;
        self.inside.insert(id.to_owned(), Inside { namespace: number, _listening: listening });
        Ok(())
    }

    /// Forgets a container, and lets go of its namespace.
    pub fn remove_container(&mut self, id: &str) {
        self.directory.remove_container(id);
        self.inside.remove(id);
    }

    fn listen(&self, address: SocketAddr, asker: Asker) -> Result<Listening> {
        self.hear(address, socket::Pair::open(address)?, asker)
    }

    fn hear(&self, address: SocketAddr, pair: socket::Pair, asker: Asker) -> Result<Listening> {
        let listening = Listening::new(pair, asker, &self.sockets, &self.resolver);
        listening.map_err(|source| Error::Listen { address, source })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.sockets.end();
    }
}

async fn pass_on(mut receiver: mpsc::Receiver<Asking>, resolver: Arc<Resolver>) {
    while let Some(asking) = receiver.recv().await {
        tokio::spawn(Arc::clone(&resolver).datagram(asking));
    }
}

/// An error with its causes, in one line.
fn chain(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests;
