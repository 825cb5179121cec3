//! Blobs on their way from an upstream: one request there, however many clients wait here.
//!
//! The bytes go into an upload of the repository, and its file is what clients read from, as far as it has come. The last
//! piece is kept from them until the whole has its digest: nobody gets to the end of a blob that is not what it should be.

use super::Place;
use crate::directory::{PIECE, piece};
use crate::{Repositories, RepositoryError, RepositoryName, Result, Session, StorageError};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use oci::Digest;
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

type Key = (RepositoryName, Digest);

/// All that are on their way.
#[derive(Debug, Default, Clone)]
pub(super) struct Flights(Arc<Mutex<HashMap<Key, Flight>>>);

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    digest: Digest,
    progress: watch::Receiver<Progress>,
}

/// How far it has come.
#[derive(Debug, Default)]
struct Progress {
    file: Option<Arc<File>>,
    /// Bytes of the whole, if the upstream says so.
    size: Option<u64>,
    /// Bytes that clients may have.
    available: u64,
    end: Option<Result<(), Arc<RepositoryError>>>,
}

impl Flights {
    /// The one that brings this blob, which begins if there is none.
    pub(super) fn join(&self, repositories: &Repositories, place: &Place, digest: &Digest) -> Flight {
        let key = (place.local.clone(), digest.clone());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = all.get(&key) {
            return flight.clone();
        }
        let (sender, progress) = watch::channel(Progress::default());
        let flight = Flight { digest: digest.clone(), progress };
        all.insert(key.clone(), flight.clone());
        let (flights, repositories, place) = (self.clone(), repositories.clone(), place.clone());
        // Whoever asked may go away; the next one asks for the same.
        tokio::spawn(async move {
            let fetched = fetch(&repositories, &place, &key.1, &sender).await;
            flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            if let Err(error) = &fetched {
                tracing::warn!(name = %key.0, blob = %key.1, error = %errors::chain(error), "fetch a blob");
            }
            sender.send_modify(|progress| progress.end = Some(fetched.map_err(Arc::new)));
        });
        flight
    }
}

async fn fetch(
    repositories: &Repositories,
    place: &Place,
    digest: &Digest,
    progress: &watch::Sender<Progress>,
) -> Result<()> {
    let mut session = repositories.begin_upload(&place.local, digest.algorithm()).await?;
    if let Err(error) = receive(&mut session, place, digest, progress).await {
        session.cancel().await?;
        return Err(error);
    }
    let size = session.size();
    session.commit(digest).await?;
    progress.send_modify(|progress| (progress.size, progress.available) = (Some(size), size));
    Ok(())
}

async fn receive(
    session: &mut Session,
    place: &Place,
    digest: &Digest,
    progress: &watch::Sender<Progress>,
) -> Result<()> {
    let file = Arc::new(session.content()?.ok_or(RepositoryError::NoMirror)?);
    progress.send_modify(|progress| progress.file = Some(file));
    let mut download = place.remote.download(digest, None, 0);
    while let Some(piece) = download.piece().await? {
        let before = session.size();
        session.append(vec![piece]).await?;
        progress.send_modify(|progress| {
            (progress.size, progress.available) = (download.size(), before);
        });
    }
    Ok(())
}

impl Flight {
    /// Bytes of the whole, as soon as that is known.
    pub(super) async fn size(&self) -> Result<u64> {
        let mut progress = self.progress.clone();
        let known = |progress: &Progress| progress.size.is_some() || progress.end.is_some();
        let progress = progress.wait_for(known).await.map_err(|_| self.cut_short())?;
        match (&progress.end, progress.size) {
            (Some(Err(error)), _) => Err(RepositoryError::Shared(Arc::clone(error))),
            (_, Some(size)) => Ok(size),
            (_, None) => Err(self.cut_short().into()),
        }
    }

    /// A part of it, as it comes.
    pub(super) fn body(self, range: Range<u64>) -> BoxStream<'static, Result<Bytes, StorageError>> {
        stream::try_unfold((self, range), |(mut flight, range)| async move {
            let piece = flight.next(&range).await?;
            Ok(piece.map(|piece| {
                let start = range.start + piece.len() as u64;
                (piece, (flight, start..range.end))
            }))
        })
        .boxed()
    }

    async fn next(&mut self, range: &Range<u64>) -> Result<Option<Bytes>, StorageError> {
        if range.is_empty() {
            return Ok(None);
        }
        let cut_short = self.cut_short();
        let there = |progress: &Progress| progress.available > range.start || progress.end.is_some();
        let (file, available) = {
            let progress = self.progress.wait_for(there).await.map_err(|_| self.digest.clone());
            let Ok(progress) = progress else { return Err(cut_short) };
            match (&progress.file, progress.available) {
                (Some(file), available) if available > range.start => (Arc::clone(file), available),
                _ => return Err(cut_short),
            }
        };
        let length = available.min(range.end).saturating_sub(range.start).min(PIECE);
        let (digest, start) = (self.digest.clone(), range.start);
        offload::blocking(move || piece(&file, &digest, start, length)).await.map(Some)
    }

    fn cut_short(&self) -> StorageError {
        StorageError::CutShort { digest: self.digest.clone() }
    }
}
