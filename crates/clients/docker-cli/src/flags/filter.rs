//! `--filter name=value`, and the JSON in which filters travel.

use std::collections::BTreeMap;

/// One filter, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    name: String,
    value: String,
}

/// For clap.
pub(crate) fn parse(text: &str) -> Result<Filter, String> {
    if text.is_empty() {
        return Ok(Filter { name: String::new(), value: String::new() });
    }
    let (name, value) = text.split_once('=').ok_or("bad format of filter (expected name=value)")?;
    Ok(Filter { name: name.trim().to_ascii_lowercase(), value: value.trim().to_owned() })
}

/// A set of filters for a request.
#[derive(Debug, Default, Clone)]
pub(crate) struct Filters(BTreeMap<String, BTreeMap<String, bool>>);

impl Filters {
    /// The filters of a command line.
    pub(crate) fn new(filters: &[Filter]) -> Self {
        let mut all = Self::default();
        for filter in filters.iter().filter(|filter| !filter.name.is_empty()) {
            all.add(&filter.name, &filter.value);
        }
        all
    }

    /// Adds one.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.0.entry(name.to_owned()).or_default().insert(value.to_owned(), true);
    }

    /// Adds one as it was typed.
    pub(crate) fn insert(&mut self, filter: &Filter) {
        self.add(&filter.name, &filter.value);
    }

    /// Whether a filter of that name is set.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether the opposite of a label filter is set (`label` against `label!`).
    pub(crate) fn conflicts_with(&self, filter: &Filter) -> bool {
        let opposite = match filter.name.as_str() {
            "label" => "label!",
            "label!" => "label",
            _ => return false,
        };
        self.0.get(opposite).is_some_and(|values| values.contains_key(&filter.value))
    }

    /// `name=value` of each, sorted.
    pub(crate) fn describe(&self) -> Vec<String> {
        self.0
            .iter()
            .flat_map(|(name, values)| values.keys().map(move |value| format!("{name}={value}")))
            .collect()
    }

    /// For the `filters` parameter; `None` when there are none.
    pub(crate) fn to_json(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| serde_json::to_string(&self.0).unwrap_or_default())
    }
}

/// Adds the `filters` parameter to a request.
pub(crate) fn apply<'c>(
    request: engine_client::Request<'c>,
    filters: &Filters,
) -> engine_client::Request<'c> {
    match filters.to_json() {
        Some(json) => request.query("filters", json),
        None => request,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_travel_as_a_map_of_sets() {
        let filters = [parse("Label=a=b").unwrap(), parse("label=c").unwrap(), parse("").unwrap()];
        assert_eq!(Filters::new(&filters).to_json().unwrap(), r#"{"label":{"a=b":true,"c":true}}"#);
        assert!(parse("x").is_err());
        assert_eq!(Filters::new(&[]).to_json(), None);
    }
}
