//! What netd knows and watches, changed by one task after another.

use super::process;
use super::records::Records;
use super::table::Table;
use anyhow::{Context, Result};
use carrier::Carrier;
use netd_protocol::{Container, PutContainer, Request, Response};
use std::collections::HashMap;
use std::fs::File;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

/// Something to be done.
#[derive(Debug)]
pub(super) enum Task {
    /// What somebody asked for by the socket.
    Request(Request, Vec<OwnedFd>, oneshot::Sender<Response>),
    /// A container's process has ended. The number is that of the watch.
    Ended(String, u64),
    /// Who asked for the end has been answered.
    End,
    /// The host's servers.
    Servers(Vec<SocketAddr>),
    /// A daemon has connected: the table is its.
    Came,
    /// A daemon's connection has ended.
    Went,
}

/// All of it.
#[derive(Debug)]
pub(super) struct State {
    server: dns::Server,
    carrier: Carrier,
    table: Table,
    watches: HashMap<String, (u64, AbortHandle)>,
    count: u64,
    tasks: mpsc::Sender<Task>,
    incomplete: bool,
}

impl State {
    pub(super) fn new(server: dns::Server, tasks: mpsc::Sender<Task>) -> Self {
        Self {
            server,
            carrier: Carrier::default(),
            table: Table::default(),
            watches: HashMap::new(),
            count: 0,
            tasks,
            incomplete: false,
        }
    }

    /// Whether something could not be listened on.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Tries that again.
    pub(super) fn retry(&mut self) {
        self.incomplete = self.server.retry();
    }

    /// Takes what was there before this process.
    pub(super) async fn load(&mut self, records: Records) {
        let mut warnings = Vec::new();
        for network in records.networks {
            self.table.put_network(&network);
            warnings.extend(self.server.put_network(network));
            self.incomplete |= !warnings.is_empty();
        }
        for record in records.containers {
            warnings.extend(self.put(record, None, None).await);
        }
        for warning in warnings {
            tracing::warn!("{warning}");
        }
    }

    /// Does one thing; breaks off when it was the end.
    pub(super) async fn work(&mut self, task: Task) -> ControlFlow<()> {
        match task {
            Task::Servers(servers) => {
                tracing::info!(?servers, "the host's name servers");
                self.server.set_servers(servers);
            }
            Task::Came => self.table.daemon_came(),
            Task::Went => self.table.daemon_went(),
            Task::Ended(id, watch) => {
                if self.watches.get(&id).is_some_and(|(number, _)| *number == watch) {
                    self.remove(&id).await;
                }
            }
            Task::Request(request, descriptors, answer) => {
                let mut response = self.answer(request, descriptors).await;
                (response.networks, response.containers, response.sockets) = self.server.counts();
                // Who has gone needs no answer.
                let _ = answer.send(response);
            }
            Task::End => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    async fn answer(&mut self, request: Request, descriptors: Vec<OwnedFd>) -> Response {
        let mut warnings = Vec::new();
        match request {
            Request::Put(put) => {
                let wanted =
                    put.containers.iter().map(|one| usize::from(one.namespace) + usize::from(one.process));
                if wanted.sum::<usize>() != descriptors.len() {
                    let error = Some("not as many descriptors as the request says".to_owned());
                    return Response { error, ..Response::default() };
                }
                for network in put.networks {
                    self.table.put_network(&network);
                    warnings.extend(self.server.put_network(network));
                    self.incomplete |= !warnings.is_empty();
                }
                let mut descriptors = descriptors.into_iter();
                for PutContainer { record, namespace, process } in put.containers {
                    let namespace = namespace.then(|| descriptors.next()).flatten();
                    let process = process.then(|| descriptors.next()).flatten();
                    warnings.extend(self.put(record, namespace, process).await);
                }
            }
            Request::Remove { networks, containers } => {
                for id in &containers {
                    self.remove(id).await;
                }
                for id in &networks {
                    self.server.remove_network(id);
                    self.table.remove_network(id);
                }
            }
            Request::Status | Request::Stop => {}
        }
        Response { warnings, ..Response::default() }
    }

    async fn put(
        &mut self,
        record: Container,
        namespace: Option<OwnedFd>,
        pidfd: Option<OwnedFd>,
    ) -> Vec<String> {
        let id = record.id.clone();
        let found = match find(&record, namespace, pidfd) {
            Ok(found) => found,
            Err(error) => {
                // Its names would be those of addresses that are nobody's.
                self.remove(&id).await;
                return vec![format!("container {id} is left out: {error:#}")];
            }
        };
        let (namespace, pidfd) = found;
        self.table.put_container(&record);
        let mut warnings = self.carrier.put(&id, &record.ports).await;
        warnings.extend(self.server.put_container(record, namespace.as_ref().map(AsFd::as_fd)));
        if let Some(pidfd) = pidfd {
            self.watch(id, pidfd);
        }
        warnings
    }

    /// Nothing of a container stays when its process has ended, whoever else has ended.
    fn watch(&mut self, id: String, pidfd: OwnedFd) {
        self.count += 1;
        let (number, tasks, named) = (self.count, self.tasks.clone(), id.clone());
        let watch = tokio::spawn(async move {
            process::ended(pidfd).await;
            // It fails when this process ends too.
            let _ = tasks.send(Task::Ended(named, number)).await;
        });
        if let Some((_, before)) = self.watches.insert(id, (number, watch.abort_handle())) {
            before.abort();
        }
    }

    async fn remove(&mut self, id: &str) {
        if let Some((_, watch)) = self.watches.remove(id) {
            watch.abort();
        }
        self.server.remove_container(id);
        self.table.remove_container(id);
        self.carrier.remove(id).await;
    }
}

/// The namespace and the process of a container, from what came along or from what its record says.
fn find(
    record: &Container,
    namespace: Option<OwnedFd>,
    pidfd: Option<OwnedFd>,
) -> Result<(Option<OwnedFd>, Option<OwnedFd>)> {
    let pidfd = match (pidfd, record.process) {
        (None, Some(process)) => Some(process::open(process)?),
        (pidfd, _) => pidfd,
    };
    let namespace = match (namespace, &record.namespace, record.process, &pidfd) {
        _ if !record.loopback => None,
        (Some(namespace), ..) => Some(namespace),
        (None, Some(path), ..) => {
            Some(File::open(path).with_context(|| format!("open {}", path.display()))?.into())
        }
        (None, None, Some(process), Some(pidfd)) => Some(process::namespace(process, pidfd)?),
        _ => None,
    };
    Ok((namespace, pidfd))
}
