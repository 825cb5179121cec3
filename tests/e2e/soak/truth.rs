//! What containers themselves say of their runs, in a directory that no engine touches: each line they print is also
//! appended to a file of theirs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub(super) struct Truth {
    directory: PathBuf,
}

impl Truth {
    pub(super) fn new(below: &Path) -> Self {
        let directory = below.join("truth");
        fs::create_dir(&directory).unwrap();
        Self { directory }
    }

    /// As `HostConfig.Binds` has it.
    pub(super) fn bind(&self) -> String {
        format!("{}:/truth", self.directory.display())
    }

    /// What a container of this name runs: it prints `RUN LINE` for so many lines, and ends with the code. The last
    /// argument is the mark by which its process is found.
    pub(super) fn command(&self, name: &str, lines: u64, code: u32) -> Vec<String> {
        let script = format!(
            "r=0; [ -e /truth/{name}.run ] && read r < /truth/{name}.run; r=$((r+1)); echo $r > /truth/{name}.new; \
             mv /truth/{name}.new /truth/{name}.run; i=0; while [ $i -lt {lines} ]; do echo $r $i; \
             echo $r $i >> /truth/{name}; i=$((i+1)); sleep 0.02; done; echo $r done >> /truth/{name}; exit {code}"
        );
        vec!["sh".to_owned(), "-c".to_owned(), script, self.mark(name)]
    }

    fn mark(&self, name: &str) -> String {
        format!("{}/{name}", self.directory.display())
    }

    /// `RUN LINE` for each line printed, as far as the container lived to say so, and whether its last run came to its
    /// end.
    pub(super) fn printed(&self, name: &str) -> (Vec<String>, bool) {
        let text = fs::read_to_string(self.directory.join(name)).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let done = lines.last().is_some_and(|line| line.ends_with("done"));
        (lines.into_iter().filter(|line| !line.ends_with("done")).map(str::to_owned).collect(), done)
    }

    /// The first processes of containers that run now, by container's name.
    pub(super) fn alive(&self) -> BTreeMap<String, u32> {
        let marked = format!("{}/", self.directory.display());
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
        let named = pids.filter_map(|pid| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let last = arguments.strip_suffix(b"\0")?.rsplit(|byte| *byte == 0).next()?.to_owned();
            let name = String::from_utf8(last).ok()?.strip_prefix(&marked)?.to_owned();
            is_first(pid).then_some((name, pid))
        });
        named.collect()
    }
}

/// Whether it is the first process of its namespace, not one that it has just forked.
fn is_first(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let dead = status.lines().any(|line| line.starts_with("State:") && line.contains('Z'));
    !dead && line.is_some_and(|line| line.split_whitespace().next_back() == Some("1"))
}
