//! Shim processes: starting ours ahead of need, starting foreign ones by containerd's convention, cleaning up after
//! dead ones.

pub(crate) mod foreign;
pub(crate) mod idle;
pub(crate) mod log;
pub(crate) mod lost;
mod process;
pub(crate) mod record;

pub(crate) use process::ShimProcess;

use std::path::{Path, PathBuf};

/// Finds a program by name in `PATH`, or takes a path as it is.
pub(crate) fn find_program(name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 {
        return name.exists().then(|| name.to_path_buf());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Services are often started without the directories of system programs.
    let usual =
        ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .chain(usual)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}
