//! The daemon is asked where one runs; where none does, its files speak for it.

use crate::own;
use docker_cli::Invocation;
use engine_client::{Client, Request, Transport};
use serde_json::Value;
use std::os::unix::net::UnixStream;

/// What the daemon answers; none: no daemon runs there.
pub(super) fn daemon(
    invocation: &Invocation,
    request: impl for<'a> FnOnce(&'a Client) -> anyhow::Result<Request<'a>>,
) -> anyhow::Result<Option<Value>> {
    let endpoint = own::endpoint(invocation)?;
    // A daemon elsewhere has other files than the host's.
    if endpoint.transport == Transport::Unix(crate::DEFAULT_SOCKET.into())
        && UnixStream::connect(crate::DEFAULT_SOCKET).is_err()
    {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&own::try_ask(invocation, request)?)?))
}
