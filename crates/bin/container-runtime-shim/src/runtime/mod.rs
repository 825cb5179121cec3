//! What creates a container's processes: the library linked in, or a program with the OCI command line.

mod command;
mod derive;
mod explain;
mod libcontainer;
mod trouble;

use crate::error::Result;
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
            Runtime::Libcontainer => {
                Self::Libcontainer(Libcontainer::new(id, bundle, options.systemd_cgroup))
            }
            Runtime::Command { path, args } => {
                Self::Command(CommandRuntime::new(id, bundle, path, args, options.systemd_cgroup))
            }
        }
    }

    /// Creates the container with its first process, which waits for [`Backend::start`].
    pub(crate) fn create(&self, streams: Theirs) -> Result<Made> {
        match self {
            Self::Libcontainer(runtime) => runtime.create(streams),
            Self::Command(runtime) => runtime.create(streams),
        }
    }

    /// Lets the first process execute its program.
    pub(crate) fn start(&self) -> Result<()> {
        match self {
            Self::Libcontainer(runtime) => runtime.start(),
            Self::Command(runtime) => runtime.start(),
        }
    }

    /// Creates and starts another process; `document` is its OCI description.
    pub(crate) fn exec(&self, document: &[u8], streams: Theirs) -> Result<Made> {
        match self {
            Self::Libcontainer(runtime) => runtime.exec(document, streams),
            Self::Command(runtime) => runtime.exec(document, streams),
        }
    }

    /// Freezes every process.
    pub(crate) fn pause(&self) -> Result<()> {
        match self {
            Self::Libcontainer(runtime) => runtime.pause(),
            Self::Command(runtime) => runtime.pause(),
        }
    }

    /// Thaws every process.
    pub(crate) fn resume(&self) -> Result<()> {
        match self {
            Self::Libcontainer(runtime) => runtime.resume(),
            Self::Command(runtime) => runtime.resume(),
        }
    }

    /// Changes limits; `resources` is an OCI `LinuxResources` document.
    pub(crate) fn update(&self, resources: &[u8]) -> Result<()> {
        match self {
            Self::Libcontainer(runtime) => runtime.update(resources),
            Self::Command(runtime) => runtime.update(resources),
        }
    }

    /// Removes the container's cgroup and the runtime's records, killing what still runs. Not there: nothing to do.
    pub(crate) fn delete(&self) -> Result<()> {
        match self {
            Self::Libcontainer(runtime) => runtime.delete(),
            Self::Command(runtime) => runtime.delete(),
        }
    }
}
