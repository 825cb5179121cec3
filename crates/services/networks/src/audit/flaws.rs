//! What disagreements are called in reports and in the log. The engine's table has a row for each.

/// [`Flaw::BridgeMissing`](super::Flaw::BridgeMissing).
pub const BRIDGE_MISSING: &str = "bridge-missing";
/// [`Flaw::BridgeStray`](super::Flaw::BridgeStray).
pub const BRIDGE_STRAY: &str = "bridge-without-network";
/// [`Flaw::DeviceStray`](super::Flaw::DeviceStray).
pub const DEVICE_STRAY: &str = "device-without-endpoint";
/// [`Flaw::FilterOther`](super::Flaw::FilterOther).
pub const FILTER_OTHER: &str = "packet-filter-changed";
