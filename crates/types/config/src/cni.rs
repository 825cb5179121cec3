//! Networks by plugins of others: the Container Network Interface.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Networks by plugins of others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cni {
    /// Where configurations are: `*.conflist`, `*.conf` and `*.json`.
    pub conf_dir: PathBuf,
    /// Where plugins are, in the order in which they are looked for.
    pub bin_dirs: Vec<PathBuf>,
}

impl Default for Cni {
    fn default() -> Self {
        // The second is Debian's.
        let bin_dirs = vec!["/opt/cni/bin".into(), "/usr/lib/cni".into()];
        Self { conf_dir: "/etc/cni/net.d".into(), bin_dirs }
    }
}
