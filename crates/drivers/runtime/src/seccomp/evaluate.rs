//! From a profile with conditions to the plain filter that the runtime installs.

use super::Conditions;
use super::profile::{Filter, Profile, Rule};
use crate::bundle::BundleError;
use oci_spec::runtime::{
    Arch, Capability, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompBuilder, LinuxSyscall,
    LinuxSyscallBuilder,
};
use std::str::FromStr;

/// Docker's name for the machine's architecture, and OCI's.
const NATIVE: (&str, Option<Arch>) = if cfg!(target_arch = "x86_64") {
    ("amd64", Some(Arch::ScmpArchX86_64))
} else if cfg!(target_arch = "aarch64") {
    ("arm64", Some(Arch::ScmpArchAarch64))
} else if cfg!(target_arch = "riscv64") {
    ("riscv64", Some(Arch::ScmpArchRiscv64))
} else if cfg!(target_arch = "s390x") {
    ("s390x", Some(Arch::ScmpArchS390x))
} else if cfg!(target_arch = "powerpc64") {
    ("ppc64le", Some(Arch::ScmpArchPpc64le))
} else if cfg!(target_arch = "loongarch64") {
    ("loong64", Some(Arch::ScmpArchLoongarch64))
} else {
    ("", None)
};

/// Keeps the rules whose conditions hold.
pub(super) fn evaluate(profile: &Profile, conditions: &Conditions<'_>) -> Result<LinuxSeccomp, BundleError> {
    let invalid = |reason| BundleError::SeccompProfile { reason };
    if !profile.architectures.is_empty() && !profile.arch_map.is_empty() {
        return Err(invalid("use either 'architectures' or 'archMap'"));
    }
    let default_action = profile.default_action.ok_or_else(|| invalid("no 'defaultAction'"))?;
    let mut syscalls = Syscalls::default();
    for rule in &profile.syscalls {
        let names = names(rule)?;
        if says_the_default(rule, profile) {
            continue; // libseccomp refuses such rules
        }
        if holds(&rule.includes, conditions)? && !excluded(&rule.excludes, conditions)? {
            syscalls.add(names, rule);
        }
    }
    let mut filter = LinuxSeccompBuilder::default()
        .default_action(default_action)
        .syscalls(syscalls.0)
        .build()
        .expect("every field has a default");
    filter.set_default_errno_ret(profile.default_errno_ret);
    filter.set_architectures(Some(architectures(profile)).filter(|list| !list.is_empty()));
    filter.set_flags(Some(profile.flags.clone()).filter(|list| !list.is_empty()));
    filter.set_listener_path(profile.listener_path.clone());
    filter.set_listener_metadata(profile.listener_metadata.clone());
    Ok(filter)
}

fn architectures(profile: &Profile) -> Vec<Arch> {
    let mapped = profile.arch_map.iter().find(|map| Some(map.architecture) == NATIVE.1);
    let mapped = mapped
        .into_iter()
        .flat_map(|map| std::iter::once(map.architecture).chain(map.sub_architectures.iter().copied()));
    profile.architectures.iter().copied().chain(mapped).collect()
}

fn names(rule: &Rule) -> Result<&[String], BundleError> {
    match &rule.name {
        None => Ok(&rule.names),
        Some(name) if rule.names.is_empty() => Ok(std::slice::from_ref(name)),
        Some(_) => Err(BundleError::SeccompProfile { reason: "use either 'name' or 'names' in a rule" }),
    }
}

fn says_the_default(rule: &Rule, profile: &Profile) -> bool {
    const EPERM: u32 = 1;
    let errno = |errno: Option<u32>| errno.unwrap_or(EPERM);
    Some(rule.action) == profile.default_action
        && (rule.action != LinuxSeccompAction::ScmpActErrno
            || errno(rule.errno_ret) == errno(profile.default_errno_ret))
}

/// Rules of the filter; unconditional ones with the same outcome share an entry.
#[derive(Default)]
struct Syscalls(Vec<LinuxSyscall>);

impl Syscalls {
    fn add(&mut self, names: &[String], rule: &Rule) {
        let args: Vec<LinuxSeccompArg> = rule.args.iter().map(|argument| argument.0).collect();
        let same = self.0.iter_mut().find(|known| {
            args.is_empty()
                && known.args().is_none()
                && known.action() == rule.action
                && known.errno_ret() == rule.errno_ret
        });
        if let Some(known) = same {
            let mut all = known.names().clone();
            all.extend(names.iter().filter(|name| !known.names().contains(name)).cloned());
            known.set_names(all);
            return;
        }
        let mut syscall = LinuxSyscallBuilder::default()
            .names(names.to_vec())
            .action(rule.action)
            .build()
            .expect("every field has a default");
        let with_errno =
            matches!(rule.action, LinuxSeccompAction::ScmpActErrno | LinuxSeccompAction::ScmpActTrace);
        syscall.set_errno_ret(rule.errno_ret.filter(|_| with_errno));
        syscall.set_args(Some(args).filter(|args| !args.is_empty()));
        self.0.push(syscall);
    }
}

/// Whether all conditions hold; no conditions hold always.
fn holds(filter: &Filter, conditions: &Conditions<'_>) -> Result<bool, BundleError> {
    let arch = filter.arches.is_empty() || has_arch(filter);
    let caps = filter.caps.iter().all(|name| has_capability(name, conditions));
    Ok(arch && caps && has_kernel(filter, conditions)?.unwrap_or(true))
}

/// Whether any condition holds; no conditions never hold.
fn excluded(filter: &Filter, conditions: &Conditions<'_>) -> Result<bool, BundleError> {
    let caps = filter.caps.iter().any(|name| has_capability(name, conditions));
    Ok(has_arch(filter) || caps || has_kernel(filter, conditions)?.unwrap_or(false))
}

fn has_arch(filter: &Filter) -> bool {
    filter.arches.iter().any(|arch| arch == NATIVE.0)
}

fn has_capability(name: &str, conditions: &Conditions<'_>) -> bool {
    let capability = name.strip_prefix("CAP_").and_then(|bare| Capability::from_str(bare).ok());
    capability.is_some_and(|capability| conditions.capabilities.contains(&capability))
}

/// None: the filter does not ask.
fn has_kernel(filter: &Filter, conditions: &Conditions<'_>) -> Result<Option<bool>, BundleError> {
    let Some(text) = &filter.min_kernel else { return Ok(None) };
    let version = text
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    let version = version.ok_or(BundleError::SeccompProfile { reason: "'minKernel' is not major.minor" })?;
    Ok(Some(conditions.kernel >= version))
}
