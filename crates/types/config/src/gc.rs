//! `storage.gc`: what goes by itself when nobody needs it, or when the disk gets full.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What goes by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gc {
    /// Seconds since the last byte after which a half-fetched blob goes; 0: never.
    pub partials_after: u64,
    /// Seconds from one look at the store to the next.
    pub interval: u64,
    /// How much images may take.
    pub images: ImageBudget,
}

/// How much images may take before those go that were used least recently. Off where neither limit is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageBudget {
    /// Bytes of all layers and blobs on disk; none: no limit.
    pub max_bytes: Option<u64>,
    /// Percent of the file system that must stay free; none: no limit.
    pub min_free_percent: Option<u8>,
    /// Seconds since its last use for which an image stays, however full the disk is.
    pub min_age: u64,
    /// Names, or patterns with `*` and `?`, of images that stay.
    pub keep: Vec<String>,
}

impl Default for Gc {
    fn default() -> Self {
        Self { partials_after: 3600, interval: 300, images: ImageBudget::default() }
    }
}

impl Default for ImageBudget {
    fn default() -> Self {
        Self { max_bytes: None, min_free_percent: None, min_age: 3600, keep: Vec::new() }
    }
}

impl Gc {
    /// How long a half-fetched blob waits for somebody who goes on with it; none: for ever.
    pub fn partials_after(&self) -> Option<Duration> {
        (self.partials_after > 0).then(|| Duration::from_secs(self.partials_after))
    }
}

impl ImageBudget {
    /// Whether there is a limit at all.
    pub fn is_on(&self) -> bool {
        self.max_bytes.is_some() || self.min_free_percent.is_some()
    }
}
