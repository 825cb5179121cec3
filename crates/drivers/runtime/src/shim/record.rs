//! What has to be known of a container's shim after the engine was restarted: `runtime.json` in the bundle.

use crate::error::{Error, Result};
use crate::rpc::Version;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file's name in a bundle.
const FILE: &str = "runtime.json";

/// A container's shim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShimRecord {
    /// Name of the runtime.
    pub(crate) runtime: String,
    /// The shim's program.
    pub(crate) program: PathBuf,
    /// Whether it is ours, with its attach socket and its files.
    pub(crate) own: bool,
    /// Its ttrpc socket.
    pub(crate) socket: PathBuf,
    /// Version of the Task service that it speaks.
    pub(crate) version: Version,
    /// The container's `linux.cgroupsPath`.
    pub(crate) cgroup: Option<PathBuf>,
}

impl ShimRecord {
    /// Reads it; none: the bundle has none (creation did not get so far).
    pub(crate) fn read(bundle: &Path) -> Result<Option<Self>> {
        let path = bundle.join(FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(Error::File { action: "read", path, cause }),
        };
        // Cut off by a crash while it was written: then nothing was created yet.
        Ok(serde_json::from_slice(&bytes).ok())
    }

    /// Writes it; not synced, since the bundle does not survive a reboot anyway.
    pub(crate) fn write(&self, bundle: &Path) -> Result<()> {
        write_json(&bundle.join(FILE), self)
    }
}

/// Writes a JSON document.
pub(crate) fn write_json(path: &Path, document: &impl Serialize) -> Result<()> {
    let failed = |cause| Error::File { action: "write", path: path.to_path_buf(), cause };
    let bytes = serde_json::to_vec(document).map_err(|error| failed(error.into()))?;
    std::fs::write(path, bytes).map_err(failed)
}

/// The exit that our shim wrote down before it told anybody.
pub(crate) fn read_exit(bundle: &Path) -> Option<shim_protocol::Exit> {
    let bytes = std::fs::read(bundle.join(shim_protocol::file::EXIT)).ok()?;
    serde_json::from_slice(&bytes).ok()
}
