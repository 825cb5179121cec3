//! `storage.root`: an engine whose images are somewhere else must not begin without them.

use config::Settings;
use errors::{Class, Error, Result};
use std::path::PathBuf;
use std::sync::Arc;
use store::{StateStore, Transaction};

/// Where images were when the engine was last open.
const KEY: &str = "engine/storage-root";

/// Refuses to begin in a directory that has no images where another one has them.
pub(super) async fn check(store: &Arc<dyn StateStore>, settings: &Settings) -> Result<()> {
    let root = settings.storage_root();
    let recorded = store::get_as::<PathBuf>(&**store, KEY).await?.map(|(path, _)| path);
    let before = recorded.clone().unwrap_or_else(|| settings.runtime.root_dir.clone());
    if before != root
        && before.join(images::LAYERS_DIR).exists()
        && !super::super::layers_dir(settings).exists()
    {
        let (old, new) = (before.display(), root.display());
        return Err(Error::new(Class::Conflict, format!("storage.root is {new}, but images are in {old}"))
            .hint(format!("Move {old}/blobs and {old}/layers there, or set storage.root to {old} again")));
    }
    if recorded.as_deref() != Some(root) {
        store.commit(store::put_as(Transaction::new(), KEY, &root.to_owned())?).await?;
    }
    Ok(())
}
