//! Memory of daemons and supervisors, from `/proc`.

use crate::target::Target;
use anyhow::{Context, Result};

/// Bytes of memory that the daemon has resident.
pub(crate) fn daemon_rss(target: &Target) -> Result<u64> {
    let pid = target.daemon_pid()?;
    field(&format!("/proc/{pid}/status"), "VmRSS:")
}

/// Bytes that the daemon has had resident at most since [`reset_peak`].
pub(crate) fn daemon_peak(target: &Target) -> Result<u64> {
    field(&format!("/proc/{}/status", target.daemon_pid()?), "VmHWM:")
}

/// Begins to watch the daemon's peak anew.
pub(crate) fn reset_peak(target: &Target) -> Result<()> {
    let path = format!("/proc/{}/clear_refs", target.daemon_pid()?);
    std::fs::write(&path, "5").with_context(|| format!("write {path}"))
}

/// Bytes that the process above a container's init, its supervisor, takes by its share (PSS).
pub(crate) fn supervisor_pss(init: u32) -> Result<u64> {
    let parent = parent(init)?;
    field(&format!("/proc/{parent}/smaps_rollup"), "Pss:")
}

fn parent(pid: u32) -> Result<u32> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    // The name, in parentheses, may hold blanks.
    let fields = text.rsplit_once(')').context("no name in stat")?.1;
    Ok(fields.split_whitespace().nth(1).context("no parent in stat")?.parse()?)
}

/// A field in kB of a file under `/proc`, as bytes.
fn field(path: &str, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {path}"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .with_context(|| format!("no {name} in {path}"))?;
    let number = line.trim().trim_end_matches("kB").trim().parse::<u64>()?;
    Ok(number * 1024)
}
