//! System call filters: profiles in Docker's JSON format, and their evaluation to a plain OCI filter.

use crate::bundle::BundleError;
use oci_spec::runtime::{Capability, LinuxSeccomp};
use std::collections::HashSet;

/// What the conditions of a profile are decided by.
#[derive(Debug, Clone)]
pub struct Conditions<'a> {
    /// The container's capabilities (its bounding set).
    pub capabilities: &'a HashSet<Capability>,
    /// Kernel version: major, minor.
    pub kernel: (u32, u32),
}

/// The default filter for a container with these capabilities on this kernel.
pub fn default_profile(conditions: &Conditions<'_>) -> LinuxSeccomp {
    let _ = conditions;
    todo!()
}

/// A profile that a client sent, in Docker's JSON format or as an OCI `linux.seccomp` object.
pub fn parse_profile(json: &str, conditions: &Conditions<'_>) -> Result<LinuxSeccomp, BundleError> {
    let _ = (json, conditions);
    todo!()
}
