//! The accept loop and the end of it.

use crate::http::connection;
use crate::listen::Listener;
use crate::routes;
use engine::Services;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long verbs in flight may take once the engine shuts down. Docker gives containers ten seconds to stop, and a
/// verb may be such a stop.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client on the network gets this long between one answer and the headers of its next request: whoever has vanished
/// tells nobody. Those on this host do not vanish unseen.
const HEADERS: Duration = Duration::from_secs(30);

/// Serves the Engine API on a bound listener until `shutdown` is cancelled: then nothing new is accepted, streams end,
/// and verbs in flight finish, for at most 15 seconds.
pub async fn serve(listener: Listener, services: Arc<Services>, shutdown: CancellationToken) {
    let router = routes::router(services, shutdown.clone());
    let connections = TaskTracker::new();
    let verbs = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok(pending) => {
                let (router, verbs, shutdown) = (router.clone(), verbs.clone(), shutdown.clone());
                let patience = listener.tcp_address().map(|_| HEADERS);
                connections.spawn(async move {
                    match pending.establish().await {
                        Ok(stream) => connection::serve(stream, router, verbs, shutdown, patience).await,
                        Err(error) => tracing::debug!(error = %error, "TLS handshake failed"),
                    }
                });
            }
            Err(error) => {
                // Out of file descriptors, mostly: they come back when connections end.
                tracing::warn!(error = %error, listener = %listener, "accept failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    verbs.close();
    let finished = async {
        connections.wait().await;
        verbs.wait().await;
    };
    if tokio::time::timeout(PATIENCE, finished).await.is_err() {
        tracing::warn!(verbs = verbs.len(), connections = connections.len(), "left unfinished at shutdown");
    }
}
