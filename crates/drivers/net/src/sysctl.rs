//! Kernel parameters of the calling thread's network namespace.

use crate::{Error, Result};
use std::fs;
use std::path::PathBuf;

/// The value of a parameter, by its path below `/proc/sys/net`.
pub fn read(parameter: &str) -> Result<String> {
    let path = file(parameter);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(cause) => Err(Error::Sysctl { action: "read", path, cause }),
    }
}

/// Sets a parameter, by its path below `/proc/sys/net`.
pub fn write(parameter: &str, value: &str) -> Result<()> {
    let path = file(parameter);
    fs::write(&path, value).map_err(|cause| Error::Sysctl { action: "write", path, cause })
}

/// Sets a parameter unless it has the value already (it may then be read-only). Says whether it was changed.
pub fn ensure(parameter: &str, value: &str) -> Result<bool> {
    if read(parameter)? == value {
        return Ok(false);
    }
    write(parameter, value)?;
    Ok(true)
}

fn file(parameter: &str) -> PathBuf {
    PathBuf::from("/proc/sys/net").join(parameter)
}
