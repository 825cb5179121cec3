//! Scopes: cgroups that systemd makes and knows about, so that two do not manage the same tree.
//!
//! systemd is asked over its own socket, with or without a D-Bus daemon. The limits are written by whoever makes the
//! container; [`Scope::keep_limits`] tells systemd of them afterwards, in whose opinion they would be unlimited at its
//! next reload otherwise.

mod bus;
mod limits;
mod message;
mod writer;

use crate::error::{Error, Result};
use crate::files;
use crate::host::Host;
use crate::naming;
use bus::Bus;
use std::path::{Path, PathBuf};
use writer::{Value, Writer};

/// A scope by its name; it need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    slice: String,
    unit: String,
}

impl Scope {
    /// systemd's slice for what is not a user's.
    pub const DEFAULT_SLICE: &str = "system.slice";

    /// Whether this names a slice (`systemd.slice(5)`): the parts between dashes are the slices above it.
    pub fn is_slice(name: &str) -> bool {
        let Some(name) = name.strip_suffix(".slice") else { return false };
        let is_part = |part: &str| !part.is_empty() && !part.contains('/');
        name == "-" || name.split('-').all(is_part)
    }

    /// The scope that a `linux.cgroupsPath` of the form `slice:prefix:name` stands for.
    pub fn parse(cgroups_path: &Path) -> Option<Self> {
        let parts: Vec<&str> = cgroups_path.to_str()?.split(':').collect();
        let [slice, prefix, name] = parts[..] else { return None };
        let slice = if slice.is_empty() { Self::DEFAULT_SLICE } else { slice };
        Some(Self { slice: slice.to_owned(), unit: naming::unit(prefix, name) })
    }

    /// Has systemd make it, with this process in it, and returns once it is; answers the cgroup's path in its hierarchy.
    /// It lasts as long as there is a process in it.
    pub fn start(&self, description: &str, pid: u32) -> Result<PathBuf> {
        let mut body = Writer::default();
        body.string(&self.unit);
        body.string("fail");
        body.properties(&[
            ("Description", Value::Text(description.to_owned())),
            ("Slice", Value::Text(self.slice.clone())),
            ("Delegate", Value::Flag(true)),
            ("DefaultDependencies", Value::Flag(false)),
            // Also when the kernel killed a process in it for lack of memory.
            ("CollectMode", Value::Text("inactive-or-failed".to_owned())),
            ("CPUAccounting", Value::Flag(true)),
            ("MemoryAccounting", Value::Flag(true)),
            ("IOAccounting", Value::Flag(true)),
            ("TasksAccounting", Value::Flag(true)),
            // By itself it allows 15 % of what the host does.
            ("TasksMax", Value::Number(u64::MAX)),
            ("PIDs", Value::Numbers(vec![pid])),
        ]);
        body.empty_structs();
        let mut bus = Bus::connect()?;
        let reply = bus.call("StartTransientUnit", "ssa(sv)a(sa(sv))", body)?;
        bus.wait_for_job(&reply)?;
        self.path_of(pid)
    }

    /// Where the kernel has put the process.
    fn path_of(&self, pid: u32) -> Result<PathBuf> {
        let file = PathBuf::from(format!("/proc/{pid}/cgroup"));
        let text = files::read(&file)?;
        let path = text.lines().find_map(|line| line.strip_prefix("0::")).map(Path::new);
        let path = path.filter(|path| path.file_name().is_some_and(|name| name == self.unit.as_str()));
        path.map(Path::to_owned).ok_or_else(|| files::unintelligible(&file, &text))
    }

    /// Tells systemd of the limits that its cgroup has.
    pub fn keep_limits(&self, path: &Path) -> Result<()> {
        let host = Host::detect()?;
        let mount = host.v2_mount().ok_or(Error::NotMounted)?;
        let directory = mount.join(path.strip_prefix("/").unwrap_or(path));
        let mut body = Writer::default();
        body.string(&self.unit);
        // For as long as the unit lives.
        body.flag(true);
        body.properties(&limits::of(&directory)?);
        Bus::connect()?.call("SetUnitProperties", "sba(sv)", body).map(drop)
    }

    /// Ends it, with what is left in it, and returns once systemd has forgotten it. One that is not there is success.
    pub fn stop(&self) -> Result<()> {
        let mut bus = Bus::connect()?;
        let mut body = Writer::default();
        body.string(&self.unit);
        body.string("replace");
        match bus.call("StopUnit", "ss", body) {
            Ok(reply) => bus.wait_for_job(&reply),
            Err(Error::Systemd { name, .. }) if name.ends_with(".NoSuchUnit") => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_named_by_slice_and_unit() {
        let scope = |path| Scope::parse(Path::new(path)).map(|scope| (scope.slice, scope.unit));
        let named = |slice: &str, unit: &str| Some((slice.to_owned(), unit.to_owned()));
        assert_eq!(scope("a-b.slice:engine:1f"), named("a-b.slice", "engine-1f.scope"));
        assert_eq!(scope(":engine:1f"), named("system.slice", "engine-1f.scope"));
        assert_eq!(scope("/engine/1f"), None);
        assert!(["a.slice", "a-b.slice", "-.slice"].into_iter().all(Scope::is_slice));
        assert!(
            !["", ".slice", "/a", "a", "a--b.slice", "a/b.slice", "-a.slice"]
                .into_iter()
                .any(Scope::is_slice)
        );
    }
}
