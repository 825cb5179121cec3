//! System call filters: compiled once, since libseccomp takes 45 ms for a profile like Docker's, and kept in a
//! directory for all containers of an engine.

mod cache;
mod compile;

use crate::error::{Error, Result};
use libcontainer::oci_spec::runtime::{LinuxSeccomp, LinuxSeccompAction, LinuxSeccompFilterFlag};
use std::path::Path;

/// A filter, ready to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    program: Vec<u8>,
    flags: u32,
}

impl Filter {
    /// From the text of an OCI `linux.seccomp`, with `kept` as the directory of compiled ones.
    ///
    /// None: it wants a listener to decide, which takes a conversation between libcontainer's processes.
    pub(crate) fn of(text: &str, kept: Option<&Path>) -> Result<Option<Self>> {
        if let Some(filter) = kept.and_then(|directory| cache::get(directory, text)) {
            return Ok(Some(filter));
        }
        let profile: LinuxSeccomp = crate::bundle::parse(Path::new("linux.seccomp"), text.as_bytes())?;
        if profile.syscalls().iter().flatten().any(|rule| rule.action() == LinuxSeccompAction::ScmpActNotify)
        {
            return Ok(None);
        }
        let program = compile::compile(&profile).map_err(|error| Error::Runtime {
            class: errors::Class::Invalid,
            message: format!("compile the seccomp profile: {}", errors::chain(&error)),
        })?;
        let filter = Self { program, flags: flags(&profile) };
        if let Some(directory) = kept
            && let Err(error) = cache::put(directory, text, &filter)
        {
            crate::log::note(format_args!("keep the seccomp filter in {}: {error}", directory.display()));
        }
        Ok(Some(filter))
    }

    /// Puts this process under it.
    pub(crate) fn load(&self) -> std::io::Result<()> {
        sys::seccomp::load(&self.program, self.flags)
    }
}

fn flags(profile: &LinuxSeccomp) -> u32 {
    let bit = |flag: &LinuxSeccompFilterFlag| match flag {
        LinuxSeccompFilterFlag::SeccompFilterFlagLog => sys::seccomp::LOG,
        LinuxSeccompFilterFlag::SeccompFilterFlagSpecAllow => sys::seccomp::SPEC_ALLOW,
        // There is one thread to synchronise, and no listener to wait for.
        LinuxSeccompFilterFlag::SeccompFilterFlagTsync
        | LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv => 0,
    };
    profile.flags().iter().flatten().map(bit).fold(0, |all, flag| all | flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "flags": ["SECCOMP_FILTER_FLAG_LOG"],
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [
        {"names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]}]}"#;

    #[test]
    fn a_compiled_filter_is_kept_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let kept = directory.path().join("filters");
        let compiled = Filter::of(PROFILE, Some(&kept)).unwrap().unwrap();
        assert_eq!(compiled.flags, sys::seccomp::LOG);
        assert!(compiled.program.len() > 64 && compiled.program.len().is_multiple_of(8));
        assert_eq!(cache::get(&kept, PROFILE), Some(compiled.clone()));
        assert_eq!(Filter::of(PROFILE, None).unwrap(), Some(compiled));
        assert_eq!(cache::get(&kept, "another"), None);
    }

    #[test]
    fn a_damaged_file_is_not_taken_for_a_filter() {
        let directory = tempfile::tempdir().unwrap();
        Filter::of(PROFILE, Some(directory.path())).unwrap();
        let file = std::fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
        let whole = std::fs::read(&file).unwrap();
        for length in [0, 3, 20, whole.len() - 5] {
            std::fs::write(&file, &whole[..length]).unwrap();
            assert_eq!(cache::get(directory.path(), PROFILE), None, "{length} bytes");
        }
    }

    #[test]
    fn a_profile_with_a_listener_is_left_to_libcontainer() {
        let profile = PROFILE
            .replace(r#"no_such_call"], "action": "SCMP_ACT_ALLOW""#, r#"x"], "action": "SCMP_ACT_NOTIFY""#);
        assert_eq!(Filter::of(&profile, None).unwrap(), None);
    }
}
