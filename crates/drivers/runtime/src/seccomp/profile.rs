//! Docker's JSON format of seccomp profiles: OCI's, with conditions on each rule and architectures by the native one.

use oci_spec::runtime::{Arch, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompFilterFlag};
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;

/// A whole profile. Unknown fields are comments.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    #[serde(default)]
    pub(super) default_action: Option<LinuxSeccompAction>,
    #[serde(default)]
    pub(super) default_errno_ret: Option<u32>,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) architectures: Vec<Arch>,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) arch_map: Vec<ArchMap>,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) flags: Vec<LinuxSeccompFilterFlag>,
    #[serde(default)]
    pub(super) listener_path: Option<PathBuf>,
    #[serde(default)]
    pub(super) listener_metadata: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) syscalls: Vec<Rule>,
}

/// The architectures whose calls a machine of one architecture can make.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArchMap {
    pub(super) architecture: Arch,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) sub_architectures: Vec<Arch>,
}

/// What happens to some calls.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    /// The form of old profiles, a single call.
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) names: Vec<String>,
    pub(super) action: LinuxSeccompAction,
    #[serde(default)]
    pub(super) errno_ret: Option<u32>,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) args: Vec<Argument>,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) includes: Filter,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) excludes: Filter,
}

/// A comparison of an argument. Docker writes `valueTwo` also where it means nothing.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Argument(pub(super) LinuxSeccompArg);

/// When a rule applies (`includes`: all of it) or does not (`excludes`: any of it).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    /// Native architectures, by Docker's names.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) arches: Vec<String>,
    /// `CAP_…`; names of capabilities that we do not know are nobody's.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) caps: Vec<String>,
    /// `major.minor`.
    #[serde(default)]
    pub(super) min_kernel: Option<String>,
}

/// Go writes empty lists as `null`.
fn null_is_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
