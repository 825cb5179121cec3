//! Blobs on their way here: a stream that goes on where it broke off (distribution specification, "Pulling blobs").

use crate::{RegistryError, Repository, Result, answer};
use bytes::Bytes;
use oci::Digest;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};

/// A blob that is being fetched. Not compared with its digest here: that is for whoever stores it.
#[derive(Debug)]
pub struct Download {
    repository: Repository,
    digest: Digest,
    /// Its size, if the manifest says it; then not a byte more is taken.
    size: Option<u64>,
    /// Its size, if the registry says it.
    announced: Option<u64>,
    position: u64,
    answer: Option<Response>,
    /// The place to ask next.
    place: usize,
    /// Whether that has given anything yet.
    gives: bool,
    /// Whether that cannot begin in the middle.
    only_whole: bool,
    attempts: u32,
    /// Bytes to pass over, of an answer that begins before what is wanted.
    skip: u64,
    /// Whether the answer that is being read is all that this place has.
    is_all: bool,
}

impl Repository {
    /// A blob from the byte `position` on.
    pub fn download(&self, digest: &Digest, size: Option<u64>, position: u64) -> Download {
        Download {
            repository: self.clone(),
            digest: digest.clone(),
            size,
            announced: None,
            position,
            answer: None,
            place: self.first_place(),
            gives: false,
            only_whole: false,
            attempts: 0,
            skip: 0,
            is_all: false,
        }
    }

    /// All of a small blob, compared with its digest.
    ///
    /// # Errors
    /// [`RegistryError::TooLarge`], [`RegistryError::Mismatch`], and those of [`Download::piece`].
    pub async fn blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>> {
        let (mut download, mut bytes) = (self.download(digest, None, 0), Vec::new());
        while let Some(piece) = download.piece().await? {
            if bytes.len() as u64 + piece.len() as u64 > limit {
                return Err(RegistryError::TooLarge { what: format!("blob {digest}"), limit });
            }
            bytes.extend_from_slice(&piece);
        }
        let found = crate::manifest::digest_like(digest, &bytes);
        if found == *digest {
            return Ok(bytes);
        }
        Err(RegistryError::Mismatch {
            name: self.name().familiar_name().to_owned(),
            expected: digest.clone(),
            found,
        })
    }

    /// Whether the registry has the blob.
    pub async fn has_blob(&self, digest: &Digest) -> Result<bool> {
        Ok(self.blob_size(digest).await?.is_some())
    }

    /// How large a blob is, if the registry says it; none if it has no such blob.
    pub async fn blob_size(&self, digest: &Digest) -> Result<Option<Option<u64>>> {
        self.anywhere(|number| async move {
            let place = &self.places()[number];
            let request = self.request(place, Method::HEAD, &format!("blobs/{digest}"))?;
            let response = self.send(place, request).await?;
            match response.status() {
                StatusCode::NOT_FOUND => Ok(None),
                status if status.is_success() => Ok(Some(length(&response))),
                _ => Err(self.refused(response, "HEAD").await),
            }
        })
        .await
    }
}

impl Download {
    /// How far it came: the next piece begins at this byte.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes of the whole, if the manifest said it, or the registry has by now.
    pub fn size(&self) -> Option<u64> {
        self.size.or(self.announced)
    }

    /// The next piece; none at the end. A connection that breaks is made again, as often as the policy says, and goes on
    /// where the last piece ended.
    ///
    /// # Errors
    /// [`RegistryError::BlobUnknown`], [`RegistryError::Size`] for a blob that is longer than the manifest says,
    /// [`RegistryError::BrokenOff`], and those of any request.
    pub async fn piece(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.size.is_some_and(|size| self.position == size) && self.answer.is_none() {
                return Ok(None);
            }
            match self.try_piece().await {
                Ok(Some(piece)) => {
                    let Some(piece) = self.beyond_skip(piece) else { continue };
                    self.position += piece.len() as u64;
                    if let Some(expected) = self.size.filter(|size| self.position > *size) {
                        return Err(RegistryError::Size {
                            digest: self.digest.clone(),
                            expected,
                            found: self.position,
                        });
                    }
                    // It goes on: what broke before is over.
                    (self.attempts, self.gives) = (0, true);
                    return Ok(Some(piece));
                }
                Ok(None) if self.size.is_none_or(|size| self.position >= size) => return Ok(None),
                // All that there is at this place.
                Ok(None) if self.is_all => self.next_place(self.too_short())?,
                Ok(None) => self.again(None).await?,
                Err(error) => self.again(Some(error)).await?,
            }
        }
    }

    async fn try_piece(&mut self) -> Result<Option<Bytes>> {
        if self.answer.is_none() {
            self.answer = Some(self.open().await?);
            self.repository.answered(self.place);
        }
        let Some(response) = &mut self.answer else { return Ok(None) };
        let url = response.url().to_string();
        response.chunk().await.map_err(|error| answer::broken("GET", &url, error))
    }

    async fn open(&mut self) -> Result<Response> {
        let repository = self.repository.clone();
        let place = &repository.places()[self.place];
        let mut request = repository.request(place, Method::GET, &format!("blobs/{}", self.digest))?;
        if self.position > 0 && !self.only_whole {
            request = request.header(RANGE, format!("bytes={}-", self.position));
        }
        let response = repository.send(place, request).await?;
        let begin = begins_at(&response).unwrap_or(u64::MAX);
        // Without a length, what ends too soon may as well have broken off.
        let is_measured = response.content_length().is_some();
        match response.status() {
            StatusCode::PARTIAL_CONTENT if begin <= self.position => {
                (self.skip, self.is_all) = (self.position - begin, begin == 0 && is_measured);
                Ok(response)
            }
            StatusCode::OK => {
                self.announced = response.content_length();
                (self.skip, self.is_all) = (self.position, is_measured);
                Ok(response)
            }
            // What it has is behind what is wanted, or nothing that it would give in parts.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if !self.only_whole => {
                self.only_whole = true;
                Box::pin(self.open()).await
            }
            StatusCode::NOT_FOUND => {
                let name = repository.name().familiar_name().to_owned();
                let digest = self.digest.clone();
                let message = match repository.refused(response, "GET").await {
                    RegistryError::Refused { message, .. } => message,
                    other => return Err(other),
                };
                Err(RegistryError::BlobUnknown { name, digest, message })
            }
            status if status.is_success() => Err(RegistryError::Protocol {
                url: response.url().to_string(),
                reason: format!("status {status} does not answer a request for a blob"),
            }),
            _ => Err(repository.refused(response, "GET").await),
        }
    }

    /// What of a piece has not been here before.
    fn beyond_skip(&mut self, mut piece: Bytes) -> Option<Bytes> {
        let known = usize::try_from(self.skip).map_or(piece.len(), |skip| skip.min(piece.len()));
        self.skip -= known as u64;
        let rest = piece.split_off(known);
        (!rest.is_empty()).then_some(rest)
    }

    /// Makes ready for another try, here or at the next place, or gives up.
    async fn again(&mut self, error: Option<RegistryError>) -> Result<()> {
        self.answer = None;
        let transient = error.as_ref().is_none_or(RegistryError::is_transient);
        let policy = self.repository.inner.client.inner.retry;
        self.attempts += 1;
        let tries_here = transient && self.attempts < policy.attempts;
        let next =
            error.as_ref().map_or(self.place + 1, |error| self.repository.place_after(self.place, error));
        // What has not given a byte yet may have a neighbour that does; one that broke off gets its tries first.
        if tries_here && (self.gives || next >= self.repository.places().len()) {
            tokio::time::sleep(policy.wait_after(error.as_ref(), self.attempts)).await;
            return Ok(());
        }
        let (digest, position, attempts) = (self.digest.clone(), self.position, self.attempts);
        let error = match error {
            Some(source) if transient && attempts > 1 => {
                RegistryError::BrokenOff { digest, position, attempts, source: Box::new(source) }
            }
            Some(error) => error,
            None => self.too_short(),
        };
        self.go_to(next, error)
    }

    /// Goes on at the next place, or ends with `error`.
    fn next_place(&mut self, error: RegistryError) -> Result<()> {
        let next = self.repository.place_after(self.place, &error);
        self.go_to(next, error)
    }

    fn go_to(&mut self, place: usize, error: RegistryError) -> Result<()> {
        self.answer = None;
        if place >= self.repository.places().len() {
            return Err(error);
        }
        (self.place, self.gives, self.only_whole, self.attempts) = (place, false, false, 0);
        Ok(())
    }

    fn too_short(&self) -> RegistryError {
        let expected = self.size.unwrap_or(self.position);
        RegistryError::Size { digest: self.digest.clone(), expected, found: self.position }
    }
}

/// What a header says of the body, which an answer to HEAD does not have.
fn length(response: &Response) -> Option<u64> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The first byte of a partial answer: `bytes 100-199/200`.
fn begins_at(response: &Response) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}
