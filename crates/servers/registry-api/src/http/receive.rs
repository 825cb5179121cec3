//! Bodies of requests, into an upload or into memory.

use crate::http::refusal::{Code, Refusal};
use axum::body::Body;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use repositories::{RepositoryError, Session};
use std::time::Duration;

/// How much is written at once. While it is, the next batch is read.
const BATCH: usize = 1 << 20;

/// A client gets this long for the next bytes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Some pieces of a body, and how reading it ended, if it did with an error.
#[derive(Default)]
struct Batch {
    pieces: Vec<Bytes>,
    failed: Option<Refusal>,
}

/// Appends a whole body to an upload and says how long it was. What came before an error is kept: the client may go on there.
pub(crate) async fn into_upload(session: &mut Session, mut body: Body) -> Result<u64, Refusal> {
    let mut received = 0;
    let mut batch = gather(&mut body).await;
    while !batch.pieces.is_empty() {
        received += batch.pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
        if let Some(refusal) = batch.failed {
            session.append(batch.pieces).await?;
            return Err(refusal);
        }
        let (appended, next) = tokio::join!(session.append(batch.pieces), gather(&mut body));
        appended?;
        batch = next;
    }
    batch.failed.map_or(Ok(received), Err)
}

/// Reads at least a batch, if so much comes. Nothing means that the body has ended.
async fn gather(body: &mut Body) -> Batch {
    let mut batch = Batch::default();
    let mut size = 0;
    while size < BATCH {
        match frame(body).await {
            Ok(Some(piece)) => {
                size += piece.len();
                batch.pieces.push(piece);
            }
            Ok(None) => break,
            Err(refusal) => {
                batch.failed = Some(refusal);
                break;
            }
        }
    }
    batch
}

/// The next bytes; none at the end.
async fn frame(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.map_err(|_| {
            let message = format!("nothing came for {} seconds", PATIENCE.as_secs());
            Refusal::new(StatusCode::REQUEST_TIMEOUT, Code::BlobUploadInvalid, message)
        })?;
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Ok(Some(data)),
                // Trailers.
                Err(_) => {}
            },
            Some(Err(error)) => {
                let message = format!("the body broke off: {}", errors::chain(&error));
                return Err(Refusal::new(StatusCode::BAD_REQUEST, Code::SizeInvalid, message));
            }
        }
    }
}

/// A whole body of at most `limit` bytes.
pub(crate) async fn into_memory(mut body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let mut whole = BytesMut::new();
    while let Some(piece) = frame(&mut body).await? {
        if whole.len() + piece.len() > limit {
            return Err(RepositoryError::ManifestTooLarge { limit }.into());
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::convert::Infallible;
    use tokio::time::{Instant, sleep};

    /// A body of so many pieces, each after a wait; then silence.
    fn slow(pieces: usize, wait: Duration) -> Body {
        Body::from_stream(stream::unfold(0, move |sent| async move {
            if sent == pieces {
                std::future::pending::<()>().await;
            }
            sleep(wait).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"x")), sent + 1))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn slow_clients_are_waited_for_and_silent_ones_are_not() {
        let begun = Instant::now();
        let refused = into_memory(slow(100, PATIENCE / 2), 1000).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
        let waited = begun.elapsed();
        assert!(waited >= PATIENCE * 51 && waited < PATIENCE * 52, "{waited:?}");
        let refused = into_memory(slow(1, PATIENCE * 2), 1000).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
    }
}
