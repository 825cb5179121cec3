//! Request bodies that are streams.

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::io;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::io::StreamReader;

/// How long the rest of a refused upload is read. A client that is still sending would otherwise see a broken pipe
/// in place of the reason.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body as it arrives, and what is to be done with the rest of it when its reader has had enough. Its end before
/// its announced length is an error, so that half an upload is never taken for a whole one.
pub(crate) fn upload(body: Body) -> (impl AsyncRead + Send + 'static, Rest) {
    let (sender, receiver) = mpsc::channel(4);
    let pump = tokio::spawn(pump(body, sender));
    let chunks = stream::unfold(receiver, |mut receiver: mpsc::Receiver<io::Result<Bytes>>| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    (StreamReader::new(Box::pin(chunks)), Rest(pump))
}

/// What is left of an upload.
pub(crate) struct Rest(JoinHandle<()>);

impl Rest {
    /// Waits for the reader's work. If it failed, the rest of the upload is read and dropped before that is told.
    pub(crate) async fn after<T, E>(self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let outcome = work.await;
        if outcome.is_err() {
            // Whoever sends longer than that hears of it by the connection's end.
            let _ = tokio::time::timeout(PATIENCE, self.0).await;
        }
        outcome
    }
}

async fn pump(body: Body, sender: mpsc::Sender<io::Result<Bytes>>) {
    let mut chunks = body.into_data_stream().map_err(io::Error::other);
    while let Some(chunk) = chunks.next().await {
        let ended = chunk.is_err();
        // A reader that has gone takes nothing more: the rest is dropped.
        let _ = sender.send(chunk).await;
        if ended {
            return;
        }
    }
}
