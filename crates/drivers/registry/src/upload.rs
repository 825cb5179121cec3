//! Blobs on their way to a registry (distribution specification, "Pushing blobs").

use crate::repository::Place;
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
/// How many times longer than anywhere else a registry may be silent: buffers on the way hide that it receives, and a
/// blob that it has received it has to compare and store.
const PATIENCE: u32 = 5;

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
                self.each_place(|number| self.upload_at(number, digest, size, source, from, &sent)).await;
            match tried {
                Err(error) if error.passes() && attempt < policy.attempts => {
                    let reason = errors::chain(&error);
                    tracing::debug!(%digest, %reason, attempt, "an upload broke off");
                    tokio::time::sleep(policy.wait_after(Some(&error), attempt)).await;
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
        let Some(mut put) = self.begin(place, digest, from).await? else { return Ok(Uploaded::Mounted) };
        let known = place.authorization();
        let mut answer = self.put(place, put, size, source, sent).await?;
        if answer.status() == StatusCode::UNAUTHORIZED && known != place.authorization() {
            // What it was sent with has expired meanwhile.
            put = self.begin(place, digest, None).await?.ok_or_else(|| no_location(&answer))?;
            answer = self.put(place, put, size, source, sent).await?;
        }
        if answer.status().is_success() { Ok(Uploaded::Sent) } else { Err(self.refused(answer, "PUT").await) }
    }

    /// Where to send a blob to; none: it was mounted from `from`. A registry that refuses to mount gets it sent.
    async fn begin(&self, place: &Place, digest: &Digest, from: Option<&str>) -> Result<Option<Url>> {
        let begin = || Ok(self.request(place, Method::POST, "blobs/uploads/")?.header(CONTENT_LENGTH, 0));
        let mut begun = None;
        if let Some(from) = from {
            let mount = begin()?.query(&[("mount", digest.as_str()), ("from", from)]);
            begun = Some(self.send(place, mount).await?).filter(|answer| answer.status().is_success());
        }
        let begun = match begun {
            Some(begun) => begun,
            None => self.send(place, begin()?).await?,
        };
        match begun.status() {
            StatusCode::CREATED if from.is_some() => Ok(None),
            status if status.is_success() => {
                let mut url = location(&begun)?;
                url.query_pairs_mut().append_pair("digest", digest.as_str());
                Ok(Some(url))
            }
            _ => Err(self.refused(begun, "POST").await),
        }
    }

    /// Sends a blob, as long as that goes on.
    async fn put(
        &self,
        place: &Place,
        url: Url,
        size: u64,
        source: &Source,
        sent: &Arc<dyn Fn(u64) + Send + Sync>,
    ) -> Result<Response> {
        let silence = self.inner.client.inner.retry.silence * PATIENCE;
        let (alive, mut moved) = tokio::sync::watch::channel(());
        let told = Arc::clone(sent);
        let sent: Arc<dyn Fn(u64) + Send + Sync> = Arc::new(move |position| {
            alive.send_replace(());
            told(position);
        });
        let stalled = RegistryError::Stalled { url: url.to_string(), silence };
        let http = self.inner.client.http_to_send(&place.endpoint)?;
        let request =
            http.put(url).header(CONTENT_TYPE, "application/octet-stream").header(CONTENT_LENGTH, size);
        let put = self.send(place, request.body(body(source, sent).await?));
        tokio::pin!(put);
        loop {
            tokio::select! {
                answer = &mut put => return answer,
                more = tokio::time::timeout(silence, moved.changed()) => match more {
                    Ok(Ok(())) => {}
                    // All of it is under way; the registry compares and stores it before it says something.
                    Ok(Err(_)) => {
                        return tokio::time::timeout(silence, &mut put).await.unwrap_or(Err(stalled));
                    }
                    Err(_) => return Err(stalled),
                },
            }
        }
    }
}

fn no_location(response: &Response) -> RegistryError {
    RegistryError::Protocol {
        url: response.url().to_string(),
        reason: "the registry does not say where to send the blob".to_owned(),
    }
}

/// Where an upload goes on: absolute, or relative to what was asked.
fn location(response: &Response) -> Result<Url> {
    let header = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let url = header.and_then(|location| response.url().join(location).ok());
    url.ok_or_else(|| no_location(response))
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
