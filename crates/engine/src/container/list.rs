//! `ps`: summaries that pass the filters, newest first.

use super::Sizes;
use crate::{FilterError, Filters, Services};
use ::containers::{Container, MountPointKind, Record, State};
use errors::Result;
use spec::PortProtocol;
use std::collections::HashMap;
use std::sync::Arc;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// Also those that do not run.
    pub all: bool,
    /// At most so many of the newest, running or not.
    pub limit: Option<usize>,
    /// With sizes on disk.
    pub size: bool,
    /// Filters.
    pub filters: Filters,
}

/// A container in a list.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Its record.
    pub record: Arc<Record>,
    /// The image's name, or its id once the name means another image.
    pub image: String,
    /// Sizes, if asked for.
    pub sizes: Option<Sizes>,
}

const FILTERS: [&str; 15] = [
    "ancestor",
    "before",
    "expose",
    "exited",
    "health",
    "id",
    "isolation",
    "is-task",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];

/// Lists containers. Waits for no lock: it reads the records as they are.
///
/// # Errors
/// `Invalid` for an unknown filter or value.
pub async fn list(services: &Arc<Services>, request: List) -> Result<Vec<Summary>> {
    let filters = &request.filters;
    filters.allow(&FILTERS)?;
    check_values(filters)?;
    let all = request.all
        || request.limit.is_some()
        || ["status", "exited", "since", "before"].iter().any(|name| filters.values(name).is_some());
    let bounds = Bounds::of(services, filters)?;
    let ancestors = ancestors(services, filters);
    let names = NameFilter::of(filters)?;

    let found = services.containers.all().into_iter().map(|container| (container.record(), container));
    let mut found: Vec<(Arc<Record>, Arc<Container>)> = found
        .filter(|(record, container)| {
            (all || record.state.is_live() || matches!(record.state, State::Restarting { .. }))
                && bounds.admit(record)
                && passes(filters, container, record)
                && names.admit(record)
                && ancestors.as_ref().is_none_or(|ids| ids.contains(&record.image.id))
        })
        .collect();
    found.sort_by_key(|(record, _)| std::cmp::Reverse(record.created_at));
    found.truncate(request.limit.unwrap_or(usize::MAX));
    let mut summaries = Vec::with_capacity(found.len());
    // Thousands may be of one image.
    let mut images = HashMap::new();
    for (record, _) in &found {
        let made_of = (&record.spec.image, &record.image.id);
        let image = images.entry(made_of).or_insert_with(|| super::inspect::image_name(services, record));
        let sizes = if request.size { Some(super::inspect::sizes(services, record).await) } else { None };
        summaries.push(Summary { record: Arc::clone(record), image: image.clone(), sizes });
    }
    Ok(summaries)
}

fn check_values(filters: &Filters) -> Result<(), FilterError> {
    const STATES: [&str; 7] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
    const HEALTH: [&str; 4] = ["none", "starting", "healthy", "unhealthy"];
    let check = |name: &str, good: &dyn Fn(&str) -> bool, why: &dyn Fn(&str) -> String| match filters
        .values(name)
        .into_iter()
        .flatten()
        .find(|value| !good(value))
    {
        Some(value) => {
            Err(FilterError::BadValue { name: name.to_owned(), value: value.clone(), why: why(value) })
        }
        None => Ok(()),
    };
    let one_of = |what: &'static str, words: &'static [&str]| {
        move |value: &str| format!("invalid value for {what} ({value}): must be one of {}", words.join(", "))
    };
    let port = |value: &str| format!("{value} is neither a port nor a range of ports");
    check("status", &|value| STATES.contains(&value), &one_of("state", &STATES))?;
    check("health", &|value| HEALTH.contains(&value), &one_of("health", &HEALTH))?;
    check("exited", &|value| value.parse::<i64>().is_ok(), &|value| format!("{value} is no exit code"))?;
    check("publish", &|value| port_range(value).is_some(), &port)?;
    check("expose", &|value| port_range(value).is_some(), &port)?;
    filters.flag("is-task").map(|_| ())
}

/// `since` and `before` name a container each.
struct Bounds {
    since: Option<i64>,
    before: Option<i64>,
}

impl Bounds {
    fn of(services: &Services, filters: &Filters) -> Result<Self> {
        let time = |name: &str| -> Result<Option<i64>> {
            match filters.values(name).and_then(|values| values.iter().next()) {
                Some(reference) => Ok(Some(services.containers.find(reference)?.record().created_at)),
                None => Ok(None),
            }
        };
        Ok(Self { since: time("since")?, before: time("before")? })
    }

    fn admit(&self, record: &Record) -> bool {
        self.since.is_none_or(|time| record.created_at > time)
            && self.before.is_none_or(|time| record.created_at < time)
    }
}

/// Names are matched by regular expression, with and without the slash before them.
struct NameFilter(Vec<regex_lite::Regex>);

impl NameFilter {
    fn of(filters: &Filters) -> Result<Self, FilterError> {
        let compile = |value: &String| {
            regex_lite::Regex::new(value).map_err(|error| FilterError::BadValue {
                name: "name".into(),
                value: value.clone(),
                why: error.to_string(),
            })
        };
        let values = filters.values("name").into_iter().flatten();
        Ok(Self(values.map(compile).collect::<Result<_, _>>()?))
    }

    fn admit(&self, record: &Record) -> bool {
        let name = record.name.as_str();
        let fits = |regex: &regex_lite::Regex| regex.is_match(name) || regex.is_match(&format!("/{name}"));
        self.0.is_empty() || self.0.iter().any(fits)
    }
}

/// The images that `ancestor` names. (Images made from them come with `build`.)
fn ancestors(services: &Services, filters: &Filters) -> Option<Vec<String>> {
    let names = filters.values("ancestor")?;
    let mut ids = Vec::new();
    for name in names {
        if let Ok(image) = services.images.resolve(name) {
            ids.push(image.id.to_string());
        }
    }
    Some(ids)
}

fn passes(filters: &Filters, container: &Container, record: &Record) -> bool {
    let state = if container.is_removing() { "removing" } else { record.state.word() };
    let exited = record.state.exit().map(|exit| exit.code.to_string());
    filters.labels(&record.spec.labels)
        && filters.any("id", |value| record.id.as_str().starts_with(value.as_str()))
        && filters.any("status", |value| value == state)
        && filters.any("exited", |value| Some(value) == exited.as_ref())
        && filters.any("health", |value| value == "none")
        && filters.any("isolation", |value| matches!(value.as_str(), "" | "default"))
        && filters.flag("is-task").is_ok_and(|task| task != Some(true))
        && filters.any("network", |value| {
            let by_name = record
                .endpoints
                .values()
                .any(|end| end.network == *value || end.network_id.as_str().starts_with(value.as_str()));
            by_name || (record.endpoints.is_empty() && network_name(record) == value.as_str())
        })
        && filters.any("volume", |value| {
            record.mounts.iter().any(|mount| {
                let named = matches!(&mount.kind, MountPointKind::Volume { name, .. } if name == value);
                named || mount.target == *value || mount.source == *value
            })
        })
        && filters.any("expose", |value| exposes(record, value))
        && filters.any("publish", |value| {
            let range = port_range(value);
            record.spec.network.published.iter().any(|port| {
                range.is_some_and(|(first, last, protocol)| {
                    protocol == port.container.protocol
                        && first <= port.container.last
                        && port.container.first <= last
                })
            })
        })
}

fn exposes(record: &Record, value: &str) -> bool {
    port_range(value).is_some_and(|(first, last, protocol)| {
        record
            .spec
            .network
            .exposed
            .ranges()
            .iter()
            .any(|range| range.protocol == protocol && first <= range.last && range.first <= last)
    })
}

fn network_name(record: &Record) -> &str {
    match &record.spec.network.mode {
        spec::NetworkMode::Default => "bridge",
        spec::NetworkMode::None => "none",
        spec::NetworkMode::Host => "host",
        spec::NetworkMode::Named(name) => name,
        spec::NetworkMode::Container(_) => "",
    }
}

/// `80`, `80-90`, with `/tcp` or another protocol.
fn port_range(text: &str) -> Option<(u16, u16, PortProtocol)> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = [PortProtocol::Tcp, PortProtocol::Udp, PortProtocol::Sctp]
        .into_iter()
        .find(|known| known.as_str() == protocol)?;
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    Some((first.parse().ok()?, last.parse().ok()?, protocol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_filters_take_ranges_and_protocols() {
        assert_eq!(port_range("80"), Some((80, 80, PortProtocol::Tcp)));
        assert_eq!(port_range("80-90/udp"), Some((80, 90, PortProtocol::Udp)));
        assert_eq!(port_range("http"), None);
    }
}
