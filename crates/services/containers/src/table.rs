//! The table of all containers, with their names.

use crate::progress::Progress;
use crate::{Container, Event, Record, SCHEMA, next};
use errors::{Class, Classified, Result};
use ids::{ContainerId, ContainerName};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use store::{StateStore, Transaction};

const PREFIX: &str = "containers/";

/// What can be wrong with a look-up or a change.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Nothing has this name or id.
    #[error("No such container: {reference}")]
    NotFound {
        /// What was asked for.
        reference: String,
    },
    /// Several ids begin with it.
    #[error("multiple IDs found with provided prefix: {reference}")]
    Ambiguous {
        /// What was asked for.
        reference: String,
    },
    /// Another container has the name.
    #[error(
        "Conflict. The container name \"/{name}\" is already in use by container \"{holder}\". You have to remove \
         (or rename) that container to be able to reuse that name."
    )]
    NameTaken {
        /// The name.
        name: ContainerName,
        /// Who has it; the reserving client's words while it is only reserved.
        holder: String,
    },
    /// The event cannot happen in the container's state.
    #[error("container {id} is {state}: it can't take the event {event}")]
    BadTransition {
        /// Which container.
        id: ContainerId,
        /// Its state's word.
        state: &'static str,
        /// The event.
        event: String,
    },
    /// A stored record does not parse.
    #[error("record {key} in the state store is damaged or from a newer version")]
    BadRecord {
        /// Its key.
        key: String,
        /// What the parser said.
        #[source]
        cause: serde_json::Error,
    },
}

impl Classified for TableError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound { .. } => Class::NotFound,
            Self::Ambiguous { .. } => Class::Invalid,
            Self::NameTaken { .. } | Self::BadTransition { .. } => Class::Conflict,
            Self::BadRecord { .. } => Class::Internal,
        }
    }
}

/// All containers of this engine.
pub struct Containers {
    store: Arc<dyn StateStore>,
    index: Arc<RwLock<Index>>,
    pub(crate) progress: Progress,
}

#[derive(Default)]
struct Index {
    by_id: BTreeMap<ContainerId, Arc<Container>>,
    names: HashMap<ContainerName, Holder>,
}

enum Holder {
    Reserved,
    Taken(ContainerId),
}

/// A name kept for a container that is being made; given back when dropped.
pub struct NameReservation {
    name: ContainerName,
    index: Arc<RwLock<Index>>,
    kept: bool,
}

impl NameReservation {
    /// The reserved name.
    pub fn name(&self) -> &ContainerName {
        &self.name
    }
}

impl Drop for NameReservation {
    fn drop(&mut self) {
        if !self.kept {
            self.index.write().names.remove(&self.name);
        }
    }
}

impl std::fmt::Debug for Containers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Containers({})", self.index.read().by_id.len())
    }
}

impl std::fmt::Debug for NameReservation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NameReservation({})", self.name)
    }
}

impl Containers {
    /// Reads all records from the store.
    ///
    /// # Errors
    /// The store's, and [`TableError::BadRecord`].
    pub async fn open(store: Arc<dyn StateStore>) -> Result<Self> {
        let mut index = Index::default();
        for (key, entry) in store.list(PREFIX).await?.entries {
            let record: Record = serde_json::from_slice(&entry.value)
                .map_err(|cause| TableError::BadRecord { key: key.clone(), cause })?;
            if record.schema > SCHEMA {
                let cause = serde::de::Error::custom(format!("schema {}", record.schema));
                return Err(TableError::BadRecord { key, cause }.into());
            }
            index.names.insert(record.name.clone(), Holder::Taken(record.id.clone()));
            index.by_id.insert(record.id.clone(), Container::new(record));
        }
        Ok(Self { store, index: Arc::new(RwLock::new(index)), progress: Progress::default() })
    }

    /// Every container, in no useful order.
    pub fn all(&self) -> Vec<Arc<Container>> {
        self.index.read().by_id.values().cloned().collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.index.read().by_id.len()
    }

    /// By id.
    pub fn get(&self, id: &ContainerId) -> Option<Arc<Container>> {
        self.index.read().by_id.get(id).cloned()
    }

    /// By full id, then name, then unique beginning of an id, as Docker looks it up.
    ///
    /// # Errors
    /// [`TableError::NotFound`], [`TableError::Ambiguous`].
    pub fn find(&self, reference: &str) -> Result<Arc<Container>, TableError> {
        let not_found = || TableError::NotFound { reference: reference.to_owned() };
        let index = self.index.read();
        if let Ok(id) = reference.parse::<ContainerId>()
            && let Some(container) = index.by_id.get(&id)
        {
            return Ok(Arc::clone(container));
        }
        if let Ok(name) = reference.parse::<ContainerName>()
            && let Some(Holder::Taken(id)) = index.names.get(&name)
            && let Some(container) = index.by_id.get(id)
        {
            return Ok(Arc::clone(container));
        }
        if reference.is_empty() {
            return Err(not_found());
        }
        let mut matching = index.by_id.iter().filter(|(id, _)| id.as_str().starts_with(reference));
        let (_, container) = matching.next().ok_or_else(not_found)?;
        if matching.next().is_some() {
            return Err(TableError::Ambiguous { reference: reference.to_owned() });
        }
        Ok(Arc::clone(container))
    }

    /// Keeps a name for a container that is being made.
    ///
    /// # Errors
    /// [`TableError::NameTaken`].
    pub fn reserve(&self, name: ContainerName) -> Result<NameReservation, TableError> {
        let mut index = self.index.write();
        match index.names.get(&name) {
            Some(holder) => {
                let holder = match holder {
                    Holder::Taken(id) => id.to_string(),
                    Holder::Reserved => "that is being created".to_owned(),
                };
                Err(TableError::NameTaken { name, holder })
            }
            None => {
                index.names.insert(name.clone(), Holder::Reserved);
                Ok(NameReservation { name, index: Arc::clone(&self.index), kept: false })
            }
        }
    }

    /// Stores a new container under its reserved name, in one transaction with whatever has to be there with it.
    ///
    /// # Errors
    /// The store's; the name is then free again.
    pub async fn insert(
        &self,
        record: Record,
        mut reservation: NameReservation,
        with: Transaction,
    ) -> Result<Arc<Container>> {
        self.store.commit(with.put(key(&record.id), encode(&record))).await?;
        let container = Container::new(record);
        let mut index = self.index.write();
        index.names.insert(reservation.name.clone(), Holder::Taken(container.id().clone()));
        index.by_id.insert(container.id().clone(), Arc::clone(&container));
        reservation.kept = true;
        Ok(container)
    }

    /// Changes a record: stored first, then visible. Changes of one record happen one after the other, whoever makes
    /// them: an exit and a verb may meet.
    ///
    /// # Errors
    /// The store's, and [`TableError::NotFound`] for a container that was deleted; the record is then as it was.
    pub async fn update(
        &self,
        container: &Container,
        change: impl FnOnce(&mut Record),
    ) -> Result<Arc<Record>> {
        let _writing = container.writing.lock().await;
        self.check_kept(container)?;
        let mut record = Record::clone(&container.record());
        change(&mut record);
        self.put(&record).await?;
        Ok(container.publish(record))
    }

    /// Remembers what is so whether or not it can be stored, such as what a person wishes: a full or read-only disk keeps
    /// nobody from ending a container. It is visible at once, and stored with the next change.
    ///
    /// # Errors
    /// [`TableError::NotFound`] for a container that was deleted meanwhile.
    pub async fn note(&self, container: &Container, change: impl FnOnce(&mut Record)) -> Result<()> {
        let _writing = container.writing.lock().await;
        self.check_kept(container)?;
        let mut record = Record::clone(&container.record());
        change(&mut record);
        if let Err(error) = self.put(&record).await {
            tracing::warn!(container = %container.id(), %error, "store a wish");
        }
        container.publish(record);
        Ok(())
    }

    /// Moves a container to its next state, with further changes of its record in the same write.
    ///
    /// # Errors
    /// [`TableError::BadTransition`], and those of [`Containers::update`].
    pub async fn advance(
        &self,
        container: &Container,
        event: Event,
        change: impl FnOnce(&mut Record),
    ) -> Result<Arc<Record>> {
        self.advance_by(container, |_| event, change).await
    }

    /// As [`Containers::advance`], with the event chosen by the record that it meets, which nobody else can change
    /// in between.
    ///
    /// An exit and a thawing have happened whether or not they can be stored: they become visible all the same, and are
    /// stored with the next change.
    ///
    /// # Errors
    /// [`TableError::BadTransition`], and those of [`Containers::update`]; the store's not for a thawing: the kernel
    /// tells the next engine of it.
    pub async fn advance_by(
        &self,
        container: &Container,
        choose: impl FnOnce(&Record) -> Event,
        change: impl FnOnce(&mut Record),
    ) -> Result<Arc<Record>> {
        let _writing = container.writing.lock().await;
        self.check_kept(container)?;
        let mut record = Record::clone(&container.record());
        let event = choose(&record);
        let is_exit = matches!(event, Event::Exited { .. });
        let is_thaw = matches!(event, Event::Unpaused);
        let event_text = format!("{event:?}");
        record.state = next(&record.state, event).ok_or_else(|| TableError::BadTransition {
            id: record.id.clone(),
            state: record.state.word(),
            event: event_text,
        })?;
        change(&mut record);
        match self.put(&record).await {
            Err(error) if !is_exit && !is_thaw => Err(error),
            Err(error) if is_thaw => {
                tracing::warn!(container = %container.id(), %error, "store a thawing");
                Ok(container.publish(record))
            }
            stored => {
                let record = container.publish(record);
                stored.map(|()| record)
            }
        }
    }

    /// A container that was deleted meanwhile must not come back.
    fn check_kept(&self, container: &Container) -> Result<(), TableError> {
        let kept = self.index.read().by_id.contains_key(container.id());
        kept.then_some(()).ok_or_else(|| TableError::NotFound { reference: container.id().to_string() })
    }

    async fn put(&self, record: &Record) -> Result<()> {
        self.store.commit(Transaction::new().put(key(&record.id), encode(record))).await?;
        Ok(())
    }

    /// Gives a container its reserved new name.
    ///
    /// # Errors
    /// The store's; the old name is then kept.
    pub async fn rename(&self, container: &Container, mut reservation: NameReservation) -> Result<()> {
        let old = container.record().name.clone();
        let new = reservation.name.clone();
        self.update(container, |record| record.rename(&new)).await?;
        let mut index = self.index.write();
        index.names.remove(&old);
        index.names.insert(new, Holder::Taken(container.id().clone()));
        reservation.kept = true;
        Ok(())
    }

    /// Forgets a container and frees its name, in one transaction with whatever changes with it.
    ///
    /// # Errors
    /// The store's; the container then stays.
    pub async fn delete(&self, container: &Container, with: Transaction) -> Result<()> {
        let _writing = container.writing.lock().await;
        self.store.commit(with.delete(key(container.id()))).await?;
        let mut index = self.index.write();
        index.by_id.remove(container.id());
        index.names.remove(&container.record().name);
        Ok(())
    }
}

fn key(id: &ContainerId) -> String {
    format!("{PREFIX}{id}")
}

fn encode(record: &Record) -> Vec<u8> {
    serde_json::to_vec(record).expect("a record has only string keys and finite numbers")
}
