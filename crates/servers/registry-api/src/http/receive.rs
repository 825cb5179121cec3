//! Bodies of requests, into an upload or into memory.

use crate::http::refusal::{Code, Refusal};
use crate::pace::{LEAST_RATE, Pace, WINDOW};
use axum::body::Body;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use repositories::{RepositoryError, Session};
use tokio::time::Instant;

/// How much is written at once. While it is, the next batch is read.
const BATCH: usize = 1 << 20;

/// A body that comes, and how fast.
struct Incoming {
    body: Body,
    pace: Pace,
}

/// Some pieces of a body, and how reading it ended, if it did with an error.
#[derive(Default)]
struct Batch {
    pieces: Vec<Bytes>,
    failed: Option<Refusal>,
}

/// Appends a whole body to an upload and says how long it was. What came before an error is kept: the client may go on there.
pub(crate) async fn into_upload(session: &mut Session, body: Body) -> Result<u64, Refusal> {
    let mut body = Incoming { body, pace: Pace::default() };
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
async fn gather(body: &mut Incoming) -> Batch {
    let mut batch = Batch::default();
    let mut size = 0;
    while size < BATCH {
        match body.next().await {
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

impl Incoming {
    /// The next bytes; none at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let begun = Instant::now();
            let frame = tokio::time::timeout(self.pace.left(), self.body.frame()).await;
            let data = match frame {
                // The window has ended.
                Err(_) => Bytes::new(),
                Ok(None) => return Ok(None),
                // What is no data is trailers.
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
                Ok(Some(Err(error))) => {
                    let message = format!("the body broke off: {}", errors::chain(&error));
                    return Err(Refusal::new(StatusCode::BAD_REQUEST, Code::SizeInvalid, message));
                }
            };
            if !self.pace.keeps_up(begun.elapsed(), data.len() as u64) {
                return Err(too_slow());
            }
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
    }
}

fn too_slow() -> Refusal {
    let message = format!(
        "the body came too slowly: less than {LEAST_RATE} bytes a second over {} seconds",
        WINDOW.as_secs()
    );
    Refusal::new(StatusCode::REQUEST_TIMEOUT, Code::BlobUploadInvalid, message)
}

/// A whole body of at most `limit` bytes.
pub(crate) async fn into_memory(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let mut body = Incoming { body, pace: Pace::default() };
    let mut whole = BytesMut::new();
    while let Some(piece) = body.next().await? {
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
    use std::time::Duration;
    use tokio::time::sleep;

    /// A body of so many pieces of a size, each after a wait; then silence.
    fn slow(pieces: usize, size: usize, wait: Duration) -> Body {
        Body::from_stream(stream::unfold(0, move |sent| async move {
            if sent == pieces {
                std::future::pending::<()>().await;
            }
            sleep(wait).await;
            Some((Ok::<_, Infallible>(Bytes::from(vec![b'x'; size])), sent + 1))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn slow_clients_are_waited_for_and_silent_ones_are_not() {
        let begun = Instant::now();
        let least = usize::try_from(LEAST_RATE * WINDOW.as_secs()).unwrap();
        let refused = into_memory(slow(100, least / 2, WINDOW / 2), 100 * least).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
        let waited = begun.elapsed();
        assert!(waited >= WINDOW * 51 && waited < WINDOW * 53, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_holds_nothing() {
        for wait in [WINDOW - Duration::from_secs(1), WINDOW / 60, WINDOW * 2] {
            let begun = Instant::now();
            let refused = into_memory(slow(1000, 1, wait), 1000).await.unwrap_err();
            assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
            assert!(begun.elapsed() < WINDOW * 2, "{:?}", begun.elapsed());
        }
    }
}
