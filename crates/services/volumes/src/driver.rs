//! Docker's local driver: a directory, or what `type`, `o` and `device` say is mounted on it.

use crate::{Result, VolumeError};
use std::collections::BTreeMap;

/// The name of the one driver.
pub const DRIVER: &str = "local";

/// Whether `options` make sense together, in Docker's words if not. What they name may come to exist later.
pub(crate) fn validate(name: &str, options: &BTreeMap<String, String>) -> Result<()> {
    for option in options.keys() {
        if !matches!(option.as_str(), "type" | "o" | "device" | "size") {
            return Err(VolumeError::UnknownOption { name: name.to_owned(), option: option.clone() });
        }
    }
    Ok(())
}
