//! A registry being served, by a process of its own or by the daemon, and its garbage collection.

use super::told;
use anyhow::{Context, Result};
use registry_api::{Access, Registry, TlsFiles};
use repositories::{Checkup, Collection, Mirror, Repositories};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How to serve.
pub(super) struct Plan {
    pub(super) listen: SocketAddr,
    pub(super) tls: Option<TlsFiles>,
    /// Something in front of this server ends TLS.
    pub(super) behind_tls: bool,
    pub(super) access: Access,
    pub(super) mirror: Option<Mirror>,
    /// Zero: never.
    pub(super) gc_interval: Duration,
    pub(super) gc_untagged: bool,
    pub(super) max_connections: usize,
}

/// A registry that is being served.
pub(crate) struct Serving {
    pub(super) address: SocketAddr,
    opened: super::storage::Opened,
    is_mirror: bool,
    stop: CancellationToken,
    server: JoinHandle<()>,
    collector: JoinHandle<()>,
}

impl Serving {
    /// Binds the address and begins.
    pub(super) async fn start(opened: super::storage::Opened, plan: Plan) -> Result<Self> {
        let tls = plan.tls.map(registry_api::server_config).transpose().map_err(told)?;
        let listener = registry_api::bind(plan.listen, tls).await.map_err(told)?;
        let listener = listener.at_most(plan.max_connections);
        let address = listener.address().context("find out the port")?;
        if matches!(plan.access, Access::Open) && plan.mirror.is_none() && !address.ip().is_loopback() {
            tracing::warn!(%address, "without a file of users everybody who reaches this port may push and delete");
        }
        let repositories = opened.repositories.clone();
        let secure = listener.is_secure() || plan.behind_tls;
        let (mirror, access) = (plan.mirror, plan.access);
        let is_mirror = mirror.is_some();
        let registry = Registry { repositories: repositories.clone(), mirror, access, secure };
        let rules = Collection { untagged: plan.gc_untagged, ..Collection::default() };
        let stop = CancellationToken::new();
        let server = tokio::spawn(registry_api::serve(listener, Arc::new(registry), stop.clone()));
        let collector = tokio::spawn(collect_regularly(repositories, plan.gc_interval, rules));
        Ok(Self { address, opened, is_mirror, stop, server, collector })
    }

    /// What `system check` looks at too, if this is the engine's registry.
    pub(crate) fn checkup(&self) -> Option<Checkup> {
        let (directory, repositories) = (self.opened.beside.clone()?, self.opened.repositories.clone());
        Some(Checkup { repositories, directory, is_mirror: self.is_mirror })
    }

    /// Lets the requests in flight finish, within limits. Then nobody touches the storage any more.
    pub(crate) async fn end(self) -> Result<()> {
        self.stop.cancel();
        self.collector.abort();
        // Cancelled is what it should be.
        let _ = self.collector.await;
        self.server.await?;
        drop(self.opened);
        Ok(())
    }
}

async fn collect_regularly(repositories: Repositories, interval: Duration, rules: Collection) {
    if interval.is_zero() {
        return;
    }
    loop {
        tokio::time::sleep(interval).await;
        match repositories.collect(&rules).await {
            Ok(collected) => tracing::info!(?collected, "collected garbage"),
            Err(error) => tracing::warn!(error = %errors::chain(&error), "collect garbage"),
        }
    }
}
