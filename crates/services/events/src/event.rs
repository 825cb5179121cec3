//! One event, and how each kind is made.

use crate::action::{ContainerAction, DaemonAction, Extra, ImageAction, NetworkAction, VolumeAction};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A container, or a process in it.
    Container,
    /// An image.
    Image,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// The daemon itself.
    Daemon,
}

impl Kind {
    /// The name in Docker's `Type` and in the type filter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Image => "image",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Daemon => "daemon",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What it is about.
    pub kind: Kind,
    /// Docker's text: `start`, `exec_start: sh -c true`, `health_status: healthy`.
    pub action: String,
    /// The object's id: full for containers and networks, the name for volumes, digest or reference for images.
    pub id: String,
    /// Its name, labels, and what the action carries.
    pub attributes: BTreeMap<String, String>,
    /// Nanoseconds since 1970.
    pub at: i64,
}

/// What an event says of its container besides the id.
#[derive(Debug, Clone, Copy)]
pub struct ContainerOf<'a> {
    /// The full id.
    pub id: &'a str,
    /// The name, without a slash.
    pub name: &'a str,
    /// The image as the client named it.
    pub image: &'a str,
    /// Its labels; they become attributes, but never hide one that has a meaning.
    pub labels: &'a BTreeMap<String, String>,
}

impl Event {
    /// An event of now.
    pub fn new(
        kind: Kind,
        action: impl Into<String>,
        id: impl Into<String>,
        attributes: BTreeMap<String, String>,
    ) -> Self {
        Self { kind, action: action.into(), id: id.into(), attributes, at: sys::clock::now() }
    }

    /// An event of a container.
    pub fn container(action: &ContainerAction, container: ContainerOf<'_>) -> Self {
        let mut attributes = container.labels.clone();
        attributes.insert("name".into(), container.name.into());
        attributes.insert("image".into(), container.image.into());
        Self::new(Kind::Container, action.text(), container.id, with(attributes, action.extra()))
    }

    /// Unused containers were removed.
    pub fn containers_pruned(reclaimed: u64) -> Self {
        let extra = ContainerAction::Prune { reclaimed }.extra();
        Self::new(Kind::Container, "prune", "", with(BTreeMap::new(), extra))
    }

    /// An event of an image. `id` is its digest, or for pull and push the reference; `name` the reference; `labels`
    /// those of its configuration.
    pub fn image(action: ImageAction, id: &str, name: &str, labels: &BTreeMap<String, String>) -> Self {
        let mut attributes = labels.clone();
        if let ImageAction::Prune { reclaimed } = action {
            attributes.insert("reclaimed".into(), reclaimed.to_string());
        } else {
            attributes.insert("name".into(), name.into());
        }
        Self::new(Kind::Image, action.text(), id, attributes)
    }

    /// An event of a network. `driver` is what Docker calls its type.
    pub fn network(action: &NetworkAction, id: &str, name: &str, driver: &str) -> Self {
        let mut attributes = BTreeMap::new();
        if !matches!(action, NetworkAction::Prune { .. }) {
            attributes.insert("name".into(), name.into());
            attributes.insert("type".into(), driver.into());
        }
        Self::new(Kind::Network, action.text(), id, with(attributes, action.extra()))
    }

    /// An event of a volume.
    pub fn volume(action: &VolumeAction, name: &str, driver: &str) -> Self {
        let mut attributes = BTreeMap::new();
        if !matches!(action, VolumeAction::Prune { .. }) {
            attributes.insert("driver".into(), driver.into());
        }
        Self::new(Kind::Volume, action.text(), name, with(attributes, action.extra()))
    }

    /// An event of the daemon; `id` is the engine's, `name` the host's.
    pub fn daemon(
        action: DaemonAction,
        id: &str,
        name: &str,
        mut attributes: BTreeMap<String, String>,
    ) -> Self {
        attributes.insert("name".into(), name.into());
        Self::new(Kind::Daemon, action.text(), id, attributes)
    }

    /// A subscriber was too slow: so many events went by unseen.
    pub fn missed(count: u64) -> Self {
        let attributes = BTreeMap::from([("missed".to_owned(), count.to_string())]);
        Self::new(Kind::Daemon, "missed", "", attributes)
    }

    /// The dotted name in the past tense: `container.created`, `image.pulled`, `container.exec_started`.
    ///
    /// What follows a colon in the action is left out.
    pub fn name(&self) -> String {
        let action = self.action.split(':').next().unwrap_or_default();
        format!("{}.{}", self.kind.as_str(), past(action))
    }
}

fn with(mut attributes: BTreeMap<String, String>, extra: Extra) -> BTreeMap<String, String> {
    attributes.extend(extra.into_iter().map(|(name, value)| (name.to_owned(), value)));
    attributes
}

/// English past participles of Docker's actions.
fn past(action: &str) -> String {
    match action {
        "stop" | "untag" | "tag" | "exec_stop" => doubled(action),
        "archive-path" => "path_archived".into(),
        "extract-to-dir" => "extracted_to_dir".into(),
        "copy" => "copied".into(),
        "oom" => "oom_killed".into(),
        "missed" => action.into(),
        "top" => "processes_listed".into(),
        "health_status" => "health_status_changed".into(),
        verb if verb.ends_with('e') => format!("{verb}d"),
        verb => format!("{verb}ed"),
    }
}

fn doubled(verb: &str) -> String {
    let last = verb.chars().next_back().unwrap_or_default();
    format!("{verb}{last}ed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn attribute<'a>(event: &'a Event, name: &str) -> &'a str {
        event.attributes.get(name).map_or("", String::as_str)
    }

    #[test]
    fn a_containers_labels_never_hide_its_own_attributes() {
        let labels = BTreeMap::from([("name".into(), "fake".into()), ("tier".into(), "web".into())]);
        let of = ContainerOf { id: "abc", name: "web", image: "busybox", labels: &labels };
        let action = ContainerAction::Die { exit_code: 137, ran: Duration::from_millis(2700) };
        let event = Event::container(&action, of);
        assert_eq!((event.action.as_str(), event.id.as_str()), ("die", "abc"));
        assert_eq!(attribute(&event, "name"), "web");
        assert_eq!(attribute(&event, "tier"), "web");
        assert_eq!(attribute(&event, "exitCode"), "137");
        assert_eq!(attribute(&event, "execDuration"), "2");
    }

    #[test]
    fn an_exec_action_holds_its_command_and_its_id() {
        let labels = BTreeMap::new();
        let of = ContainerOf { id: "abc", name: "web", image: "busybox", labels: &labels };
        let action = ContainerAction::ExecStart { exec: "e1".into(), command: "sh -c a: b".into() };
        let event = Event::container(&action, of);
        assert_eq!(event.action, "exec_start: sh -c a: b");
        assert_eq!(attribute(&event, "execID"), "e1");
        assert_eq!(event.name(), "container.exec_started");
    }

    #[test]
    fn texts_and_attributes_are_those_of_docker() {
        let labels = BTreeMap::new();
        let of = ContainerOf { id: "abc", name: "web", image: "busybox", labels: &labels };
        let exec = ContainerAction::ExecCreate { exec: "e1".into(), command: "true".into() };
        assert_eq!(Event::container(&exec, of).action, "exec_create: true ");
        let renamed = Event::container(&ContainerAction::Rename { old: "/old".into() }, of);
        assert_eq!(attribute(&renamed, "oldName"), "/old");
        let action = VolumeAction::Mount {
            container: "abc".into(),
            destination: "/data".into(),
            read_write: true,
            propagation: String::new(),
        };
        let mounted = Event::volume(&action, "v", "local");
        let names: Vec<_> = mounted.attributes.keys().map(String::as_str).collect();
        assert_eq!(names, ["container", "destination", "driver", "propagation", "read/write"]);
        assert_eq!(Event::volume(&VolumeAction::Prune { reclaimed: 7 }, "", "").attributes.len(), 1);
        let joined = NetworkAction::Connect { container: "abc".into() };
        let joined = Event::network(&joined, "n1", "bridge", "bridge");
        assert_eq!((attribute(&joined, "type"), attribute(&joined, "container")), ("bridge", "abc"));
    }

    #[test]
    fn dotted_names_are_in_the_past_tense() {
        let name = |kind, action: &str| Event::new(kind, action, "", BTreeMap::new()).name();
        for (action, expected) in [
            ("create", "container.created"),
            ("start", "container.started"),
            ("stop", "container.stopped"),
            ("die", "container.died"),
            ("destroy", "container.destroyed"),
            ("health_status: healthy", "container.health_status_changed"),
        ] {
            assert_eq!(name(Kind::Container, action), expected);
        }
        assert_eq!(name(Kind::Image, "pull"), "image.pulled");
        assert_eq!(name(Kind::Image, "tag"), "image.tagged");
        assert_eq!(name(Kind::Network, "create"), "network.created");
    }
}
