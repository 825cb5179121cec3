//! Where a container of libcontainer's gets its cgroup, where systemd is asked for it.
//!
//! systemd makes the scope, libcontainer finds a directory that exists and writes the limits into it, and systemd is told
//! of them.

use super::derive::{Object, field, put};
use crate::bundle::parse;
use crate::error::{Error, Result};
use cgroups::{Host, Scope};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The scope that a `config.json` asks for.
pub(super) fn scope(path: &Path, text: &[u8]) -> Result<Scope> {
    let wanted = wanted(path, text)?.unwrap_or_default();
    Scope::parse(&wanted).ok_or_else(|| {
        let wanted = wanted.display();
        Error::invalid(format!("linux.cgroupsPath is {wanted:?}, and systemd's are slice:prefix:name"))
    })
}

fn wanted(path: &Path, text: &[u8]) -> Result<Option<PathBuf>> {
    let config: Object = parse(path, text)?;
    let linux: Object = field(path, &config, "linux")?.unwrap_or_default();
    field(path, &linux, "cgroupsPath")
}

/// Removes the cgroup that a `config.json` asks for, if there is one that nobody is in: what was made of it before
/// libcontainer came to know of it.
pub(super) fn remove_unused(path: &Path, text: &[u8]) -> Result<()> {
    let Some(wanted) = wanted(path, text)? else { return Ok(()) };
    // A host without cgroups has none to remove.
    let Ok(host) = Host::detect() else { return Ok(()) };
    let group = host.cgroup(&wanted);
    match group.pids().map_err(error)?.is_empty() {
        true => group.remove().map_err(error),
        false => Ok(()),
    }
}

/// A scope with a process in it that holds it open; that ends when this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    holder: Child,
    /// Path of the cgroup in its hierarchy.
    pub(super) path: PathBuf,
}

impl Held {
    /// Has systemd make it.
    pub(super) fn start(scope: &Scope, id: &str) -> Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        sys::signals::fresh(&mut command);
        command.arg("hold").env_clear().stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let holder = command.spawn().map_err(Error::kernel("start the process that holds a scope"))?;
        let mut held = Self { holder, path: PathBuf::new() };
        held.path = scope.start(&format!("container {id}"), held.holder.id()).map_err(error)?;
        Ok(held)
    }

    /// The same document with this cgroup in it.
    pub(super) fn place(&self, path: &Path, text: &[u8]) -> Result<Vec<u8>> {
        let mut config: Object = parse(path, text)?;
        let mut linux: Object = field(path, &config, "linux")?.unwrap_or_default();
        put(path, &mut linux, "cgroupsPath", &self.path)?;
        put(path, &mut config, "linux", &linux)?;
        serde_json::to_vec(&config).map_err(|cause| Error::Document { path: path.to_owned(), cause })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// What the cgroups driver says, as an answer of this shim's.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn error(error: cgroups::Error) -> Error {
    Error::Runtime { class: errors::Classified::class(&error), message: errors::chain(&error) }
}
