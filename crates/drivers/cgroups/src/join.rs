//! Making a cgroup and putting processes into it.

use crate::error::{Error, Result};
use crate::files;
use crate::group::{Cgroup, Place};
use crate::host::{Controller, Host};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

impl Host {
    /// Makes the cgroup on every hierarchy with a controller, with everything that processes in it need. One that
    /// exists is left as it is.
    ///
    /// On v2 every controller is enabled above it, as far as the kernel allows: a limit of one that could not be enabled
    /// is refused when it is set.
    pub fn make(&self, group: &Cgroup) -> Result<()> {
        match (&group.place, self.v2_mount()) {
            (Place::V2(directory), Some(root)) if !directory.exists() => make_v2(root, directory),
            (Place::V2(_), _) => Ok(()),
            (Place::V1 { .. }, _) => {
                for directory in group.controlled() {
                    make_all(directory)?;
                }
                let sets = group.of(Controller::CpuSet).zip(self.v1_mount(Controller::CpuSet));
                sets.map_or(Ok(()), |(directory, root)| inherit_sets(root, directory))
            }
        }
    }
}

impl Cgroup {
    /// Moves a process into it, on every hierarchy with a controller. Where the kernel allows none in it, since those that
    /// are there have made cgroups with controllers below it (v2), the process joins the oldest of them.
    pub fn join(&self, pid: u32) -> Result<()> {
        let pid = pid.to_string();
        let joined = self
            .controlled()
            .into_iter()
            .try_for_each(|directory| files::write(&directory.join(PROCESSES), &pid));
        match (&self.place, joined) {
            (Place::V2(directory), Err(Error::File { cause, .. }))
                if cause.kind() == ErrorKind::ResourceBusy =>
            {
                let oldest = cgroup_of_the_oldest(directory)?;
                files::write(&oldest.as_deref().unwrap_or(directory).join(PROCESSES), &pid)
            }
            (_, joined) => joined,
        }
    }

    /// Its directories on hierarchies with a controller, each once.
    fn controlled(&self) -> Vec<&Path> {
        match &self.place {
            Place::V2(directory) => vec![directory],
            Place::V1 { by_controller, .. } => {
                let mut directories: Vec<_> = by_controller.values().map(PathBuf::as_path).collect();
                directories.sort_unstable();
                directories.dedup();
                directories
            }
        }
    }
}

const PROCESSES: &str = "cgroup.procs";

/// Where the first process of what runs here and below is; none: nothing runs.
fn cgroup_of_the_oldest(directory: &Path) -> Result<Option<PathBuf>> {
    let mut oldest: Option<((u64, u32), PathBuf)> = None;
    for cgroup in files::subtree(directory)? {
        // A threaded cgroup lists none, and one that vanishes meanwhile has none.
        let text = files::read(&cgroup.join(PROCESSES)).unwrap_or_default();
        let pids = text.lines().filter_map(|line| line.parse().ok());
        let first = pids.filter_map(|pid| Some((started(pid)?, pid))).min();
        if let Some(first) = first.filter(|first| oldest.as_ref().is_none_or(|(known, _)| first < known)) {
            oldest = Some((first, cgroup));
        }
    }
    Ok(oldest.map(|(_, cgroup)| cgroup))
}

/// `proc_pid_stat(5)`: the 22nd field, of which the second is in parentheses and may be anything.
fn started(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

fn make_all(directory: &Path) -> Result<()> {
    match fs::create_dir(directory) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => fs::create_dir_all(directory),
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
    .map_err(|cause| Error::File { action: "make", path: directory.to_path_buf(), cause })
}

fn make_v2(root: &Path, directory: &Path) -> Result<()> {
    let controllers = files::read(&root.join("cgroup.controllers"))?;
    let below = directory.strip_prefix(root).unwrap_or_else(|_| Path::new(""));
    let mut reached = root.to_path_buf();
    for name in below {
        enable(&reached, &controllers);
        reached.push(name);
        make_all(&reached)?;
    }
    Ok(())
}

/// One by one, since the kernel takes all of a line or none. Enabled ones are not written again: each write waits for
/// every processor.
fn enable(directory: &Path, controllers: &str) {
    let path = directory.join("cgroup.subtree_control");
    let enabled = files::read(&path).unwrap_or_default();
    for controller in controllers.split_whitespace() {
        if !enabled.split_whitespace().any(|enabled| enabled == controller) {
            let _ = files::write(&path, &format!("+{controller}"));
        }
    }
}

/// A new cpuset of v1 is empty, and takes no processes then.
fn inherit_sets(root: &Path, directory: &Path) -> Result<()> {
    ["cpuset.cpus", "cpuset.mems"]
        .into_iter()
        .try_for_each(|file| inherited(root, directory, file).map(|_| ()))
}

/// The set of this file, given to all cgroups on the way that have none.
fn inherited(root: &Path, directory: &Path, file: &str) -> Result<String> {
    let path = directory.join(file);
    let own = files::read(&path)?;
    match directory.parent() {
        Some(parent) if own.trim().is_empty() && directory != root => {
            let set = inherited(root, parent, file)?;
            files::write(&path, set.trim())?;
            Ok(set)
        }
        _ => Ok(own),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_process_is_found_wherever_it_is() {
        let top = tempfile::tempdir().unwrap();
        let put = |name: &str, text: String| {
            fs::create_dir_all(top.path().join(name)).unwrap();
            fs::write(top.path().join(name).join(PROCESSES), text).unwrap();
        };
        put("", String::new());
        assert_eq!(cgroup_of_the_oldest(top.path()).unwrap(), None);
        // Process 1 is older than this one.
        put("a/own", format!("{}\n", std::process::id()));
        assert_eq!(cgroup_of_the_oldest(top.path()).unwrap(), Some(top.path().join("a/own")));
        put("b/first", "1\n".to_owned());
        assert_eq!(cgroup_of_the_oldest(top.path()).unwrap(), Some(top.path().join("b/first")));
    }
}
