//! Which events a client wants, by Docker's rules for `/events?filters=`.

use crate::{Event, Kind};
use std::collections::BTreeMap;

/// A filter that Docker does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid filter '{name}'")]
pub struct BadFilter {
    /// Its name.
    pub name: String,
}

impl errors::Classified for BadFilter {
    fn class(&self) -> errors::Class {
        errors::Class::Invalid
    }
}

/// Kinds of objects that Docker's clients may ask for and that this engine never has.
const NEVER: [&str; 5] = ["config", "node", "plugin", "secret", "service"];

/// What `docker events` accepts.
const NAMES: [&str; 14] = [
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "plugin",
    "scope",
    "secret",
    "service",
    "type",
    "volume",
];

/// Values by filter name. Several values of one name are alternatives (of `label`: all must hold), several names
/// must all match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    wanted: BTreeMap<String, Vec<String>>,
}

impl Filter {
    /// Checks the names.
    ///
    /// # Errors
    /// [`BadFilter`] names the first that Docker does not know.
    pub fn new(wanted: BTreeMap<String, Vec<String>>) -> Result<Self, BadFilter> {
        match wanted.keys().find(|name| !NAMES.contains(&name.as_str())) {
            Some(name) => Err(BadFilter { name: name.clone() }),
            None => {
                Ok(Self { wanted: wanted.into_iter().filter(|(_, values)| !values.is_empty()).collect() })
            }
        }
    }

    /// Whether the client wants `event`.
    pub fn matches(&self, event: &Event) -> bool {
        self.wanted.iter().all(|(name, values)| match name.as_str() {
            "type" => values.iter().any(|value| value == event.kind.as_str()),
            "event" => matches_action(values, event),
            "scope" => values.iter().any(|value| value == "local"),
            "label" => values.iter().all(|value| has_label(event, value)),
            "image" => matches_image(values, event),
            name if NEVER.contains(&name) => false,
            name => matches_object(name, values, event),
        })
    }
}

/// Actions compare as a whole; but whoever asks for an exec or health action without its detail gets all of them.
/// `container.created`, the dotted name, is one's action too.
fn matches_action(values: &[String], event: &Event) -> bool {
    let action = event.action.as_str();
    if values.iter().any(|value| value.contains('.')) && values.contains(&event.name()) {
        return true;
    }
    let fuzzy = |value: &String| matches!(value.as_str(), "health_status" | "exec_create" | "exec_start");
    if values.iter().any(fuzzy) {
        values.iter().any(|value| action.starts_with(value.as_str()))
    } else {
        values.iter().any(|value| value == action)
    }
}

fn has_label(event: &Event, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((name, value)) => event.attributes.get(name).is_some_and(|found| found == value),
        None => event.attributes.contains_key(wanted),
    }
}

/// Ids and names match by their beginnings, as Docker's do.
fn matches_object(kind: &str, values: &[String], event: &Event) -> bool {
    let name = event.attributes.get("name").map_or("", String::as_str);
    let begins = |value: &String| event.id.starts_with(value.as_str()) || name.starts_with(value.as_str());
    event.kind.as_str() == kind && values.iter().any(begins)
}

/// An image is meant by its id or reference, with or without the tag; a container's event matches by its image.
fn matches_image(values: &[String], event: &Event) -> bool {
    let attribute = if event.kind == Kind::Image { "name" } else { "image" };
    let name = event.attributes.get(attribute).map_or("", String::as_str);
    let candidates = [event.id.as_str(), name, without_tag(&event.id), without_tag(name)];
    values.iter().any(|value| candidates.contains(&value.as_str()))
}

/// `host:5000/repo:tag` without `:tag`.
fn without_tag(reference: &str) -> &str {
    match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => reference,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind, action: &str, id: &str, attributes: &[(&str, &str)]) -> Event {
        let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Event::new(kind, action, id, attributes)
    }

    fn filter(wanted: &[(&str, &[&str])]) -> Filter {
        let values = |list: &[&str]| list.iter().map(|value| (*value).to_owned()).collect();
        Filter::new(wanted.iter().map(|(name, list)| ((*name).to_owned(), values(list))).collect()).unwrap()
    }

    #[test]
    fn each_filter_follows_dockers_rule() {
        let web = [("name", "web"), ("image", "reg:5000/busybox:1.36"), ("tier", "front")];
        let start = event(Kind::Container, "start", "abcdef", &web);
        let exec = event(Kind::Container, "exec_start: sh", "abcdef", &web);
        let pull = event(Kind::Image, "pull", "busybox:latest", &[("name", "busybox")]);
        for (wanted, on_start, on_exec, on_pull) in [
            (&[("type", &["container"][..])][..], true, true, false),
            (&[("type", &["container", "image"])], true, true, true),
            (&[("event", &["start"])], true, false, false),
            (&[("event", &["exec_start"])], false, true, false),
            (&[("event", &["exec_start: sh"])], false, true, false),
            (&[("container", &["abc"])], true, true, false),
            (&[("container", &["we"])], true, true, false),
            (&[("container", &["xyz"])], false, false, false),
            (&[("image", &["busybox"])], false, false, true),
            (&[("image", &["reg:5000/busybox"])], true, true, false),
            (&[("image", &["reg:5000/busybox:1.36"])], true, true, false),
            (&[("label", &["tier"])], true, true, false),
            (&[("label", &["tier=front", "tier=back"])], false, false, false),
            (&[("scope", &["local"])], true, true, true),
            (&[("scope", &["swarm"])], false, false, false),
            (&[("node", &["n1"])], false, false, false),
            (&[("type", &["container"]), ("event", &["pull"])], false, false, false),
            (&[("type", &[])], true, true, true),
            (&[], true, true, true),
        ] {
            let filter = filter(wanted);
            let matched = [&start, &exec, &pull].map(|event| filter.matches(event));
            assert_eq!(matched, [on_start, on_exec, on_pull], "{wanted:?}");
        }
    }

    #[test]
    fn an_unknown_filter_is_named() {
        let wanted = BTreeMap::from([("colour".to_owned(), vec!["red".to_owned()])]);
        assert_eq!(Filter::new(wanted).unwrap_err().to_string(), "invalid filter 'colour'");
    }
}
