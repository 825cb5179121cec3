//! What a volume is, and what is asked of a new one.

use crate::{DRIVER, Result, VolumeError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Marks the volumes that nobody named; `prune` takes only these by default.
pub const ANONYMOUS_LABEL: &str = "com.docker.volume.anonymous";

/// A volume as it is stored and listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Unique; for anonymous ones 64 hexadecimal digits.
    pub name: String,
    /// `local`.
    pub driver: String,
    /// The driver's options as given: `type`, `o`, `device`.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Labels; an anonymous volume has [`ANONYMOUS_LABEL`].
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Nanoseconds since 1970.
    pub created: i64,
    /// The id of a container that is being made, or removed, with this volume: if it is not there at the next start, neither is the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goes_with: Option<String>,
}

impl Volume {
    /// Whether nobody named it.
    pub fn is_anonymous(&self) -> bool {
        self.labels.contains_key(ANONYMOUS_LABEL)
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Create {
    /// None or empty: an anonymous volume.
    pub name: Option<String>,
    /// None or empty: `local`.
    pub driver: Option<String>,
    /// Driver options.
    pub options: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// [`Volume::goes_with`].
    pub goes_with: Option<String>,
}

impl Create {
    /// The volume that would come of it, all but its driver options checked.
    ///
    /// These do not matter if the volume exists.
    pub(crate) fn resolve(self) -> Result<Volume> {
        let mut labels = self.labels;
        let name = match self.name.filter(|name| !name.is_empty()) {
            Some(name) => valid_name(name)?,
            None => {
                labels.entry(ANONYMOUS_LABEL.to_owned()).or_default();
                random_name()?
            }
        };
        let driver = self.driver.filter(|driver| !driver.is_empty()).unwrap_or_else(|| DRIVER.to_owned());
        if driver != DRIVER {
            return Err(VolumeError::UnknownDriver { name, driver });
        }
        Ok(Volume {
            name,
            driver,
            options: self.options,
            labels,
            created: sys::clock::now(),
            goes_with: self.goes_with,
        })
    }
}

fn valid_name(name: String) -> Result<String> {
    match name.len() {
        1 => Err(VolumeError::ShortName { name }),
        length if length <= 255 && ids::is_name(&name) => Ok(name),
        _ => Err(VolumeError::BadName { name }),
    }
}

fn random_name() -> Result<String> {
    let mut bytes = [0; 32];
    // 32 bytes come whole: the kernel does not interrupt requests of up to 256.
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|source| VolumeError::NoRandomness { source: source.into() })?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Result<Volume> {
        Create { name: Some(name.to_owned()), ..Create::default() }.resolve()
    }

    #[test]
    fn names_follow_dockers_rule_and_its_words() {
        assert_eq!(named("data-1.x_y").unwrap().name, "data-1.x_y");
        assert_eq!(
            named("a/b").unwrap_err().to_string(),
            "create a/b: \"a/b\" includes invalid characters for a local volume name, only \
             \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
        );
        assert_eq!(
            named("x").unwrap_err().to_string(),
            "create x: volume name is too short, names should be at least two alphanumeric characters"
        );
        for bad in ["..", "-x", "a b", &"x".repeat(256)] {
            assert!(named(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_volume_without_a_name_gets_a_random_one_and_the_label() {
        let volume = Create::default().resolve().unwrap();
        assert_eq!(volume.name.len(), 64);
        assert!(volume.is_anonymous());
        assert_ne!(volume.name, Create::default().resolve().unwrap().name);
        assert!(!named("mine").unwrap().is_anonymous());
    }
}
