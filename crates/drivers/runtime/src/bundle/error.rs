//! Wishes that no OCI document can express.

use errors::{Class, Classified};

/// Why a container can't be described.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not a capability.
    #[error("invalid {list}: unknown capability: {name:?}")]
    UnknownCapability {
        /// `CapAdd` or `CapDrop`.
        list: &'static str,
        /// As given.
        name: String,
    },
    /// One that this engine lacks itself.
    #[error(
        "invalid CapAdd: capability not supported by your kernel or not available in the current environment: {name:?}"
    )]
    CapabilityUnavailable {
        /// Its name.
        name: String,
    },
    /// Not a resource limit.
    #[error("invalid ulimit type: {name}")]
    UnknownRlimit {
        /// As given.
        name: String,
    },
    /// A soft limit above the hard one.
    #[error("ulimit {name}: soft limit must be less than or equal to hard limit: {soft} > {hard}")]
    SoftAboveHard {
        /// Which.
        name: String,
        /// Soft.
        soft: i64,
        /// Hard.
        hard: i64,
    },
    /// The engine itself may not raise this limit.
    #[error("ulimit {name}: hard limit {wanted} is above the engine's own {own}, which it may not raise")]
    RlimitAboveOwn {
        /// Which.
        name: String,
        /// Wanted; -1: unlimited.
        wanted: i64,
        /// Ours.
        own: u64,
    },
    /// A score outside the kernel's.
    #[error("Invalid value {score}, range for oom score adj is [-1000, 1000]")]
    OomScoreRange {
        /// Wanted.
        score: i32,
    },
    /// The engine itself may not go below its own score.
    #[error("oom score {score} is below the engine's own {own}, which it may not lower")]
    OomScoreBelowOwn {
        /// Wanted.
        score: i32,
        /// Ours.
        own: i32,
    },
    /// Read-only recursively and not recursively.
    #[error("mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive")]
    ReadOnlyConflict,
    /// The kernel lacks `mount_setattr(2)`.
    #[error("recursive read-only mounts need Linux 5.12")]
    NoRecursiveReadOnly,
    /// Not an option of tmpfs.
    #[error("invalid tmpfs option {option:?}")]
    TmpfsOption {
        /// As given.
        option: String,
    },
    /// An option of tmpfs with a value that it cannot have.
    #[error("invalid value of the tmpfs option {option:?}: {value:?}")]
    TmpfsValue {
        /// The option.
        option: String,
        /// As given.
        value: String,
    },
    /// A profile for a kernel that filters nothing.
    #[error("seccomp is not enabled in your kernel, cannot run a custom seccomp profile")]
    NoSeccomp,
    /// Not a rule of the device cgroup.
    #[error("invalid device cgroup rule format: '{rule}'")]
    DeviceRule {
        /// As given.
        rule: String,
    },
    /// A block device whose number was not looked up.
    #[error("no such block device: {path}")]
    NoBlockDevice {
        /// As given.
        path: String,
    },
    /// `--cpus` together with a quota or period.
    #[error("Conflicting options: Nano CPUs and CPU {option} cannot both be set.")]
    NanoCpusWith {
        /// `Period` or `Quota`.
        option: &'static str,
    },
    /// The profile is not JSON of the known form.
    #[error("Decoding seccomp profile failed")]
    SeccompJson {
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// The profile contradicts itself.
    #[error("invalid seccomp profile: {reason}")]
    SeccompProfile {
        /// How.
        reason: &'static str,
    },
    /// An argument vector without a program.
    #[error("no command specified")]
    NoCommand,
}

impl Classified for BundleError {
    fn class(&self) -> Class {
        match self {
            Self::NoSeccomp | Self::NoRecursiveReadOnly => Class::Unsupported,
            _ => Class::Invalid,
        }
    }
}
