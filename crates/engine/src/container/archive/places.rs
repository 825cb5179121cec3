//! What is mounted in a container, where it is on the host.

use crate::Services;
use crate::container::start::{Files, mounts};
use containers::{MountPointKind, Record};
use errors::Result;
use layers::ViewMount;
use spec::NetworkMode;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::Handle;

/// Below these the runtime mounts what is no file of the container's.
const KERNELS: [&str; 3] = ["/dev", "/proc", "/sys"];

/// Volumes and bind mounts, and the files that the engine mounts in `/etc`; parents before children. Without what
/// stands in a file system in memory.
pub(super) fn of(services: &Services, record: &Record) -> Result<Vec<ViewMount>> {
    let tmpfs = record.mounts.iter().filter(|mount| matches!(mount.kind, MountPointKind::Tmpfs));
    let hidden: Vec<&str> = tmpfs.map(|mount| mount.target.as_str()).chain(KERNELS).collect();
    let mut found: Vec<ViewMount> = mounts::of_client(record, &mounts::Modes::new(), services.host.kernel)?
        .into_iter()
        .filter(|mount| mount.fstype == "bind")
        .map(|mount| ViewMount {
            read_only: mount.options.iter().any(|option| option == "ro" || option == "rro"),
            recursive: mount.options.iter().any(|option| option == "rbind"),
            source: mount.source.into(),
            target: mount.target.into(),
        })
        .collect();
    for own in own_files(services, record)? {
        if own.source.exists() && found.iter().all(|mount| mount.target != own.target) {
            found.push(own);
        }
    }
    found.retain(|mount| !hidden.iter().any(|above| mount.target.starts_with(above)));
    found.sort_by_key(|mount| mount.target.components().count());
    Ok(found)
}

fn own_files(services: &Services, record: &Record) -> Result<[ViewMount; 3]> {
    let owner = match &record.spec.network.mode {
        NetworkMode::Container(other) => services.containers.find(other)?.id().clone(),
        _ => record.id.clone(),
    };
    let files = Files::of(services, &owner);
    let mount = |source: PathBuf, target: &str| ViewMount {
        source,
        target: Path::new(target).to_owned(),
        read_only: record.spec.filesystem.read_only,
        recursive: false,
    };
    Ok([
        mount(files.hosts, "/etc/hosts"),
        mount(files.hostname, "/etc/hostname"),
        mount(files.resolv_conf, "/etc/resolv.conf"),
    ])
}

/// The container's volumes, with their drivers' mounts in place for as long as this lives.
#[derive(Debug)]
pub(super) struct Volumes {
    services: Arc<Services>,
    names: Vec<String>,
    /// Who uses them: not the container, whose own use may begin and end meanwhile.
    user: String,
    runtime: Handle,
}

impl Volumes {
    pub(super) async fn hold(services: &Arc<Services>, record: &Record) -> Result<Self> {
        static COPIES: AtomicU64 = AtomicU64::new(0);
        let user = format!("{}-copy-{}", record.id, COPIES.fetch_add(1, Ordering::Relaxed));
        let mut held =
            Self { services: Arc::clone(services), names: Vec::new(), user, runtime: Handle::current() };
        for name in record.volumes() {
            services.volumes.mount(name, &held.user).await?;
            held.names.push(name.to_owned());
        }
        Ok(held)
    }
}

impl Drop for Volumes {
    fn drop(&mut self) {
        if self.names.is_empty() {
            return;
        }
        let (services, names) = (Arc::clone(&self.services), std::mem::take(&mut self.names));
        let user = std::mem::take(&mut self.user);
        self.runtime.spawn(async move {
            for name in names {
                if let Err(error) = services.volumes.unmount(&name, &user).await {
                    let error = errors::Error::from(error);
                    tracing::warn!(volume = name, %error, "unmount a volume after a copy");
                }
                services.volumes.release(&name, &user);
            }
        });
    }
}
