//! Kernel parameters: those that belong to a namespace, and so can be a container's own.

/// The namespace that a kernel parameter belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SysctlNamespace {
    /// System V IPC and POSIX message queues.
    Ipc,
    /// Network.
    Network,
}

impl SysctlNamespace {
    /// The namespace of the parameter with this name, dots between its parts; none: it is the whole host's.
    pub fn of(name: &str) -> Option<Self> {
        const IPC: [&str; 8] = [
            "kernel.msgmax",
            "kernel.msgmnb",
            "kernel.msgmni",
            "kernel.sem",
            "kernel.shmall",
            "kernel.shmmax",
            "kernel.shmmni",
            "kernel.shm_rmid_forced",
        ];
        if name.starts_with("net.") {
            Some(Self::Network)
        } else if name.starts_with("fs.mqueue.") || IPC.contains(&name) {
            Some(Self::Ipc)
        } else {
            None
        }
    }
}
