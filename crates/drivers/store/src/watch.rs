//! What a watcher sees, whichever backend feeds it.

use crate::{Entry, Result, Revision};
use futures_util::stream::{BoxStream, Stream, StreamExt};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// One key's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The transaction it was part of; several changes may share one.
    pub revision: Revision,
    /// The key.
    pub key: String,
    /// What it is now; none: deleted.
    pub value: Option<Entry>,
}

/// The changes below a prefix in the order of their revisions, without a gap.
///
/// Ends when the store is closed. An error ends it too: one who reads too slowly gets
/// [`StoreError::Compacted`](crate::StoreError::Compacted) and has to list again.
pub struct Watch {
    changes: BoxStream<'static, Result<Change>>,
}

impl Watch {
    /// For backends: a watch that yields what `changes` yields.
    pub fn new(changes: impl Stream<Item = Result<Change>> + Send + 'static) -> Self {
        Self { changes: changes.boxed() }
    }

    /// The next change; none when the store is closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Change>> {
        self.changes.next().await
    }
}

impl Stream for Watch {
    type Item = Result<Change>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.changes.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
