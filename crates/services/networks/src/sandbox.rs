//! The network namespace of a container, before and while it runs.

use crate::Result;
use net::Namespace;
use std::path::Path;
use std::sync::Arc;

/// The network namespace of a container.
///
/// It keeps the namespace alive until it is dropped, so drop it once the runtime has joined it (or failed to).
#[derive(Debug)]
pub struct Sandbox {
    namespace: Option<Arc<Namespace>>,
}

impl Sandbox {
    /// The host's own namespace, for the network `host`.
    pub fn host() -> Self {
        Self { namespace: None }
    }

    /// The namespace of a running process: that of a container after the daemon's restart.
    pub fn of_process(pid: u32) -> Result<Self> {
        Ok(Self::own(Namespace::of_process(pid)?))
    }

    /// What the runtime joins; none: the host's, there is nothing to join.
    pub fn path(&self) -> Option<&Path> {
        self.namespace.as_deref().map(Namespace::path)
    }

    pub(crate) fn own(namespace: Namespace) -> Self {
        Self { namespace: Some(Arc::new(namespace)) }
    }

    pub(crate) fn namespace(&self) -> Option<Arc<Namespace>> {
        self.namespace.clone()
    }
}
