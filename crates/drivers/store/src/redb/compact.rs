//! Giving back what the file does not need any more, when it is opened: redb uses free pages again, but never returns them.

use redb::{Database, ReadableDatabase};
use std::path::Path;

/// A file below this is left as it is.
const SMALL: u64 = 16 << 20;

/// Compacts a file that is for the most part free. None if that failed: the store is to be opened anew, as it was.
pub(super) fn if_worth(mut database: Database, path: &Path) -> Option<Database> {
    match try_it(&mut database, path) {
        Ok(()) => Some(database),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the state store's file keeps its size");
            None
        }
    }
}

fn try_it(database: &mut Database, path: &Path) -> Result<(), redb::Error> {
    let before = length(path)?;
    if before < SMALL {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    let stats = transaction.stats()?;
    transaction.abort()?;
    if stats.allocated_pages() * stats.page_size() as u64 * 2 > before {
        return Ok(());
    }
    while database.compact()? {}
    // So that whoever reads it next sees that it is sound.
    drop(database.begin_read()?);
    let after = length(path)?;
    tracing::info!(path = %path.display(), before, after, "gave back what the state store's file did not need");
    Ok(())
}

fn length(path: &Path) -> Result<u64, redb::Error> {
    Ok(std::fs::metadata(path)?.len())
}
