//! Half-fetched blobs that nobody comes back for.

use crate::{Images, Result};
use blobs::BlobError;
use std::time::{Duration, SystemTime};

impl Images {
    /// Deletes the half-fetched blobs that nobody holds and that nothing was written to for `patience`, and says how many
    /// bytes they had. With `only_look` it deletes nothing.
    pub async fn old_partials(&self, patience: Duration, only_look: bool) -> Result<u64> {
        let blobs = self.inner.blobs.clone();
        offload::blocking(move || {
            let (now, mut bytes) = (SystemTime::now(), 0);
            for partial in blobs.partials()? {
                // One from the future, of a clock that was set back, is as good as new.
                if now.duration_since(partial.modified).is_ok_and(|age| age >= patience) {
                    let discarded = if only_look { Ok(()) } else { blobs.discard_partial(&partial.name) };
                    match discarded {
                        Ok(()) => bytes += partial.size,
                        Err(BlobError::Busy { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Ok(bytes)
        })
        .await
    }
}
