//! netd from the daemon's side: its records, what it is told, and a netd that is there whenever it is needed.
//!
//! All calls block, for a fraction of a millisecond as long as netd answers: make them on a thread for that.

mod connection;
mod error;
mod reconcile;
mod records;
mod start;

pub use error::{Error, Result};
pub use start::Program;

use connection::Connection;
use netd_protocol::{Container, MAX_MESSAGE, Network, Put, PutContainer, Request, Response};
use parking_lot::Mutex;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

/// A netd of one state directory.
#[derive(Debug)]
pub struct Netd {
    state: PathBuf,
    program: Program,
    connection: Mutex<Option<Connection>>,
    ending: AtomicBool,
    kept: Once,
}

/// A container, with what of it is known only by descriptors yet.
#[derive(Debug)]
pub struct Attached<'a> {
    /// Its record.
    pub record: Container,
    /// Its network namespace; without one it is what the record says.
    pub namespace: Option<BorrowedFd<'a>>,
    /// Its process's pidfd; without one it is what the record says.
    pub process: Option<BorrowedFd<'a>>,
}

/// How long a new one is waited with if the one before lived no longer.
const PAUSE: Duration = Duration::from_millis(200);

impl Netd {
    /// For a state directory; starts nothing.
    pub fn new(state: PathBuf, program: Program) -> Self {
        Self {
            state,
            program,
            connection: Mutex::new(None),
            ending: AtomicBool::new(false),
            kept: Once::new(),
        }
    }

    /// Writes records and has netd take them; starts netd if none is there. When it returns, every client sees the names.
    /// Says what does not work of it.
    ///
    /// # Errors
    /// When the records can't be written, or netd not be started, or refuses them.
    pub fn put(&self, networks: Vec<Network>, containers: Vec<Attached<'_>>) -> Result<Vec<String>> {
        for network in &networks {
            records::write(&self.state, &netd_protocol::network_file(&self.state, &network.id), network)?;
        }
        let mut descriptors = Vec::new();
        let mut put = Put { networks, containers: Vec::new() };
        for Attached { record, namespace, process } in containers {
            records::write(&self.state, &netd_protocol::container_file(&self.state, &record.id), &record)?;
            descriptors.extend(namespace.into_iter().chain(process));
            let (namespace, process) = (namespace.is_some(), process.is_some());
            put.containers.push(PutContainer { record, namespace, process });
        }
        self.tell(put, &descriptors)
    }

    /// In as many messages as it takes: networks come before the containers on them.
    fn tell(&self, put: Put, descriptors: &[BorrowedFd<'_>]) -> Result<Vec<String>> {
        let can_split = put.containers.len() > 1;
        let request = Request::Put(put);
        let message = records::encode(&request)?;
        let fits = message.len() <= MAX_MESSAGE && descriptors.len() <= netd_protocol::MAX_DESCRIPTORS;
        let mut put = match request {
            Request::Put(put) if can_split && !fits => put,
            _ => return Ok(self.send(&message, descriptors, true)?.unwrap_or_default().warnings),
        };
        let second = put.containers.split_off(put.containers.len() / 2);
        let carried = put.containers.iter().map(|one| usize::from(one.namespace) + usize::from(one.process));
        let (of_first, of_second) = descriptors.split_at(carried.sum());
        let mut warnings = self.tell(put, of_first)?;
        warnings.extend(self.tell(Put { networks: Vec::new(), containers: second }, of_second)?);
        Ok(warnings)
    }

    /// Writes the record of a network, and has netd take it if there is one: nobody asks before a container is put.
    ///
    /// # Errors
    /// When the record can't be written, or a netd that is there does not answer.
    pub fn note(&self, network: Network) -> Result<()> {
        records::write(&self.state, &netd_protocol::network_file(&self.state, &network.id), &network)?;
        let put = Put { networks: vec![network], containers: Vec::new() };
        self.ask(&Request::Put(put), &[], false).map(drop)
    }

    /// Removes records, and has netd forget them if there is one.
    ///
    /// # Errors
    /// When the records can't be removed, or a netd that is there does not answer.
    pub fn remove(&self, networks: Vec<String>, containers: Vec<String>) -> Result<()> {
        for id in &networks {
            records::remove(&netd_protocol::network_file(&self.state, id))?;
        }
        for id in &containers {
            records::remove(&netd_protocol::container_file(&self.state, id))?;
        }
        self.ask(&Request::Remove { networks, containers }, &[], false).map(drop)
    }

    /// What netd knows; none if there is none.
    ///
    /// # Errors
    /// When one that is there does not answer.
    pub fn status(&self) -> Result<Option<Response>> {
        self.ask(&Request::Status, &[], false)
    }

    /// Starts netd if none answers.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn ensure(&self) -> Result<()> {
        self.ask(&Request::Status, &[], true).map(drop)
    }

    /// Ends netd, and [`Netd::keep`].
    ///
    /// # Errors
    /// When one that is there does not answer.
    pub fn stop(&self) -> Result<()> {
        self.ending.store(true, Ordering::SeqCst);
        self.ask(&Request::Stop, &[], false)?;
        *self.connection.lock() = None;
        Ok(())
    }

    /// Ends [`Netd::keep`] once netd ends next, and leaves netd as it is.
    pub fn let_go(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }

    /// Starts netd, and again whenever it has ended, until [`Netd::stop`]: on a thread of its own, which ends with this
    /// process. Once is enough.
    pub fn keep(self: &Arc<Self>) {
        self.kept.call_once(|| {
            let this = Arc::clone(self);
            let thread = std::thread::Builder::new().name("netd-keeper".into()).stack_size(128 << 10);
            if let Err(error) = thread.spawn(move || this.keep_on()) {
                tracing::error!(%error, "netd is not started again when it ends");
            }
        });
    }

    fn keep_on(&self) {
        while !self.ending.load(Ordering::SeqCst) {
            let process = self.ensure().and_then(|()| self.process());
            match process {
                Ok(Some(process)) => connection::wait_for_end(&process),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "names are not answered");
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    /// The pidfd of the netd that this is connected to.
    fn process(&self) -> Result<Option<OwnedFd>> {
        self.connection.lock().as_ref().map(Connection::process).transpose().map(Option::flatten)
    }

    /// One request and its answer.
    fn ask(
        &self,
        request: &Request,
        descriptors: &[BorrowedFd<'_>],
        start: bool,
    ) -> Result<Option<Response>> {
        self.send(&records::encode(request)?, descriptors, start)
    }

    /// A connection that broke off is made anew, once: each request may be done twice.
    fn send(&self, message: &[u8], descriptors: &[BorrowedFd<'_>], start: bool) -> Result<Option<Response>> {
        if message.len() > MAX_MESSAGE {
            return Err(Error::TooLong { bytes: message.len() });
        }
        let mut connection = self.connection.lock();
        if let Some(known) = &*connection
            && let Ok(response) = known.ask(message, descriptors)
        {
            return accepted(response).map(Some);
        }
        *connection = Connection::open(&self.state)?;
        if connection.is_none() && start {
            self.program.start(&self.state)?;
            *connection = Connection::open(&self.state)?;
        }
        match &*connection {
            Some(new) => accepted(new.ask(message, descriptors)?).map(Some),
            None if start => Err(Error::NotThere),
            None => Ok(None),
        }
    }
}

fn accepted(response: Response) -> Result<Response> {
    match response.error {
        Some(reason) => Err(Error::Refused { reason }),
        None => Ok(response),
    }
}
