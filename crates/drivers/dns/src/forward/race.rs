//! Several servers for one question: the first is asked at once, each next one when it takes too long or failed.

use super::exchange::{Question, exchange};
use crate::message::Response;
use crate::servers::Servers;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// How long each server has before the next is asked too. Most answers of a healthy server are there by then, so that the
/// others are spared; a dead one costs no more than this.
const AHEAD: Duration = Duration::from_millis(50);

/// How long all together have: less than the five seconds after which clients ask again.
const ALL: Duration = Duration::from_millis(4500);

/// The first answer that is none of failure; if there is none, the last failure.
pub(super) async fn race(question: Arc<Question>, servers: &Servers) -> Option<Response> {
    let deadline = Instant::now() + ALL;
    let mut rest = servers.addresses.iter().copied();
    let mut running = JoinSet::new();
    let mut failure = None;
    let mut next = Instant::now();
    while !running.is_empty() || rest.len() > 0 {
        tokio::select! {
            Some(done) = running.join_next() => match done {
                Ok(Ok(response)) if !Response::is_failure(&response) => return Some(response),
                Ok(Ok(response)) => {
                    failure = Some(response);
                    next = Instant::now();
                }
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a name server can't be asked");
                    next = Instant::now();
                }
                Err(_) => {}
            },
            () = sleep_until(next), if rest.len() > 0 => {
                if let Some(server) = rest.next() {
                    running.spawn(exchange(Arc::clone(&question), server, deadline));
                }
                next = Instant::now() + AHEAD;
            }
            () = sleep_until(deadline) => break,
        }
    }
    failure
}
