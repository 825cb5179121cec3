//! The time, in the one unit that records, logs and events have.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970; before that, 0.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
