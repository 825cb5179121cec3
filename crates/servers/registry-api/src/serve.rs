//! The accept loop and the end of it.

use crate::guarded::Guarded;
use crate::http::refusal::{Code, Refusal};
use crate::watch::{Watch, Watched};
use crate::{Listener, Registry};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How long requests in flight may take once the registry ends: a large layer may be on its way.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client gets this long to shake hands, and from one answer to the headers of the next request.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(60);

/// How much of a request's body is read at once.
const BUFFER: usize = 512 << 10;

/// How much of an answer the kernel takes ahead of what is on its way: so it is seen whether the client reads.
const UNSENT: u32 = 256 << 10;

/// How much an HTTP/2 client may send before it must wait for us.
const WINDOW: u32 = 4 << 20;

/// Serves a registry on a bound listener until `shutdown` is cancelled: then nothing new is accepted, and requests in
/// flight finish, for at most 15 seconds.
pub async fn serve(listener: Listener, registry: Arc<Registry>, shutdown: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let mut crowded = false;
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &mut crowded) => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, room)) => begin(stream, room, &listener, &registry, &graceful),
            Err(error) => {
                // Out of file descriptors, mostly: they come back when connections end.
                tracing::warn!(%error, ?listener, "accept failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(PATIENCE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were left unfinished");
    }
}

/// The next connection, once there is room for it. `crowded`: there was none for the last one, which is told once.
async fn accept(listener: &Listener, crowded: &mut bool) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let room = Arc::clone(&listener.room);
    let is_full = room.available_permits() == 0;
    if is_full && !*crowded {
        tracing::warn!(?listener, "as many connections as are allowed: further ones wait");
    }
    *crowded = is_full;
    let room = room.acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.socket.accept().await?;
    Ok((stream, room))
}

/// Gives a connection to a task of its own.
fn begin(
    stream: TcpStream,
    room: OwnedSemaphorePermit,
    listener: &Listener,
    registry: &Arc<Registry>,
    graceful: &GracefulShutdown,
) {
    let (registry, watcher) = (Arc::clone(registry), graceful.watcher());
    let tls = listener.tls.as_ref().map(|tls| TlsAcceptor::from(tls.current()));
    tokio::spawn(async move {
        let _room = room;
        // Answers are small, and the next request waits for them.
        let _ = stream.set_nodelay(true);
        let _ = sys::sockets::limit_unsent(&stream, UNSENT);
        let ended = match tls {
            None => connection(stream, registry, watcher).await,
            Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => connection(stream, registry, watcher).await,
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            },
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn connection<S>(
    stream: S,
    registry: Arc<Registry>,
    watcher: hyper_util::server::graceful::Watcher,
) -> Result<(), AnyError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let watch = Arc::new(Watch::default());
    let watching = Arc::clone(&watch);
    let service = service_fn(move |request: Request<Incoming>| {
        let (registry, watch) = (Arc::clone(&registry), Arc::clone(&watching));
        async move {
            let _ours = watch.begin();
            let response = handle(registry, request.map(Body::new)).await;
            Ok::<_, Infallible>(response.map(|body| Watched::new(body, Arc::clone(&watch))))
        }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(BUFFER);
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADERS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(4 * WINDOW);
    let stream = TokioIo::new(Guarded::new(stream, HEADERS, Arc::clone(&watch)));
    let connection = server.serve_connection(stream, service).into_owned();
    tokio::select! {
        ended = watcher.watch(connection) => ended,
        () = watch.forsaken(HEADERS) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

/// Runs a request in a task of its own: a client that goes away ends its body, not what holds an upload. A panic is an answer.
async fn handle(registry: Arc<Registry>, request: Request<Body>) -> Response<Body> {
    let what = format!("{} {}", request.method(), request.uri().path());
    let task = tokio::spawn(async move { registry.answer(request).await });
    match task.await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(request = %what, %error, "a handler panicked");
            let message = "the registry failed; this is a defect, its log has the details";
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown, message).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Access;
    use http_body_util::{BodyExt, Empty};
    use repositories::{Directory, Repositories};
    use tokio::time::Instant;

    /// A client whose library answers pings, and that wants nothing any more.
    #[tokio::test(start_paused = true)]
    async fn a_client_of_http_2_that_falls_silent_is_let_go() {
        let dir = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(Arc::new(Directory::open(dir.path()).unwrap()));
        let registry = Registry { repositories, mirror: None, access: Access::Open, secure: false };
        let (client, server) = tokio::io::duplex(64 << 10);
        let graceful = GracefulShutdown::new();
        let served = tokio::spawn(connection(server, Arc::new(registry), graceful.watcher()));
        let (mut sender, driver) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
        tokio::spawn(driver);
        let request = Request::get("http://x/v2/").body(Empty::<bytes::Bytes>::new()).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.into_body().collect().await.unwrap();
        let begun = Instant::now();
        let ended = tokio::time::timeout(HEADERS * 60, served).await.unwrap().unwrap();
        assert!(ended.is_err() && begun.elapsed() <= HEADERS * 2, "{ended:?} after {:?}", begun.elapsed());
        drop(sender);
    }
}
