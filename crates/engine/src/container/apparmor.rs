//! Which AppArmor profile confines a container.

use crate::Services;
use errors::{Class, Error, Result};
use spec::Security;

/// Name of the default AppArmor profile.
pub(crate) const APPARMOR_PROFILE: &str = "container-runtime-default";

/// The profile that applies; none where the kernel has no AppArmor or the client wants none.
pub(super) fn profile(services: &Services, security: &Security) -> Option<String> {
    match security.apparmor.as_deref() {
        _ if !services.host.apparmor => None,
        Some("unconfined") => None,
        // What an engine's own is called in documents written for Docker.
        Some("" | "docker-default") => Some(APPARMOR_PROFILE.to_owned()),
        Some(profile) => Some(profile.to_owned()),
        None if security.privileged => None,
        None => Some(APPARMOR_PROFILE.to_owned()),
    }
}

/// A profile that a container asks for by name has to be there: without it would run less confined than it relies on.
pub(super) fn check(services: &Services, security: &Security) -> Result<()> {
    let Some(profile) = profile(services, security) else { return Ok(()) };
    if security.apparmor.is_none() || ::apparmor::is_loaded(&profile) {
        return Ok(());
    }
    let why = format!("AppArmor profile {profile} is not loaded");
    Err(Error::new(Class::Invalid, why).hint("Load it with `apparmor_parser --replace FILE`"))
}
