//! Resource limits and OOM scores of processes, and what this engine may not give because it lacks it itself.

use super::error::BundleError;
use super::host::{may_raise_limits, own_oom_score_adj};
use oci_spec::runtime::{PosixRlimit, PosixRlimitBuilder, PosixRlimitType};
use rustix::process::{Resource, getrlimit};
use spec::Rlimit;

/// Name, type in the OCI document, kernel resource.
const KINDS: [(&str, PosixRlimitType, Resource); 16] = [
    ("as", PosixRlimitType::RlimitAs, Resource::As),
    ("core", PosixRlimitType::RlimitCore, Resource::Core),
    ("cpu", PosixRlimitType::RlimitCpu, Resource::Cpu),
    ("data", PosixRlimitType::RlimitData, Resource::Data),
    ("fsize", PosixRlimitType::RlimitFsize, Resource::Fsize),
    ("locks", PosixRlimitType::RlimitLocks, Resource::Locks),
    ("memlock", PosixRlimitType::RlimitMemlock, Resource::Memlock),
    ("msgqueue", PosixRlimitType::RlimitMsgqueue, Resource::Msgqueue),
    ("nice", PosixRlimitType::RlimitNice, Resource::Nice),
    ("nofile", PosixRlimitType::RlimitNofile, Resource::Nofile),
    ("nproc", PosixRlimitType::RlimitNproc, Resource::Nproc),
    ("rss", PosixRlimitType::RlimitRss, Resource::Rss),
    ("rtprio", PosixRlimitType::RlimitRtprio, Resource::Rtprio),
    ("rttime", PosixRlimitType::RlimitRttime, Resource::Rttime),
    ("sigpending", PosixRlimitType::RlimitSigpending, Resource::Sigpending),
    ("stack", PosixRlimitType::RlimitStack, Resource::Stack),
];

/// Checks explicit limits: known names, soft not above hard, and no hard limit above the engine's own where the
/// engine may not raise it (no `CAP_SYS_RESOURCE`).
pub fn check_rlimits(rlimits: &[Rlimit]) -> Result<(), BundleError> {
    for limit in rlimits {
        let (_, _, resource) = kind(&limit.name)?;
        if kernel(limit.soft) > kernel(limit.hard) {
            let Rlimit { name, soft, hard } = limit.clone();
            return Err(BundleError::SoftAboveHard { name, soft, hard });
        }
        let own = own_hard(resource);
        if kernel(limit.hard) > own && !may_raise_limits() {
            return Err(BundleError::RlimitAboveOwn { name: limit.name.clone(), wanted: limit.hard, own });
        }
    }
    Ok(())
}

/// Checks an explicit OOM score: lowering it below the engine's own takes `CAP_SYS_RESOURCE`.
pub fn check_oom_score_adj(score: i32) -> Result<(), BundleError> {
    if !(-1000..=1000).contains(&score) {
        return Err(BundleError::OomScoreRange { score });
    }
    if score < own_oom_score_adj() && !may_raise_limits() {
        return Err(BundleError::OomScoreBelowOwn { score, own: own_oom_score_adj() });
    }
    Ok(())
}

/// The score for the document: an explicit one as it is; a default one, or Docker's 0, only where it can be set.
pub(super) fn oom_score_adj(explicit: Option<i32>, default: Option<i32>) -> Option<i32> {
    explicit.or_else(|| Some(default.unwrap_or(0)).filter(|score| check_oom_score_adj(*score).is_ok()))
}

/// Explicit limits as they are, then the defaults for other resources, which are lowered to what can be set.
pub(super) fn merge(explicit: &[Rlimit], defaults: &[Rlimit]) -> Result<Vec<PosixRlimit>, BundleError> {
    let mut merged = Vec::with_capacity(explicit.len() + defaults.len());
    for limit in explicit {
        let (_, typ, _) = kind(&limit.name)?;
        merged.push(posix(typ, kernel(limit.soft), kernel(limit.hard)));
    }
    for limit in defaults.iter().filter(|default| !explicit.iter().any(|e| e.name == default.name)) {
        let (_, typ, resource) = kind(&limit.name)?;
        let most = if may_raise_limits() { u64::MAX } else { own_hard(resource) };
        merged.push(posix(typ, kernel(limit.soft).min(most), kernel(limit.hard).min(most)));
    }
    Ok(merged)
}

fn posix(typ: PosixRlimitType, soft: u64, hard: u64) -> PosixRlimit {
    PosixRlimitBuilder::default().typ(typ).soft(soft).hard(hard).build().expect(super::ALL_SET)
}

fn kind(name: &str) -> Result<(&'static str, PosixRlimitType, Resource), BundleError> {
    KINDS
        .into_iter()
        .find(|(known, _, _)| *known == name)
        .ok_or_else(|| BundleError::UnknownRlimit { name: name.to_owned() })
}

/// The kernel's number for a limit: -1 is `RLIM_INFINITY`.
fn kernel(limit: i64) -> u64 {
    u64::try_from(limit).unwrap_or(u64::MAX)
}

fn own_hard(resource: Resource) -> u64 {
    getrlimit(resource).maximum.unwrap_or(u64::MAX)
}
