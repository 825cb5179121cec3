//! The leak check: what an engine may leave on its host, counted before it starts and after it is purged.
//!
//! Links, tables and cgroups are the whole host's, so tests that check run one at a time (nextest's group
//! `root-serial`).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long deferred work (the kernel's too) may take to finish.
const LIMIT: Duration = Duration::from_secs(15);

/// Everything countable, as lines that name it.
pub(crate) type Snapshot = BTreeSet<String>;

/// What is on the host now.
pub(crate) fn snapshot(directory: &Path) -> Snapshot {
    let mut found = Snapshot::new();
    found.extend(mounts().into_iter().map(|mount| format!("mount {mount}")));
    found.extend(links().into_iter().map(|link| format!("link {link}")));
    found.extend(tables().into_iter().map(|table| format!("nft {table}")));
    found.extend(cgroups().into_iter().map(|cgroup| format!("cgroup {cgroup}")));
    found.extend(processes(directory).into_iter().map(|process| format!("process {process}")));
    found
}

/// What is there now and was not before. `mark` is what all names of the engine hold. `shared`: only what bears it, since
/// other engines come and go on the same host.
pub(crate) fn added(before: &Snapshot, directory: &Path, mark: &str, shared: bool) -> Vec<String> {
    // Of the engine's directory, and of its cgroups.
    let here = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let ours = |thing: &&String| {
        !shared || thing.contains(mark) || thing.contains(&here) || thing.starts_with("process ")
    };
    snapshot(directory).difference(before).filter(ours).cloned().collect()
}

/// The same once nothing more goes away, with what is left in the engine's directories.
pub(crate) fn left(before: &Snapshot, directory: &Path, mark: &str, shared: bool) -> Vec<String> {
    let end = Instant::now() + LIMIT;
    loop {
        let mut left = added(before, directory, mark, shared);
        left.extend(contents(directory).into_iter().map(|path| format!("file {path}")));
        if left.is_empty() || Instant::now() > end {
            return left;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Mount points, those of snapshots of the host's own making aside.
pub(crate) fn mounts() -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    table.lines().filter_map(|line| line.split(' ').nth(4)).map(str::to_owned).collect()
}

fn links() -> Vec<String> {
    let entries = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn tables() -> Vec<String> {
    let output = Command::new("nft").args(["list", "tables"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Directories of all hierarchies, each at its own mount point.
fn cgroups() -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut found = Vec::new();
    for line in table.lines() {
        let (Some(place), Some((_, source))) = (line.split(' ').nth(4), line.split_once(" - ")) else {
            continue;
        };
        if source.starts_with("cgroup") {
            directories(Path::new(place), &mut found);
        }
    }
    found
}

fn directories(directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path().display().to_string());
            directories(&entry.path(), found);
        }
    }
}

/// Processes of the programs under test, and those that name the engine's directory in their arguments or run from there.
fn processes(directory: &Path) -> Vec<String> {
    let programs = crate::daemon::program();
    let directory = directory.display().to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id())
        .filter_map(|pid| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
            let place = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            // The shim's name begins with the daemon's.
            let tested =
                program.as_os_str().as_encoded_bytes().starts_with(programs.as_os_str().as_encoded_bytes());
            let ours = tested || arguments.contains(&directory) || place.starts_with(&directory);
            ours.then(|| format!("{pid} {arguments}"))
        })
        .collect()
}

/// What lies in the engine's directories, their own top aside.
fn contents(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for part in ["root", "state"] {
        for entry in fs::read_dir(directory.join(part)).into_iter().flatten().flatten() {
            found.push(entry.path().display().to_string());
        }
    }
    found
}
