//! Which devices a container may use where cgroups are of version 2: a program in the kernel, as the devices
//! controller of version 1 is no more. libcontainer as we build it leaves that out.

mod program;
mod rules;

use crate::error::{Error, Result};
use program::compile;
use rules::Policy;
pub(crate) use rules::Rule;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The program that a container's cgroup is under.
#[derive(Debug)]
pub(crate) struct Guard {
    cgroup: PathBuf,
    program: OwnedFd,
}

impl Guard {
    /// Puts a cgroup under the rules of `linux.resources.devices`, applied in their order, and those that every
    /// container has.
    pub(crate) fn new(cgroup: &Path, rules: &[Rule]) -> Result<Self> {
        let program = sys::bpf::load_device_program(&compile(&Policy::of(rules)?))
            .map_err(Error::kernel("load the program that guards the container's devices"))?;
        let guard = Self { cgroup: cgroup.to_owned(), program };
        sys::bpf::attach_device_program(guard.open()?, &guard.program)
            .map_err(|cause| Error::file("guard the devices of", cgroup, cause))?;
        Ok(guard)
    }

    /// Puts the cgroup under other rules, with no moment in between without any.
    pub(crate) fn replace(&mut self, rules: &[Rule]) -> Result<()> {
        let next = Self::new(&self.cgroup, rules)?;
        sys::bpf::detach_device_program(self.open()?, &self.program)
            .map_err(|cause| Error::file("replace the guard of", &self.cgroup, cause))?;
        *self = next;
        Ok(())
    }

    fn open(&self) -> Result<File> {
        File::open(&self.cgroup).map_err(|cause| Error::file("open", &self.cgroup, cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::process::Command;

    /// The mount of version 2, if there is one; beside version 1 it takes such programs too.
    fn unified() -> Option<PathBuf> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
        mount.split(' ').nth(4).map(PathBuf::from)
    }

    /// Of a process in the cgroup, whether it may open these to read.
    fn may_open(cgroup: &Path, devices: [&str; 3]) -> [bool; 3] {
        devices.map(|device| {
            let script = "echo $$ > $0/cgroup.procs && exec head -c0 $1";
            let status =
                Command::new("/bin/sh").args(["-c", script]).arg(cgroup).arg(device).status().unwrap();
            status.success()
        })
    }

    #[test]
    fn the_kernel_obeys_the_rules() {
        let Some(root) = unified().filter(|_| rustix::process::geteuid().is_root()) else {
            return eprintln!("skipped: this test needs root and a cgroup file system of version 2");
        };
        let cgroup = root.join(format!("container-runtime-test-{}", std::process::id()));
        std::fs::create_dir(&cgroup).unwrap();
        let rules = |rules| serde_json::from_value::<Vec<Rule>>(rules).unwrap();
        let deny = json!({"allow": false, "access": "rwm"});
        let dev_null = json!({"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rwm"});
        let zero = json!({"allow": true, "type": "c", "major": 1, "minor": 5, "access": "rw"});
        let devices = ["/dev/null", "/dev/zero", "/dev/full"];
        let mut guard = Guard::new(&cgroup, &rules(json!([deny, dev_null, zero]))).unwrap();
        assert_eq!(may_open(&cgroup, devices), [true, true, false]);
        guard.replace(&rules(json!([deny, dev_null]))).unwrap();
        assert_eq!(may_open(&cgroup, devices), [true, false, false]);
        guard.replace(&rules(json!([{"allow": true, "access": "rwm"}]))).unwrap();
        assert_eq!(may_open(&cgroup, devices), [true, true, true]);
        std::fs::remove_dir(&cgroup).unwrap();
    }
}
