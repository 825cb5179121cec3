//! From an OCI profile to a program for the kernel, by libseccomp, with runc's reading of the specification.

use libcontainer::oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompOperator,
};
use libseccomp::error::SeccompError;
use libseccomp::{ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};
use rustix::fs::{MemfdFlags, memfd_create};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek};

/// Why a profile can't be compiled.
#[derive(Debug, thiserror::Error)]
pub(super) enum CompileError {
    #[error("rule for {name}")]
    Rule {
        name: String,
        #[source]
        cause: SeccompError,
    },
    #[error("errno {0} is too large")]
    Errno(u32),
    #[error(transparent)]
    Filter(#[from] SeccompError),
    #[error("export the filter")]
    Export(#[source] io::Error),
}

/// From so many calls on they are looked up in a tree; for few, or none, libseccomp up to 2.5.4 gets that wrong.
const LONG: usize = 32;
const BINARY_TREE: u32 = 2;

/// Compiles a profile without a listener.
pub(super) fn compile(profile: &LinuxSeccomp) -> Result<Vec<u8>, CompileError> {
    let default = action(profile.default_action(), profile.default_errno_ret())?;
    let mut filter = ScmpFilterContext::new(default)?;
    let calls: usize = profile.syscalls().iter().flatten().map(|rule| rule.names().len()).sum();
    if calls > LONG {
        filter.set_ctl_optimize(BINARY_TREE)?;
    }
    for &architecture in profile.architectures().iter().flatten() {
        filter.add_arch(arch(architecture))?;
    }
    for rule in profile.syscalls().iter().flatten() {
        let action = action(rule.action(), rule.errno_ret())?;
        if action == default {
            continue; // libseccomp refuses what changes nothing
        }
        for name in rule.names() {
            // One that libseccomp does not know gets the default action.
            let Ok(call) = ScmpSyscall::from_name(name) else { continue };
            add(&mut filter, action, call, rule.args().as_deref().unwrap_or_default())
                .map_err(|cause| CompileError::Rule { name: name.clone(), cause })?;
        }
    }
    export(&filter)
}

/// All conditions must hold; but two on the same argument, which libseccomp can't join, are alternatives, as in runc.
fn add(
    filter: &mut ScmpFilterContext,
    action: ScmpAction,
    call: ScmpSyscall,
    conditions: &[LinuxSeccompArg],
) -> Result<(), SeccompError> {
    let compare = |condition: &LinuxSeccompArg| {
        let index = u32::try_from(condition.index()).unwrap_or(u32::MAX);
        let value = condition.value();
        match operator(condition.op()) {
            Some(operator) => ScmpArgCompare::new(index, operator, value),
            // Of a masked comparison the first value is the mask.
            None => {
                let compared = condition.value_two().unwrap_or_default();
                ScmpArgCompare::new(index, ScmpCompareOp::MaskedEqual(value), compared)
            }
        }
    };
    let comparisons: Vec<_> = conditions.iter().map(compare).collect();
    let arguments: BTreeSet<_> = conditions.iter().map(LinuxSeccompArg::index).collect();
    match comparisons.len() {
        0 => filter.add_rule(action, call).map(drop),
        count if count == arguments.len() => {
            filter.add_rule_conditional(action, call, &comparisons).map(drop)
        }
        _ => comparisons
            .iter()
            .try_for_each(|&comparison| filter.add_rule_conditional(action, call, &[comparison]).map(drop)),
    }
}

fn export(filter: &ScmpFilterContext) -> Result<Vec<u8>, CompileError> {
    let memory =
        memfd_create("filter", MemfdFlags::CLOEXEC).map_err(|error| CompileError::Export(error.into()))?;
    let mut memory = File::from(memory);
    filter.export_bpf(&memory)?;
    let mut program = Vec::new();
    memory.rewind().and_then(|()| memory.read_to_end(&mut program)).map_err(CompileError::Export)?;
    Ok(program)
}

fn action(action: LinuxSeccompAction, errno: Option<u32>) -> Result<ScmpAction, CompileError> {
    const EPERM: u32 = 1;
    let errno = errno.unwrap_or(EPERM);
    Ok(match action {
        LinuxSeccompAction::ScmpActKill | LinuxSeccompAction::ScmpActKillThread => ScmpAction::KillThread,
        LinuxSeccompAction::ScmpActKillProcess => ScmpAction::KillProcess,
        LinuxSeccompAction::ScmpActTrap => ScmpAction::Trap,
        LinuxSeccompAction::ScmpActErrno => {
            ScmpAction::Errno(i32::try_from(errno).map_err(|_| CompileError::Errno(errno))?)
        }
        LinuxSeccompAction::ScmpActTrace => {
            ScmpAction::Trace(u16::try_from(errno).map_err(|_| CompileError::Errno(errno))?)
        }
        LinuxSeccompAction::ScmpActAllow => ScmpAction::Allow,
        LinuxSeccompAction::ScmpActLog => ScmpAction::Log,
        LinuxSeccompAction::ScmpActNotify => ScmpAction::Notify,
    })
}

/// None: a masked comparison.
fn operator(operator: LinuxSeccompOperator) -> Option<ScmpCompareOp> {
    Some(match operator {
        LinuxSeccompOperator::ScmpCmpNe => ScmpCompareOp::NotEqual,
        LinuxSeccompOperator::ScmpCmpLt => ScmpCompareOp::Less,
        LinuxSeccompOperator::ScmpCmpLe => ScmpCompareOp::LessOrEqual,
        LinuxSeccompOperator::ScmpCmpEq => ScmpCompareOp::Equal,
        LinuxSeccompOperator::ScmpCmpGe => ScmpCompareOp::GreaterEqual,
        LinuxSeccompOperator::ScmpCmpGt => ScmpCompareOp::Greater,
        LinuxSeccompOperator::ScmpCmpMaskedEq => return None,
    })
}

fn arch(arch: Arch) -> ScmpArch {
    match arch {
        Arch::ScmpArchNative => ScmpArch::Native,
        Arch::ScmpArchX86 => ScmpArch::X86,
        Arch::ScmpArchX86_64 => ScmpArch::X8664,
        Arch::ScmpArchX32 => ScmpArch::X32,
        Arch::ScmpArchArm => ScmpArch::Arm,
        Arch::ScmpArchAarch64 => ScmpArch::Aarch64,
        Arch::ScmpArchMips => ScmpArch::Mips,
        Arch::ScmpArchMips64 => ScmpArch::Mips64,
        Arch::ScmpArchMips64n32 => ScmpArch::Mips64N32,
        Arch::ScmpArchMipsel => ScmpArch::Mipsel,
        Arch::ScmpArchMipsel64 => ScmpArch::Mipsel64,
        Arch::ScmpArchMipsel64n32 => ScmpArch::Mipsel64N32,
        Arch::ScmpArchPpc => ScmpArch::Ppc,
        Arch::ScmpArchPpc64 => ScmpArch::Ppc64,
        Arch::ScmpArchPpc64le => ScmpArch::Ppc64Le,
        Arch::ScmpArchS390 => ScmpArch::S390,
        Arch::ScmpArchS390x => ScmpArch::S390X,
        Arch::ScmpArchRiscv64 => ScmpArch::Riscv64,
        Arch::ScmpArchParisc => ScmpArch::Parisc,
        Arch::ScmpArchParisc64 => ScmpArch::Parisc64,
        Arch::ScmpArchLoongarch64 => ScmpArch::Loongarch64,
        Arch::ScmpArchM68k => ScmpArch::M68k,
        Arch::ScmpArchSh => ScmpArch::Sh,
        Arch::ScmpArchSheb => ScmpArch::Sheb,
    }
}
