//! Calls to a shim: a deadline on each, and errors that say which container, which call and which class.

use crate::error::{Error, Result};
use errors::Class;
use ids::ContainerId;
use protobuf::Message;
use std::time::Duration;
use ttrpc::asynchronous::{Client, transport::Socket};
use ttrpc::{Code, Request, Status};

/// For calls that only ask or pass something on.
pub(crate) const SHORT: Duration = Duration::from_secs(10);

/// For creating a container: mounts, image layers on slow disks, hooks.
pub(crate) const CREATE: Duration = Duration::from_secs(60);

/// How much longer than the shim we wait ourselves, so that its own complaint wins.
const GRACE: Duration = Duration::from_millis(500);

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

/// A connection to the shim of a container.
#[derive(Clone)]
pub(crate) struct Rpc {
    client: Client,
    version: Version,
    container: ContainerId,
}

impl std::fmt::Debug for Rpc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rpc").field("container", &self.container).finish_non_exhaustive()
    }
}

impl Rpc {
    /// Over a connection that exists.
    pub(crate) fn new(client: Client, version: Version, container: ContainerId) -> Self {
        Self { client, version, container }
    }

    /// Calls a method of the Task service; none of them may take longer than `limit`.
    pub(crate) async fn call<R: Message>(
        &self,
        method: &'static str,
        request: &impl Message,
        limit: Duration,
    ) -> Result<R> {
        let nanoseconds = i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX);
        let call = self.exchange(method, request, nanoseconds);
        match tokio::time::timeout(limit + GRACE, call).await {
            Ok(result) => result,
            Err(_) => Err(self.deadline(method, limit)),
        }
    }

    /// Calls a method that may take for ever. A dead shim ends it with [`Error::ShimGone`].
    pub(crate) async fn call_unlimited<R: Message>(
        &self,
        method: &'static str,
        request: &impl Message,
    ) -> Result<R> {
        self.exchange(method, request, 0).await
    }

    async fn exchange<R: Message>(
        &self,
        method: &'static str,
        request: &impl Message,
        timeout_nano: i64,
    ) -> Result<R> {
        let request = Request {
            service: self.version.service().to_owned(),
            method: method.to_owned(),
            timeout_nano,
            payload: request.write_to_bytes().map_err(|error| self.gone(method, &error))?,
            ..Request::default()
        };
        let response = self.client.request(request).await.map_err(|error| self.failure(method, &error))?;
        R::parse_from_bytes(&response.payload).map_err(|error| self.gone(method, &error))
    }

    fn failure(&self, operation: &'static str, error: &ttrpc::Error) -> Error {
        match error {
            ttrpc::Error::RpcStatus(status) => Error::Refused {
                container: self.container.to_string(),
                operation,
                class: class(status),
                message: status.message().to_owned(),
            },
            error => self.gone(operation, error),
        }
    }

    fn gone(&self, operation: &'static str, error: &dyn std::fmt::Display) -> Error {
        Error::ShimGone { container: self.container.to_string(), operation, detail: error.to_string() }
    }

    fn deadline(&self, operation: &'static str, limit: Duration) -> Error {
        Error::Deadline { container: self.container.to_string(), operation, limit }
    }
}

/// A client over a connected socket.
pub(crate) fn client(stream: tokio::net::UnixStream) -> Client {
    Client::new(Socket::new(stream))
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
