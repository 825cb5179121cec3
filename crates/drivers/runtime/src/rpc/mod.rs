//! Calls to a shim: a deadline on each, and errors that say which container, which call and which class.

pub(crate) mod connection;
pub(crate) mod link;

use crate::error::{Error, Result};
use crate::shim::ShimProcess;
use connection::Failure;
use containerd_shim_protos::api::{ConnectRequest, ConnectResponse};
use errors::Class;
use ids::ContainerId;
use link::Link;
use protobuf::Message;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use ttrpc::proto::MESSAGE_LENGTH_MAX;
use ttrpc::{Code, Request, Response, Status};

/// For how long a shim may be silent before a call that only asks or passes something on is given up. A healthy one
/// answers within milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// For creating a container: mounts, image layers on slow disks, hooks.
pub(crate) const CREATE: Duration = Duration::from_secs(60);

/// How many times its limit a call may take while the shim answers others. A shim that does one thing after the other
/// is not stuck because a hundred wait in line; but one that never answers this call while it answers all others is.
const IN_LINE: u32 = 12;

/// For saying which process it is; without that, its socket has to tell whether it lives.
const WHICH: Duration = Duration::from_secs(2);

/// For an answer that was sent before the shim ended, to be read.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What may be asked twice: where a connection broke, it is not known whether the first was heard.
const REPEATABLE: [&str; 4] = ["Connect", "Pids", "State", "Wait"];

/// Version of the Task service; its messages are the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Version {
    /// containerd 1.x, and ours.
    V2,
    /// containerd 2.x.
    V3,
}

impl Version {
    fn service(self) -> &'static str {
        match self {
            Self::V2 => "containerd.task.v2.Task",
            Self::V3 => "containerd.task.v3.Task",
        }
    }
}

/// Calls to the shim of a container.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    pub(crate) link: Arc<Link>,
    version: Version,
    pub(crate) container: ContainerId,
    patience: Duration,
}

impl Rpc {
    /// Over a link that exists; see [`PATIENCE`].
    pub(crate) fn new(link: Link, version: Version, container: ContainerId, patience: Duration) -> Self {
        Self { link: Arc::new(link), version, container, patience }
    }

    /// Calls a method of the Task service that only asks or passes something on.
    pub(crate) async fn ask<R: Message>(&self, method: &'static str, request: &impl Message) -> Result<R> {
        self.call(method, request, self.patience).await
    }

    /// Calls a method of the Task service, for which the shim may be silent for `limit`.
    pub(crate) async fn call<R: Message>(
        &self,
        method: &'static str,
        request: &impl Message,
        limit: Duration,
    ) -> Result<R> {
        self.patiently(method, limit, self.exchange(method, request, limit * IN_LINE)).await?
    }

    /// Calls a method that may take for ever. A dead shim ends it with [`Error::ShimGone`].
    pub(crate) async fn call_unlimited<R: Message>(
        &self,
        method: &'static str,
        request: &impl Message,
    ) -> Result<R> {
        let exchange = self.exchange(method, request, Duration::ZERO);
        tokio::pin!(exchange);
        let ended = async {
            match self.link.process() {
                Some(process) => process.has_ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            result = &mut exchange => return result,
            () = ended => {}
        }
        // Its connection may be held open by others.
        timeout(LAST_WORDS, exchange)
            .await
            .unwrap_or_else(|_| Err(self.gone(method, "its process has ended".into())))
    }

    /// Does something with the shim's help, as [`PATIENCE`] says.
    pub(crate) async fn short<T>(&self, operation: &'static str, work: impl Future<Output = T>) -> Result<T> {
        self.patiently(operation, self.patience, work).await
    }

    /// Does something for which the shim may be silent for `limit`, and which may take [`IN_LINE`] times as long.
    async fn patiently<T>(
        &self,
        operation: &'static str,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T> {
        let started = Instant::now();
        let last = started + limit * IN_LINE;
        let mut until = started + limit;
        tokio::pin!(work);
        loop {
            if let Ok(done) = timeout_at(until, &mut work).await {
                return Ok(done);
            }
            match self.link.answered().map(|at| last.min(at + limit)).filter(|&next| next > until) {
                Some(next) => until = next,
                None => return Err(self.deadline(operation, until - started)),
            }
        }
    }

    async fn exchange<R: Message>(
        &self,
        method: &'static str,
        request: &impl Message,
        limit: Duration,
    ) -> Result<R> {
        let request = self.encode(method, request, limit)?;
        loop {
            let gone = |why| self.gone(method, why);
            let connection = self.link.connection().await.map_err(gone)?;
            match connection.exchange(request.clone()).await {
                Ok(response) => return self.decode(method, &response),
                Err(Failure::Unintelligible(detail)) => return Err(self.unintelligible(method, detail)),
                Err(Failure::Unsent(_)) => {}
                Err(Failure::Unanswered(_)) if REPEATABLE.contains(&method) => {}
                Err(Failure::Unanswered(detail)) => {
                    self.link.connection().await.map_err(gone)?;
                    let container = self.container.to_string();
                    return Err(Error::Unanswered { container, operation: method, detail });
                }
            }
        }
    }

    /// Asks a shim that this process did not start itself which one it is: it may not answer any more when it has to be
    /// ended. The credentials of its socket don't say it: they are of who made the socket, for most shims their parent.
    pub(crate) async fn know_process(&self) {
        if self.link.process().is_some() {
            return;
        }
        let request = ConnectRequest { id: self.container.to_string(), ..ConnectRequest::default() };
        match self.call::<ConnectResponse>("Connect", &request, WHICH).await {
            Ok(answer) if answer.shim_pid != std::process::id() => {
                if let Ok(process) = ShimProcess::of(answer.shim_pid) {
                    self.link.learn_process(process);
                }
            }
            Ok(_) => {}
            Err(error) => {
                let error = errors::chain(&error);
                tracing::debug!(container = %self.container, error, "ask a shim which process it is");
            }
        }
    }

    fn encode(&self, method: &'static str, request: &impl Message, limit: Duration) -> Result<Vec<u8>> {
        let encoded = request.write_to_bytes().and_then(|payload| {
            let request = Request {
                service: self.version.service().to_owned(),
                method: method.to_owned(),
                timeout_nano: i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX),
                payload,
                ..Request::default()
            };
            request.write_to_bytes()
        });
        let invalid = |message| self.refused(method, Class::Invalid, message);
        let encoded = encoded.map_err(|error| invalid(error.to_string()))?;
        if encoded.len() > MESSAGE_LENGTH_MAX {
            let length = encoded.len();
            return Err(invalid(format!("{length} bytes are more than a shim takes ({MESSAGE_LENGTH_MAX})")));
        }
        Ok(encoded)
    }

    fn decode<R: Message>(&self, method: &'static str, response: &[u8]) -> Result<R> {
        let unintelligible = |error: protobuf::Error| self.unintelligible(method, error.to_string());
        let response = Response::parse_from_bytes(response).map_err(unintelligible)?;
        match response.status.as_ref() {
            Some(status) if status.code() != Code::OK => {
                Err(self.refused(method, class(status), status.message.clone()))
            }
            _ => R::parse_from_bytes(&response.payload).map_err(unintelligible),
        }
    }

    fn refused(&self, operation: &'static str, class: Class, message: String) -> Error {
        Error::Refused { container: self.container.to_string(), operation, class, message }
    }

    fn unintelligible(&self, operation: &'static str, detail: String) -> Error {
        Error::Unintelligible { container: self.container.to_string(), operation, detail }
    }

    fn gone(&self, operation: &'static str, detail: String) -> Error {
        Error::ShimGone { container: self.container.to_string(), operation, detail }
    }

    fn deadline(&self, operation: &'static str, limit: Duration) -> Error {
        Error::Deadline { container: self.container.to_string(), operation, limit }
    }
}

fn class(status: &Status) -> Class {
    match status.code() {
        Code::NOT_FOUND => Class::NotFound,
        Code::ALREADY_EXISTS | Code::FAILED_PRECONDITION | Code::ABORTED => Class::Conflict,
        Code::INVALID_ARGUMENT | Code::OUT_OF_RANGE => Class::Invalid,
        Code::PERMISSION_DENIED | Code::UNAUTHENTICATED => Class::Denied,
        Code::UNAVAILABLE | Code::DEADLINE_EXCEEDED | Code::RESOURCE_EXHAUSTED => Class::Unavailable,
        Code::UNIMPLEMENTED => Class::Unsupported,
        _ => Class::Internal,
    }
}

#[cfg(test)]
mod tests;
