//! What the store keeps of a container.

use crate::State;
use ids::{ContainerId, ContainerName};
use networks::Endpoint;
use serde::{Deserialize, Serialize};
use spec::{ContainerSpec, Propagation};
use std::collections::BTreeMap;

/// Version of [`Record`]'s form. Raise it, and add a migration in `table.rs`, when a field changes its meaning.
pub const SCHEMA: u32 = 1;

/// A container as it is stored: `containers/<id>` holds this as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`] when it was written.
    pub schema: u32,
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: ContainerName,
    /// Nanoseconds since 1970.
    pub created_at: i64,
    /// What it was asked to be.
    pub spec: ContainerSpec,
    /// The image it was made from.
    pub image: ImageUse,
    /// What is mounted in it, volumes with their directories.
    pub mounts: Vec<MountPoint>,
    /// Name of the runtime that runs it.
    pub runtime: String,
    /// Where it is in its life.
    pub state: State,
    /// Whether a person stopped it, so that `unless-stopped` leaves it alone.
    pub stopped_by_user: bool,
    /// How often its restart policy started it again.
    pub restart_count: u32,
    /// Its attachments by network name, while it runs.
    pub endpoints: BTreeMap<String, Endpoint>,
}

/// The image a container was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageUse {
    /// Digest of its config.
    pub id: String,
    /// Digest of its manifest, if known.
    pub manifest: Option<String>,
    /// `linux/amd64`.
    pub platform: String,
}

/// Something mounted in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountPoint {
    /// What it is.
    pub kind: MountPointKind,
    /// Directory or file on the host; empty for tmpfs.
    pub source: String,
    /// Path in the container.
    pub target: String,
    /// Whether it is read-only.
    pub read_only: bool,
    /// None: `rprivate`.
    pub propagation: Option<Propagation>,
    /// Mount options as the client gave them (`z`, `ro`).
    pub mode: String,
}

/// What a mount point is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountPointKind {
    /// A host path.
    Bind,
    /// A volume.
    Volume {
        /// Its name.
        name: String,
        /// Its driver.
        driver: String,
        /// Whether it was made for this container and goes with it.
        anonymous: bool,
    },
    /// Memory.
    Tmpfs,
}

impl Record {
    /// Calls it something else, on its networks too.
    pub(crate) fn rename(&mut self, new: &ContainerName) {
        let old = self.name.to_string();
        for endpoint in self.endpoints.values_mut() {
            for name in endpoint.dns_names.iter_mut().filter(|name| **name == old) {
                *name = new.to_string();
            }
        }
        self.name = new.clone();
    }

    /// The volumes it uses, by name.
    pub fn volumes(&self) -> impl Iterator<Item = &str> {
        self.mounts.iter().filter_map(|mount| match &mount.kind {
            MountPointKind::Volume { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }
}
