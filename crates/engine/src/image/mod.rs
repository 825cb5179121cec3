//! The verbs on images.

mod distribution;
mod history;
mod import;
mod inspect;
mod list;
mod load;
mod login;
mod manifest;
mod mount;
mod prune;
mod pull;
mod push;
mod remove;
mod save;
mod search;
mod tag;

pub use distribution::distribution;
pub use history::history;
pub use import::import;
pub use inspect::inspect;
pub use list::{ListedImage, list, platforms};
pub use load::load;
pub use login::login;
pub use manifest::{Remote, manifest, push_index};
pub use mount::{mount, mounts, unmount};
pub(crate) use mount::{mounted, unmount_all};
pub use prune::{PrunedImages, prune};
pub use pull::{PullRequest, pull};
pub use push::{PushRequest, push};
pub(crate) use remove::publish as publish_removed;
pub use remove::{remove, remove_platforms};
pub use save::save;
pub use search::search;
pub use tag::tag;

use crate::Services;
use events::{Event, ImageAction};
use images::{Image, Use, User};

/// The images that containers use, and those that are mounted.
pub(crate) fn uses(services: &Services) -> Vec<Use> {
    let records = services.containers.all().into_iter().map(|container| container.record());
    let uses = records.filter_map(|record| {
        Some(Use {
            image: record.image.id.parse().ok()?,
            by: User::Container { id: record.id.to_string(), running: record.state.is_live() },
        })
    });
    let mounted = mounted(services).into_iter().map(|one| one.as_use());
    uses.chain(mounted).collect()
}

pub(crate) fn publish(services: &Services, action: ImageAction, image: &Image, name: &str) {
    publish_as(services, action, image, image.id.as_str(), name);
}

/// Of a transfer the actor is a name, as with docker.
fn publish_as(services: &Services, action: ImageAction, image: &Image, actor: &str, name: &str) {
    let labels = image.config.config.labels.clone();
    services.events.publish(Event::image(action, actor, name, &labels));
}
