//! What the store keeps of an attachment by plugins.

use crate::Result;
use ids::{ContainerId, EndpointId, NetworkId};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use store::{StateStore, Transaction};

const PREFIX: &str = "plugged/";

/// An attachment by plugins: written before they are asked to make it, deleted after they have taken it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: EndpointId,
    pub(crate) container: ContainerId,
    pub(crate) network: NetworkId,
    /// As it was then: it may be another when the attachment is taken back.
    pub(crate) configuration: cni::Configuration,
    pub(crate) wishes: cni::Wishes,
    /// The file that keeps the namespace.
    pub(crate) namespace: PathBuf,
    /// The device in it.
    pub(crate) device: String,
    /// What the plugins said; none: they were not done.
    pub(crate) result: Option<serde_json::Value>,
}

impl Record {
    /// As plugins are told of it.
    pub(crate) fn attachment(&self) -> cni::Attachment<'_> {
        cni::Attachment {
            container: self.container.as_str(),
            namespace: Some(&self.namespace),
            device: &self.device,
            wishes: &self.wishes,
        }
    }
}

pub(crate) async fn load(store: &dyn StateStore) -> Result<Vec<Record>> {
    let (_, records) = store::list_as::<Record>(store, PREFIX).await?;
    Ok(records.into_iter().map(|(_, record, _)| record).collect())
}

pub(crate) async fn put(store: &dyn StateStore, record: &Record) -> Result<()> {
    store.commit(store::put_as(Transaction::new(), &key(record), record)?).await?;
    Ok(())
}

pub(crate) async fn delete(store: &dyn StateStore, record: &Record) -> Result<()> {
    store.commit(Transaction::new().delete(key(record))).await?;
    Ok(())
}

fn key(record: &Record) -> String {
    format!("{PREFIX}{}", record.id)
}
