//! System call filters: profiles in Docker's JSON format, and their evaluation to a plain OCI filter.
//!
//! The default profile is `default.json` beside this file. It lets through what Docker's does under the same
//! conditions, but answers calls that it does not know with `ENOSYS`, so that libraries fall back to older calls when
//! a kernel is newer than the profile. Calls that it knows and withholds are refused with `EPERM`, as by Docker.
//! `AF_ALG` sockets are withheld like `AF_VSOCK` ones, as newer Docker profiles do.

mod evaluate;
mod profile;

#[cfg(test)]
mod tests;

use crate::bundle::BundleError;
use oci_spec::runtime::{Capability, LinuxSeccomp};
use profile::Profile;
use std::collections::HashSet;
use std::sync::OnceLock;

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
    static PROFILE: OnceLock<Profile> = OnceLock::new();
    let profile = PROFILE.get_or_init(|| {
        serde_json::from_str(include_str!("default.json")).expect("the embedded profile is tested to parse")
    });
    evaluate::evaluate(profile, conditions).expect("the embedded profile is tested to evaluate")
}

/// A profile that a client sent, in Docker's JSON format or as an OCI `linux.seccomp` object; none if it is empty.
pub fn parse_profile(json: &str, conditions: &Conditions<'_>) -> Result<Option<LinuxSeccomp>, BundleError> {
    let profile: Profile = serde_json::from_str(json).map_err(|cause| BundleError::SeccompJson { cause })?;
    if profile.default_action.is_none() && profile.syscalls.is_empty() {
        return Ok(None);
    }
    evaluate::evaluate(&profile, conditions).map(Some)
}
