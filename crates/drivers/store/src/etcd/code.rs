//! gRPC's codes, as far as something hangs on them.

pub(crate) const DEADLINE_EXCEEDED: u64 = 4;
pub(crate) const PERMISSION_DENIED: u64 = 7;
pub(crate) const RESOURCE_EXHAUSTED: u64 = 8;
pub(crate) const UNAVAILABLE: u64 = 14;
pub(crate) const UNAUTHENTICATED: u64 = 16;
