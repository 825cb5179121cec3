//! What creates a container's processes: the library linked in, or a program with the OCI command line.

mod ahead;
mod bound_devices;
mod cgroup_mounts;
mod command;
mod core_link;
mod derive;
mod error_log;
mod explain;
mod libcontainer;
mod placed;

use crate::error::{Error, Result};
use crate::streams::Theirs;
use command::CommandRuntime;
use libcontainer::Libcontainer;
use shim_protocol::{Options, Runtime};
use std::os::fd::OwnedFd;
use std::path::Path;

/// A container's runtime. Both kinds leave every process that they create a child of the shim.
#[derive(Debug)]
pub(crate) enum Backend {
    Libcontainer(Libcontainer),
    Command(CommandRuntime),
    /// Another shim's: this one only keeps the streams.
    Elsewhere,
}

/// A process that a runtime has made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) pid: i32,
    /// The terminal's master, for a process with one.
    pub(crate) master: Option<OwnedFd>,
}

impl Backend {
    /// Of the container `id` in `bundle`. Touches nothing yet.
    pub(crate) fn new(id: &str, bundle: &Path, options: &Options) -> Self {
        match &options.runtime {
            Runtime::Libcontainer => Self::Libcontainer(Libcontainer::new(id, bundle, options)),
            Runtime::Command { path, args } => {
                Self::Command(CommandRuntime::new(id, bundle, path, args, options.systemd_cgroup))
            }
        }
    }

    /// Kills every process of a container whose shim is gone, and waits until they are.
    pub(crate) fn kill_all(&self) -> Result<()> {
        match self {
            Self::Libcontainer(runtime) => runtime.kill_all(),
            // Its `delete --force` does.
            Self::Command(_) | Self::Elsewhere => Ok(()),
        }
    }

    /// Creates the container with its first process, which waits for [`Backend::start`].
    pub(crate) fn create(&self, streams: Theirs) -> Result<Made> {
        match self {
            Self::Libcontainer(runtime) => runtime.create(streams),
            Self::Command(runtime) => runtime.create(streams),
            Self::Elsewhere => Err(elsewhere()),
        }
    }

    /// Lets the first process execute its program.
    pub(crate) fn start(&self) -> Result<()> {
        match self {
            Self::Libcontainer(runtime) => runtime.start(),
            Self::Command(runtime) => runtime.start(),
            Self::Elsewhere => Err(elsewhere()),
        }
    }

    /// Creates and starts another process; `document` is its OCI description.
    pub(crate) fn exec(&self, document: &[u8], streams: Theirs) -> Result<Made> {
        match self {
            Self::Libcontainer(runtime) => runtime.exec(document, streams),
            Self::Command(runtime) => runtime.exec(document, streams),
            Self::Elsewhere => Err(elsewhere()),
        }
    }

    /// Freezes every process.
    pub(crate) fn pause(&self) -> Result<()> {
        match self {
            Self::Command(runtime) => runtime.pause(),
            Self::Libcontainer(_) | Self::Elsewhere => Err(elsewhere()),
        }
    }

    /// Thaws every process.
    pub(crate) fn resume(&self) -> Result<()> {
        match self {
            Self::Command(runtime) => runtime.resume(),
            Self::Libcontainer(_) | Self::Elsewhere => Err(elsewhere()),
        }
    }

    /// Changes limits; `resources` is an OCI `LinuxResources` document.
    pub(crate) fn update(&self, resources: &[u8]) -> Result<()> {
        match self {
            Self::Libcontainer(runtime) => runtime.update(resources),
            Self::Command(runtime) => runtime.update(resources),
            Self::Elsewhere => Err(elsewhere()),
        }
    }

    /// Removes the container's cgroup and the runtime's records, killing what still runs. Not there: nothing to do.
    pub(crate) fn delete(&self) -> Result<()> {
        match self {
            Self::Libcontainer(runtime) => runtime.delete(),
            Self::Command(runtime) => runtime.delete(),
            Self::Elsewhere => Ok(()),
        }
    }
}

fn elsewhere() -> Error {
    Error::Unsupported { what: "the Task service for a container of another shim's".to_owned() }
}
