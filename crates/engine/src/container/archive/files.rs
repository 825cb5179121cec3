//! A container's files while something is copied.

use super::places::{self, Volumes};
use crate::Services;
use ::containers::Container;
use errors::{Class, Error, Result};
use images::{ImageError, LayerError};
use layers::{View, ViewMount, ViewRoot};
use runtime::UserNamespace;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{RwLockReadGuard, RwLockWriteGuard};

/// A container's files, as long as this lives.
#[derive(Debug)]
pub(in crate::container) struct Files {
    view: View,
    /// After the view, which is of them.
    _volumes: Option<Volumes>,
}

impl Files {
    /// For reading. Waits for no lock. `mounts`: whether volumes and bind mounts belong to it.
    ///
    /// # Errors
    /// `NotFound` for a container that is being removed.
    pub(in crate::container) async fn to_read(
        services: &Arc<Services>,
        container: &Container,
        mounts: bool,
    ) -> Result<Self> {
        match Self::try_to_read(services, container, mounts).await {
            // It was never started, so the places for its mounts are not there yet.
            Err(error) if lacks_a_place(&error) => {
                let writable = ToWrite::new(services, container).await?;
                drop(writable);
                Self::try_to_read(services, container, mounts).await
            }
            other => other,
        }
    }

    async fn try_to_read(services: &Arc<Services>, container: &Container, mounts: bool) -> Result<Self> {
        let record = container.record();
        let (volumes, places) = if mounts {
            let volumes = Volumes::hold(services, &record).await?;
            (Some(volumes), places::of(services, &record)?)
        } else {
            (None, Vec::new())
        };
        let (services, pid) = (Arc::clone(services), record.state.pid());
        offload::blocking(move || {
            let make = |root| services.images.view(record.id.as_str(), root, &places);
            let live = pid.map(|pid| make(ViewRoot::Process { pid, writable: false }));
            let view = match live {
                Some(Ok(view)) => view,
                // It has just ended, or is in a virtual machine, to which there is no way from here.
                _ => make(ViewRoot::ReadOnly)?,
            };
            Ok(Self { view, _volumes: volumes })
        })
        .await
    }

    /// The root directory.
    pub(in crate::container) fn root(&self) -> BorrowedFd<'_> {
        self.view.root()
    }

    /// Gives the files up without waiting for it: the kernel takes some 15 milliseconds to end a mount namespace. Not for
    /// those that were written to, which have to be gone before the next mount.
    pub(in crate::container) fn leave(self) {
        drop(tokio::task::spawn_blocking(move || drop(self)));
    }

    /// See [`View::extract`].
    pub(super) fn extract(
        &self,
        path: &Path,
        input: impl std::io::BufRead + Send,
        how: layers::Extract,
    ) -> Result<()> {
        Ok(self.view.extract(path, input, how).map(drop)?)
    }
}

fn lacks_a_place(error: &Error) -> bool {
    let cause = error.cause().downcast_ref::<ImageError>();
    matches!(cause, Some(ImageError::Layers(LayerError::NoMountPoint { .. })))
}

/// A container's files for writing, with the lock that this takes.
#[derive(Debug)]
pub(super) struct ToWrite<'a> {
    /// Shared with the thread that writes.
    pub(super) files: Arc<Files>,
    _lock: Lock<'a>,
}

/// See [`Container::root_lock`].
#[derive(Debug)]
enum Lock<'a> {
    Shared(#[expect(dead_code, reason = "held")] RwLockReadGuard<'a, ()>),
    Alone(#[expect(dead_code, reason = "held")] RwLockWriteGuard<'a, ()>),
}

impl<'a> ToWrite<'a> {
    /// Waits for whoever writes to a container that does not run.
    pub(super) async fn new(services: &Arc<Services>, container: &'a Container) -> Result<Self> {
        let (lock, pid) = lock(container).await;
        if services.containers.get(container.id()).is_none() {
            return Err(Error::new(Class::NotFound, format!("No such container: {}", container.id())));
        }
        let record = container.record();
        let volumes = Volumes::hold(services, &record).await?;
        let places = places::of(services, &record)?;
        let (services, id) = (Arc::clone(services), record.id.clone());
        let view = offload::blocking(move || view(&services, id.as_str(), pid, &places)).await?;
        Ok(Self { files: Arc::new(Files { view, _volumes: Some(volumes) }), _lock: lock })
    }
}

/// Answers the container's process too, if it runs. That is true as long as the lock is held, or has ended meanwhile.
async fn lock(container: &Container) -> (Lock<'_>, Option<u32>) {
    loop {
        if container.state().is_live() {
            let shared = container.root_lock.read().await;
            if let Some(pid) = container.state().pid() {
                return (Lock::Shared(shared), Some(pid));
            }
        } else {
            // What the last run has mounted is gone only when it is cleared away.
            let cleanup = container.cleanup_lock.lock().await;
            let alone = container.root_lock.write().await;
            drop(cleanup);
            if !container.state().is_live() {
                return (Lock::Alone(alone), None);
            }
        }
    }
}

fn view(services: &Services, id: &str, pid: Option<u32>, places: &[ViewMount]) -> Result<View> {
    if let Some(pid) = pid {
        return Ok(services.images.view(id, ViewRoot::Process { pid, writable: true }, places)?);
    }
    let ids = services.images.ids(id)?;
    let user = ids.map(|ids| UserNamespace::make(&services.host.shim, &ids)).transpose()?;
    let root = ViewRoot::Writable { user: user.as_ref().map(AsFd::as_fd) };
    Ok(services.images.view(id, root, places)?)
}
