//! Evaluation of profiles, and what the default one lets through.

use super::*;
use oci_spec::runtime::{LinuxSeccompAction as Action, LinuxSyscall};

fn capabilities(list: &[Capability]) -> HashSet<Capability> {
    list.iter().copied().collect()
}

fn default_with(list: &[Capability]) -> LinuxSeccomp {
    default_profile(&Conditions { capabilities: &capabilities(list), kernel: (6, 1) })
}

/// What happens to a call that no argument decides: its unconditional rule, or the default.
fn verdict(filter: &LinuxSeccomp, name: &str) -> Verdict {
    match rules(filter, name).find(|rule| rule.args().is_none()) {
        Some(rule) => (rule.action(), rule.errno_ret()),
        None => (filter.default_action(), filter.default_errno_ret()),
    }
}

fn rules<'a>(filter: &'a LinuxSeccomp, name: &'a str) -> impl Iterator<Item = &'a LinuxSyscall> {
    filter.syscalls().iter().flatten().filter(move |rule| rule.names().iter().any(|n| n == name))
}

/// Action and error number.
type Verdict = (Action, Option<u32>);

const ALLOW: Verdict = (Action::ScmpActAllow, None);
const EPERM: Verdict = (Action::ScmpActErrno, Some(1));
const ENOSYS: Verdict = (Action::ScmpActErrno, Some(38));

#[test]
fn the_default_profile_depends_on_capabilities() {
    use Capability as C;
    let cases: &[(&str, &[Capability], Verdict)] = &[
        ("read", &[], ALLOW),
        ("landlock_restrict_self", &[], ALLOW),
        ("mount", &[], EPERM),
        ("mount", &[C::SysAdmin], ALLOW),
        ("unshare", &[], EPERM),
        ("unshare", &[C::SysAdmin], ALLOW),
        ("clone3", &[], ENOSYS),
        ("clone3", &[C::SysAdmin], ALLOW),
        ("clone", &[C::SysAdmin], ALLOW),
        ("bpf", &[], EPERM),
        ("bpf", &[C::Bpf], ALLOW),
        ("bpf", &[C::SysAdmin], ALLOW),
        ("syslog", &[C::Syslog], ALLOW),
        ("chroot", &[C::SysChroot], ALLOW),
        ("chroot", &[], EPERM),
        ("keyctl", &[C::SysAdmin], EPERM),
        ("io_uring_setup", &[C::SysAdmin], EPERM),
        ("ptrace", &[], ALLOW),
        ("process_madvise", &[], EPERM),
        ("process_madvise", &[C::SysPtrace], ALLOW),
        ("pivot_root", &[C::SysAdmin], EPERM),
        ("a_call_of_tomorrow", &[C::SysAdmin], ENOSYS),
    ];
    for &(name, list, expected) in cases {
        assert_eq!(verdict(&default_with(list), name), expected, "{name} with {list:?}");
    }
}

#[test]
fn tracing_needs_a_capability_on_old_kernels() {
    let none = capabilities(&[]);
    let old = default_profile(&Conditions { capabilities: &none, kernel: (4, 7) });
    assert_eq!(verdict(&old, "ptrace"), EPERM);
    let tracer = capabilities(&[Capability::SysPtrace]);
    let old = default_profile(&Conditions { capabilities: &tracer, kernel: (4, 7) });
    assert_eq!(verdict(&old, "ptrace"), ALLOW);
}

/// The action for a call with this first argument: as the kernel decides, since no two rules of ours overlap.
fn with_argument(filter: &LinuxSeccomp, name: &str, value: u64) -> Vec<Verdict> {
    use oci_spec::runtime::LinuxSeccompOperator as Op;
    let matches = |rule: &&LinuxSyscall| {
        rule.args().iter().flatten().all(|arg| {
            let two = arg.value_two().unwrap_or(0);
            match arg.op() {
                Op::ScmpCmpEq => value == arg.value(),
                Op::ScmpCmpLt => value < arg.value(),
                Op::ScmpCmpGt => value > arg.value(),
                Op::ScmpCmpMaskedEq => value & arg.value() == two,
                other => panic!("operator {other} is not in the default profile"),
            }
        })
    };
    let mut actions: Vec<_> =
        rules(filter, name).filter(matches).map(|r| (r.action(), r.errno_ret())).collect();
    actions.dedup();
    actions
}

#[test]
fn arguments_decide_about_sockets_domains_and_clones() {
    let filter = default_with(&[]);
    for (family, expected) in
        [(1, ALLOW), (2, ALLOW), (16, ALLOW), (38, EPERM), (39, ALLOW), (40, EPERM), (41, ALLOW)]
    {
        assert_eq!(with_argument(&filter, "socket", family), [expected], "family {family}");
    }
    for domain in [0, 8, 0x20000, 0x20008, 0xffff_ffff] {
        assert_eq!(with_argument(&filter, "personality", domain), [ALLOW], "{domain:#x}");
    }
    for domain in [0x40000, 0x40008, 0x0040_0000, 0x0c00_0000] {
        assert_eq!(with_argument(&filter, "personality", domain), [EPERM], "{domain:#x}");
    }
    for flags in [0x11, 0x003d_0f00, 0x0100_0011] {
        assert_eq!(with_argument(&filter, "clone", flags), [ALLOW], "{flags:#x}");
    }
    for flags in [0x1000_0011, 0x0002_0000, 0x7e02_0000, 0x4000_0000] {
        assert_eq!(with_argument(&filter, "clone", flags), [EPERM], "{flags:#x}");
    }
}

#[test]
fn no_call_is_both_allowed_and_refused() {
    for list in [&[][..], &[Capability::SysAdmin], &[Capability::SysPtrace, Capability::SysNice]] {
        let filter = default_with(list);
        let mut seen = HashSet::new();
        for rule in filter.syscalls().iter().flatten().filter(|rule| rule.args().is_none()) {
            for name in rule.names() {
                assert!(seen.insert(name.clone()), "{name} with {list:?}");
            }
        }
    }
}

#[test]
fn profiles_of_clients_may_have_any_of_dockers_forms() {
    let parse = |json: &str| {
        let none = capabilities(&[]);
        parse_profile(json, &Conditions { capabilities: &none, kernel: (6, 1) })
    };
    let old = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],
        "syscalls":[{"name":"chmod","action":"SCMP_ACT_ERRNO","args":null}]}"#;
    let old = parse(old).unwrap().unwrap();
    assert_eq!(verdict(&old, "chmod").0, Action::ScmpActErrno);
    assert_eq!(verdict(&old, "mount"), (Action::ScmpActAllow, None));
    assert!(parse("{}").unwrap().is_none());
    assert!(matches!(parse("not json"), Err(BundleError::SeccompJson { .. })));
    for bad in [
        r#"{"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}"#,
        r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],
            "archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":null}]}"#,
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_TRAP"}]}"#,
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["b"],"action":"SCMP_ACT_TRAP",
            "includes":{"minKernel":"six"}}]}"#,
    ] {
        assert!(matches!(parse(bad), Err(BundleError::SeccompProfile { .. })), "{bad}");
    }
    let misspelt = r#"{"defaultAction":"SCMP_ACT_ALOW"}"#;
    assert!(matches!(parse(misspelt), Err(BundleError::SeccompJson { .. })));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_filter_covers_the_machines_other_system_call_tables() {
    use oci_spec::runtime::Arch;
    let expected = vec![Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32];
    assert_eq!(default_with(&[]).architectures().as_ref(), Some(&expected));
}
