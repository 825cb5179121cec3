//! Events.

use crate::wire::event::{Actor, Message};
use events::{Event, Kind};

/// A line of `GET /events`.
pub(crate) fn event(event: &Event) -> Message {
    let legacy = matches!(event.kind, Kind::Container | Kind::Image);
    let image = event.attributes.get("image").filter(|_| event.kind == Kind::Container);
    Message {
        status: legacy.then(|| event.action.clone()),
        id: legacy.then(|| event.id.clone()),
        from: image.cloned(),
        kind: event.kind.as_str(),
        action: event.action.clone(),
        name: event.name(),
        actor: Actor { id: event.id.clone(), attributes: event.attributes.clone() },
        scope: "local",
        time: event.at.div_euclid(1_000_000_000),
        time_nano: event.at,
    }
}
