//! The default AppArmor profile of containers: written, loaded into the kernel, and found there again.
//!
//! The kernel takes compiled policy only, so that `apparmor_parser` (Debian's package `apparmor`) does the loading. It
//! runs at most once a boot: a profile that the kernel has is left alone.

mod profile;

pub use profile::text;

use errors::{Class, Classified};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Lists `name (mode)`, one a line; readable by root where securityfs is mounted.
const LOADED: &str = "/sys/kernel/security/apparmor/profiles";

/// Why a profile can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ApparmorError {
    /// `apparmor_parser` could not be run.
    #[error("load the AppArmor profile {profile}: run apparmor_parser")]
    NoParser {
        /// The profile.
        profile: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It refused the profile.
    #[error("load the AppArmor profile {profile}: apparmor_parser: {message}")]
    Refused {
        /// The profile.
        profile: String,
        /// Its words.
        message: String,
    },
}

impl Classified for ApparmorError {
    fn class(&self) -> Class {
        match self {
            Self::NoParser { .. } => Class::Unavailable,
            Self::Refused { .. } => Class::Internal,
        }
    }
}

/// Makes sure that the kernel has the default profile under this name.
///
/// # Errors
/// [`ApparmorError`]; containers then have to run unconfined, or not at all.
pub fn ensure(profile: &str) -> Result<(), ApparmorError> {
    if is_loaded(profile) {
        return Ok(());
    }
    load(profile, &text(profile, Path::new("/etc/apparmor.d")))
}

/// Whether the kernel has a profile of this name.
pub fn is_loaded(profile: &str) -> bool {
    let listed = |text: String| text.lines().any(|line| line.split(" (").next() == Some(profile));
    std::fs::read_to_string(LOADED).is_ok_and(listed)
}

fn load(profile: &str, text: &str) -> Result<(), ApparmorError> {
    let no_parser = |cause| ApparmorError::NoParser { profile: profile.to_owned(), cause };
    let mut parser = Command::new("apparmor_parser")
        .args(["--replace", "--skip-cache"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(no_parser)?;
    if let Some(mut stdin) = parser.stdin.take() {
        // It may refuse before it has read everything: its exit status says so.
        let _ = stdin.write_all(text.as_bytes());
    }
    let output = parser.wait_with_output().map_err(no_parser)?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ApparmorError::Refused { profile: profile.to_owned(), message })
}
