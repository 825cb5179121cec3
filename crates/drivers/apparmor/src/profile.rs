//! The text of the default profile, equal in effect to the one that Docker generates.

use std::fmt::Write;
use std::path::Path;

/// The profile called `name`, for `apparmor_parser`. Abstractions that the host's policy directory has are included.
pub fn text(name: &str, policy: &Path) -> String {
    let mut profile = String::new();
    if policy.join("tunables/global").exists() {
        profile.push_str("#include <tunables/global>\n\n");
    } else {
        profile.push_str("@{PROC}=/proc/\n\n");
    }
    // Writing to a String can't fail.
    let _ = writeln!(profile, "profile {name} flags=(attach_disconnected,mediate_deleted) {{");
    if policy.join("abstractions/base").exists() {
        profile.push_str("  #include <abstractions/base>\n\n");
    }
    for rule in GRANTS {
        let _ = writeln!(profile, "  {rule}");
    }
    // A host process (the engine, its shims) may signal the container; processes inside may signal each other.
    let _ = writeln!(profile, "  signal (receive) peer=unconfined,");
    let _ = writeln!(profile, "  signal (send,receive) peer={name},\n");
    for rule in DENIALS {
        let _ = writeln!(profile, "  deny {rule}");
    }
    let _ = writeln!(profile, "\n  ptrace (trace,read,tracedby,readby) peer={name},");
    profile.push_str("}\n");
    profile
}

const GRANTS: [&str; 4] = ["network,", "capability,", "file,", "umount,"];

/// What even root in a container has no business with.
const DENIALS: [&str; 17] = [
    "@{PROC}/* w,",
    "@{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w,",
    "@{PROC}/sys/[^k]** w,",
    "@{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,",
    "@{PROC}/sysrq-trigger rwklx,",
    "@{PROC}/kcore rwklx,",
    "mount,",
    "/sys/[^f]*/** wklx,",
    "/sys/f[^s]*/** wklx,",
    "/sys/fs/[^c]*/** wklx,",
    "/sys/fs/c[^g]*/** wklx,",
    "/sys/fs/cg[^r]*/** wklx,",
    "/sys/firmware/** rwklx,",
    "/sys/devices/virtual/powercap/** rwklx,",
    "/sys/kernel/security/** rwklx,",
    "@{PROC}/kmem rwklx,",
    "@{PROC}/mem rwklx,",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_names_itself_and_includes_only_what_is_there() {
        let profile = text("some-default", Path::new("/nonexistent"));
        assert!(profile.contains("profile some-default flags=(attach_disconnected,mediate_deleted) {"));
        assert!(profile.contains("@{PROC}=/proc/"));
        assert!(!profile.contains("#include"));
        assert!(profile.contains("deny mount,"));
        assert_eq!(profile.matches('{').count(), profile.matches('}').count());
    }
}
