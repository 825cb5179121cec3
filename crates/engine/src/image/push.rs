//! `push`: images to a registry.

use crate::Services;
use errors::Result;
use events::ImageAction;
use images::{Progress, Push, Pushed};
use oci::{Platform, Reference};
use registry::{Credentials, Purpose};
use std::sync::Arc;

/// What to push, and as whom.
#[derive(Debug, Clone)]
pub struct PushRequest {
    /// A name; without a tag it means all tags of the repository.
    pub reference: Reference,
    /// Of a name for several platforms only this one.
    pub platform: Option<Platform>,
    /// None: as anybody.
    pub credentials: Option<Credentials>,
}

/// Makes a registry have what a name means here, or with a bare name all tags of a repository. `done` hears of each tag.
///
/// # Errors
/// `NotFound` for a name that is not here or that the registry does not let this user write; `Unavailable` if it does not answer.
pub async fn push(
    services: &Arc<Services>,
    request: PushRequest,
    tell: &(dyn Fn(Progress) + Send + Sync),
    done: impl Fn(&str, &Pushed),
) -> Result<()> {
    let repository =
        services.registries().repository(&request.reference, request.credentials, Purpose::Push)?;
    // Docker tells it before it looks, so that what goes wrong from here on is told in the stream.
    let text = format!("The push refers to repository [{}]", request.reference.without_tag());
    tell(Progress::Note { tag: None, text });
    let references = if request.reference.is_name_only() {
        services.images.tags_of(&request.reference)?
    } else {
        vec![request.reference]
    };
    for reference in references {
        let name = reference.familiar();
        let push = Push {
            reference,
            platform: request.platform.clone(),
            uploads: services.settings().registry.max_concurrent_uploads,
        };
        let pushed = services.images.push(&repository, &push, tell).await?;
        done(push.reference.tag().unwrap_or(oci::DEFAULT_TAG), &pushed);
        if let Ok(image) = services.images.resolve(&name) {
            super::publish_as(services, ImageAction::Push, &image, &name, push.reference.familiar_name());
        }
    }
    Ok(())
}
