//! The parameter `filters` of lists, prunes and events.

use engine::Filters;
use errors::{Class, Classified};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The parameter is not JSON of one of the two forms that clients send.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid filter")]
pub(crate) struct MalformedFilters;

impl Classified for MalformedFilters {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

/// Both forms: `{"label":["a"]}`, and `{"label":{"a":true}}` of old clients.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    List(Vec<String>),
    Map(BTreeMap<String, bool>),
}

impl Values {
    fn into_list(self) -> Vec<String> {
        match self {
            Self::List(list) => list,
            // Docker ignores the boolean; the key's presence counts.
            Self::Map(map) => map.into_keys().collect(),
        }
    }
}

/// Parses the parameter's text; an empty one filters nothing. Which names there are is the verb's affair.
pub(crate) fn parse(text: &str) -> Result<Filters, MalformedFilters> {
    if text.is_empty() {
        return Ok(Filters::default());
    }
    let parsed: Option<BTreeMap<String, Values>> =
        serde_json::from_str(text).map_err(|_| MalformedFilters)?;
    let named = parsed.unwrap_or_default().into_iter();
    Ok(Filters::new(named.map(|(name, values)| (name, values.into_list().into_iter().collect())).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_mean_the_same() {
        let new = parse(r#"{"label":["a","b=c"],"status":["running"]}"#).unwrap();
        let old = parse(r#"{"label":{"a":true,"b=c":true},"status":{"running":true}}"#).unwrap();
        assert_eq!(new, old);
        assert_eq!(new.values("label").unwrap().iter().collect::<Vec<_>>(), ["a", "b=c"]);
        assert_eq!(new.values("absent"), None);
    }

    #[test]
    fn empty_texts_filter_nothing() {
        for text in ["", "{}", "null"] {
            assert_eq!(parse(text), Ok(Filters::default()), "{text}");
        }
    }

    #[test]
    fn malformed_filters_are_refused() {
        for text in ["[]", "x", r#"{"label":"a"}"#, r#"{"label":[1]}"#] {
            assert_eq!(parse(text), Err(MalformedFilters), "{text}");
        }
    }
}
