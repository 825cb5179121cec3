//! What a cgroup has used, for libcontainer's `events`, which this project does not use.

use serde::Serialize;

/// Nothing: whoever wants figures asks the cgroups driver. No value of it is ever made.
#[derive(Debug, Serialize)]
pub enum Stats {}
