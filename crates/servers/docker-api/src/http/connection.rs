//! One client connection: HTTP/1.1 requests, each handled by a task of its own, until the connection ends, is
//! hijacked, or the engine shuts down.

use crate::http::answer;
use crate::http::dispatch::dispatch;
use crate::http::hijack::{Raw, Request as HijackRequest, Stream};
use crate::http::leftover::Leftover;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Serves one connection to its end. Handlers run as tasks of `verbs`: a client that goes away never cuts one in
/// half. Once `shutdown` is cancelled, the request in progress is the last one. `patience` is for how long the headers
/// of a request are waited for; none: for ever.
pub(crate) async fn serve<I>(
    io: I,
    router: Router,
    verbs: TaskTracker,
    shutdown: CancellationToken,
    patience: Option<Duration>,
) where
    I: Stream + 'static,
{
    let (sender, mut hijacks) = mpsc::channel::<HijackRequest>(1);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(sender.clone());
        let router = router.clone();
        let verbs = verbs.clone();
        async move {
            Ok::<_, Infallible>(
                handle(request.map(|body| Body::new(Leftover::new(body))), router, &verbs).await,
            )
        }
    });
    let mut connection = http1::Builder::new()
        .max_buf_size(64 << 10)
        .title_case_headers(true)
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades();
    let mut draining = false;
    loop {
        tokio::select! {
            ended = &mut connection => {
                if let Err(error) = ended {
                    tracing::debug!(error = %errors::chain(&error), "connection ended early");
                }
                return;
            }
            Some(reply) = hijacks.recv() => {
                if let Some(parts) = connection.into_parts() {
                    // A requester that is gone meanwhile drops the stream, which closes the connection.
                    let _ = reply.send(Raw::new(parts.read_buf, Box::new(parts.io.into_inner())));
                }
                return;
            }
            () = shutdown.cancelled(), if !draining => {
                draining = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    }
}

/// Runs a request in a task of its own; its panic is an answer, not the end of the engine.
async fn handle(request: Request<Body>, router: Router, verbs: &TaskTracker) -> Response<Body> {
    let what = format!("{} {}", request.method(), request.uri().path());
    let task = verbs.spawn(dispatch(router, request));
    match task.await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(request = %what, error = %error, "handler panicked");
            answer::failure(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the engine failed to handle {what}; this is a defect, its log has the details"),
            )
        }
    }
}

#[cfg(test)]
mod tests;
