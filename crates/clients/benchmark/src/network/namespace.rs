//! Work in the network namespace of a process.

use anyhow::{Context, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::thread;

/// Does some work, such as opening sockets, on a thread that is in the namespace, and ends with it.
pub(super) fn inside<T: Send + 'static>(
    pid: u32,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let path = format!("/proc/{pid}/ns/net");
    let namespace = File::open(&path).with_context(|| format!("open {path}"))?;
    let thread = thread::spawn(move || {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
            .context("enter a network namespace: that takes root")?;
        work()
    });
    thread.join().map_err(|_| anyhow::anyhow!("the work in {path} panicked"))?
}
