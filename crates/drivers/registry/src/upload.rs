//! Blobs on their way to a registry (distribution specification, "Pushing blobs").

use crate::{RegistryError, Repository, Result};
use bytes::Bytes;
use futures_util::StreamExt;
use oci::Digest;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Body, Method, Response, StatusCode, Url};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::AsyncReadExt;

/// Size of a piece.
const PIECE: usize = 256 << 10;

/// Content to be sent, as often as need be.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Bytes in memory.
    Bytes(Bytes),
}

/// What became of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploaded {
    /// It was there already.
    Exists,
    /// The registry took it from another repository of its own.
    Mounted,
    /// It was sent.
    Sent,
}

impl Repository {
    /// Makes a blob be in the repository: found there, mounted from the repository `from` of the same registry, or sent.
    /// `sent` is called with the bytes so far.
    ///
    /// # Errors
    /// Those of any request; [`RegistryError::Unreadable`] if the source cannot be read.
    pub async fn upload(
        &self,
        digest: &Digest,
        size: u64,
        source: &Source,
        from: Option<&str>,
        sent: Arc<dyn Fn(u64) + Send + Sync>,
    ) -> Result<Uploaded> {
        let policy = self.inner.client.inner.retry;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let tried =
                self.anywhere(|number| self.upload_at(number, digest, size, source, from, &sent)).await;
            match tried {
                Err(error) if error.is_transient() && attempt < policy.attempts => {
                    let reason = errors::chain(&error);
                    tracing::debug!(%digest, %reason, attempt, "an upload broke off");
                    tokio::time::sleep(policy.wait(attempt)).await;
                }
                done => return done,
            }
        }
    }

    /// Makes a blob that another repository of the same registry has be in this one, without sending it.
    ///
    /// # Errors
    /// [`RegistryError::Protocol`] if the registry wants it to be sent.
    pub async fn mount(&self, digest: &Digest, from: &str) -> Result<()> {
        self.anywhere(|number| async move {
            let place = &self.places()[number];
            let begin = self.request(place, Method::POST, "blobs/uploads/")?.header(CONTENT_LENGTH, 0);
            let mount = begin.query(&[("mount", digest.as_str()), ("from", from)]);
            let answer = self.send(place, mount).await?;
            match answer.status() {
                StatusCode::CREATED => Ok(()),
                StatusCode::ACCEPTED => Err(RegistryError::Protocol {
                    url: answer.url().to_string(),
                    reason: format!("the registry does not take blob {digest} from its repository {from}"),
                }),
                _ => Err(self.refused(answer, "POST").await),
            }
        })
        .await
    }

    async fn upload_at(
        &self,
        number: usize,
        digest: &Digest,
        size: u64,
        source: &Source,
        from: Option<&str>,
        sent: &Arc<dyn Fn(u64) + Send + Sync>,
    ) -> Result<Uploaded> {
        let place = &self.places()[number];
        let head = self.send(place, self.request(place, Method::HEAD, &format!("blobs/{digest}"))?).await?;
        if head.status().is_success() {
            return Ok(Uploaded::Exists);
        }
        let mut begin = self.request(place, Method::POST, "blobs/uploads/")?.header(CONTENT_LENGTH, 0);
        if let Some(from) = from {
            begin = begin.query(&[("mount", digest.as_str()), ("from", from)]);
        }
        let begun = self.send(place, begin).await?;
        match begun.status() {
            StatusCode::CREATED => return Ok(Uploaded::Mounted),
            StatusCode::ACCEPTED => {}
            _ => return Err(self.refused(begun, "POST").await),
        }
        let mut url = location(&begun)?;
        url.query_pairs_mut().append_pair("digest", digest.as_str());
        let http = self.inner.client.http(&place.endpoint)?;
        let request =
            http.put(url).header(CONTENT_TYPE, "application/octet-stream").header(CONTENT_LENGTH, size);
        let put = self.send(place, request.body(body(source, Arc::clone(sent)).await?)).await?;
        if put.status().is_success() { Ok(Uploaded::Sent) } else { Err(self.refused(put, "PUT").await) }
    }
}

/// Where an upload goes on: absolute, or relative to what was asked.
fn location(response: &Response) -> Result<Url> {
    let header = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let url = header.and_then(|location| response.url().join(location).ok());
    url.ok_or_else(|| RegistryError::Protocol {
        url: response.url().to_string(),
        reason: "the registry does not say where to send the blob".to_owned(),
    })
}

async fn body(source: &Source, sent: Arc<dyn Fn(u64) + Send + Sync>) -> Result<Body> {
    let path = match source {
        Source::Bytes(bytes) => {
            sent(bytes.len() as u64);
            return Ok(Body::from(bytes.clone()));
        }
        Source::File(path) => path,
    };
    let file = tokio::fs::File::open(path).await;
    let file = file.map_err(|source| RegistryError::Unreadable { path: path.clone(), source })?;
    let pieces = futures_util::stream::unfold((file, 0_u64), move |(mut file, position)| {
        let sent = Arc::clone(&sent);
        async move {
            let mut buffer = bytes::BytesMut::with_capacity(PIECE);
            match file.read_buf(&mut buffer).await {
                Ok(0) => None,
                Ok(count) => {
                    let position = position + count as u64;
                    sent(position);
                    Some((Ok(buffer.freeze()), (file, position)))
                }
                Err(error) => Some((Err::<Bytes, io::Error>(error), (file, position))),
            }
        }
    });
    Ok(Body::wrap_stream(pieces.boxed()))
}
