//! Which volumes a client wants listed or pruned, by Docker's rules.

use crate::{Result, Volume, VolumeError};
use std::collections::BTreeMap;

/// What Docker's list and prune accept.
const NAMES: [&str; 6] = ["all", "dangling", "driver", "label", "label!", "name"];

/// Conditions; several names must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    wanted: BTreeMap<String, Vec<String>>,
    dangling: Option<bool>,
    all: bool,
}

impl Filter {
    /// Checks names and values.
    ///
    /// # Errors
    /// [`VolumeError::BadFilter`] or [`VolumeError::BadFilterValue`].
    pub fn new(wanted: BTreeMap<String, Vec<String>>) -> Result<Self> {
        if let Some(name) = wanted.keys().find(|name| !NAMES.contains(&name.as_str())) {
            return Err(VolumeError::BadFilter { name: name.clone() });
        }
        let dangling = truth(&wanted, "dangling")?;
        let all = truth(&wanted, "all")?.unwrap_or(false);
        Ok(Self { wanted, dangling, all })
    }

    /// Whether prune may take volumes that have a name.
    pub fn all(&self) -> bool {
        self.all
    }

    /// Whether `volume`, which containers reference or not, is wanted.
    pub fn matches(&self, volume: &Volume, referenced: bool) -> bool {
        let values = |name| self.wanted.get(name).map_or(&[][..], Vec::as_slice);
        let any =
            |name, holds: &dyn Fn(&String) -> bool| values(name).is_empty() || values(name).iter().any(holds);
        self.dangling.is_none_or(|dangling| dangling != referenced)
            && any("driver", &|driver| *driver == volume.driver)
            && any("name", &|part| volume.name.contains(part.as_str()))
            && values("label").iter().all(|label| has_label(volume, label))
            && !values("label!").iter().any(|label| has_label(volume, label))
    }
}

fn has_label(volume: &Volume, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((name, value)) => volume.labels.get(name).is_some_and(|found| found == value),
        None => volume.labels.contains_key(wanted),
    }
}

/// A filter that is yes or no; several values must agree.
fn truth(wanted: &BTreeMap<String, Vec<String>>, name: &str) -> Result<Option<bool>> {
    let values = wanted.get(name).map_or(&[][..], Vec::as_slice);
    let mut truths = values.iter().map(|value| match value.as_str() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    });
    match truths.next() {
        None => Ok(None),
        Some(Some(first)) if truths.all(|other| other == Some(first)) => Ok(Some(first)),
        _ => Err(VolumeError::BadFilterValue { name: name.to_owned(), value: values.join(" ") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(name: &str, values: &[&str]) -> Result<Filter> {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Filter::new(BTreeMap::from([(name.to_owned(), values)]))
    }

    #[test]
    fn each_filter_follows_dockers_rule() {
        let volume = Volume {
            name: "database".into(),
            driver: "local".into(),
            options: BTreeMap::new(),
            labels: BTreeMap::from([("tier".into(), "back".into())]),
            created: 0,
            goes_with: None,
        };
        for (name, values, matched) in [
            ("name", &["base"][..], true),
            ("name", &["web", "data"], true),
            ("name", &["web"], false),
            ("driver", &["local"], true),
            ("driver", &["nfs"], false),
            ("label", &["tier"], true),
            ("label", &["tier=back"], true),
            ("label", &["tier=back", "other"], false),
            ("label!", &["tier=back"], false),
            ("label!", &["tier=front"], true),
            ("dangling", &["true"], false),
            ("dangling", &["0"], true),
        ] {
            assert_eq!(filter(name, values).unwrap().matches(&volume, true), matched, "{name}={values:?}");
        }
    }

    #[test]
    fn what_docker_does_not_know_is_named() {
        assert_eq!(filter("foo", &["x"]).unwrap_err().to_string(), "invalid filter 'foo'");
        assert_eq!(filter("dangling", &["x"]).unwrap_err().to_string(), "invalid filter 'dangling=[x]'");
        assert!(filter("dangling", &["1", "0"]).is_err());
    }
}
