//! The network namespace of a container, before and while it runs.

use std::path::Path;

/// The network namespace of a container.
///
/// It keeps the namespace alive until it is dropped, so drop it once the runtime has joined it (or failed to).
#[derive(Debug)]
pub struct Sandbox {
    namespace: Option<net::Namespace>,
}

impl Sandbox {
    /// The host's own namespace, for the network `host`.
    pub fn host() -> Self {
        Self { namespace: None }
    }

    /// The namespace of a running process: that of a container after the daemon's restart.
    pub fn of_process(_pid: u32) -> crate::Result<Self> {
        todo!()
    }

    /// What the runtime joins; none: the host's, there is nothing to join.
    pub fn path(&self) -> Option<&Path> {
        self.namespace.as_ref().map(net::Namespace::path)
    }
}
