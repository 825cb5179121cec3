//! The `filters` that list and prune verbs take: a name has values, and unknown names are refused.

use errors::{Class, Classified};
use std::collections::{BTreeMap, BTreeSet};

/// Filters by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, BTreeSet<String>>);

/// What can be wrong with a filter.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// The verb knows no such filter.
    #[error("invalid filter '{name}'")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// The value is not one that the filter takes.
    #[error("invalid filter '{name}={value}': {why}")]
    BadValue {
        /// Its name.
        name: String,
        /// The value.
        value: String,
        /// What it should be.
        why: String,
    },
    /// Neither true nor false.
    #[error("invalid filter '{name}=[{value}]'")]
    BadFlag {
        /// Its name.
        name: String,
        /// The value.
        value: String,
    },
    /// No time and no duration.
    #[error("failed to parse value as time or duration: {value:?}")]
    BadTime {
        /// The value.
        value: String,
    },
    /// `until` names one moment.
    #[error("more than one until filter specified")]
    Times,
}

impl Classified for FilterError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

impl Filters {
    /// From names and values.
    pub fn new(filters: BTreeMap<String, BTreeSet<String>>) -> Self {
        Self(filters)
    }

    /// Refuses names outside `known`.
    ///
    /// # Errors
    /// [`FilterError::Unknown`].
    pub fn allow(&self, known: &[&str]) -> Result<(), FilterError> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(FilterError::Unknown { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// The values of a filter; none when it was not given.
    pub fn values(&self, name: &str) -> Option<&BTreeSet<String>> {
        self.0.get(name).filter(|values| !values.is_empty())
    }

    /// Whether the filter is absent or one of its values satisfies `test`.
    pub fn any(&self, name: &str, test: impl FnMut(&String) -> bool) -> bool {
        self.values(name).is_none_or(|values| values.iter().any(test))
    }

    /// Whether the filter is absent or all of its values satisfy `test`.
    pub fn all(&self, name: &str, test: impl FnMut(&String) -> bool) -> bool {
        self.values(name).is_none_or(|values| values.iter().all(test))
    }

    /// A filter that takes a boolean; none when it was not given.
    ///
    /// # Errors
    /// [`FilterError::BadValue`] for contradictory or other values.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, FilterError> {
        let Some(values) = self.values(name) else { return Ok(None) };
        let bad = |value: &String| FilterError::BadFlag { name: name.to_owned(), value: value.clone() };
        let mut flags = values.iter().map(|value| match value.as_str() {
            "1" | "t" | "T" | "true" | "True" | "TRUE" => Ok(true),
            "0" | "f" | "F" | "false" | "False" | "FALSE" => Ok(false),
            _ => Err(bad(value)),
        });
        let first = flags.next().transpose()?;
        for other in flags {
            if Some(other?) != first {
                return Err(bad(values.iter().next().expect("a filter has values")));
            }
        }
        Ok(first)
    }

    /// Whether `labels` has every `name` or `name=value` of the filters `label`, and none of `label!`.
    pub fn labels(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |wanted: &String| match wanted.split_once('=') {
            Some((name, value)) => labels.get(name).is_some_and(|found| found == value),
            None => labels.contains_key(wanted),
        };
        self.all("label", has) && !self.values("label!").is_some_and(|values| values.iter().any(has))
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &BTreeSet<String>)> {
        self.0.iter()
    }
}

/// The moment that the filter `until` names, in nanoseconds since 1970: a Unix time, an RFC 3339 time or, before now,
/// a duration in Go's form (`24h`).
///
/// # Errors
/// [`FilterError::BadValue`].
pub fn until(filters: &Filters) -> Result<Option<i64>, FilterError> {
    let Some(values) = filters.values("until") else { return Ok(None) };
    let mut values = values.iter();
    let value = values.next().expect("a filter has values");
    if values.next().is_some() {
        return Err(FilterError::Times);
    }
    crate::time::parse(value).map(Some).ok_or_else(|| FilterError::BadTime { value: value.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(pairs: &[(&str, &str)]) -> Filters {
        let mut map: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, value) in pairs {
            map.entry((*name).into()).or_default().insert((*value).into());
        }
        Filters(map)
    }

    #[test]
    fn unknown_names_are_refused() {
        assert!(filters(&[("label", "a")]).allow(&["label"]).is_ok());
        assert_eq!(
            filters(&[("colour", "red")]).allow(&["label"]).unwrap_err().to_string(),
            "invalid filter 'colour'"
        );
    }

    #[test]
    fn labels_must_all_match_and_none_that_is_excluded() {
        let labels = BTreeMap::from([("a".into(), "1".into()), ("b".into(), "2".into())]);
        assert!(filters(&[("label", "a"), ("label", "b=2")]).labels(&labels));
        assert!(!filters(&[("label", "a=2")]).labels(&labels));
        assert!(!filters(&[("label!", "b")]).labels(&labels));
    }

    #[test]
    fn flags_take_gos_booleans_only() {
        assert_eq!(filters(&[("dangling", "1")]).flag("dangling").unwrap(), Some(true));
        assert!(filters(&[("dangling", "yes")]).flag("dangling").is_err());
        assert!(filters(&[("dangling", "1"), ("dangling", "0")]).flag("dangling").is_err());
    }
}
