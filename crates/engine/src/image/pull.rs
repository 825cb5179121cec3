//! `pull`: images from a registry.

use crate::Services;
use errors::Result;
use events::ImageAction;
use images::{Progress, Pull, Pulled};
use oci::{Platform, Reference};
use registry::{Credentials, Purpose};
use std::sync::Arc;

/// What to pull, and as whom.
#[derive(Debug, Clone)]
pub struct PullRequest {
    /// A name; with neither tag nor digest it means all tags of the repository.
    pub reference: Reference,
    /// None: the host's.
    pub platform: Option<Platform>,
    /// None: as anybody.
    pub credentials: Option<Credentials>,
}

/// Makes an image be here as the registry has it now, or with a bare name all of a repository.
///
/// # Errors
/// `NotFound` for what the registry does not have or does not let this user have; `Unavailable` if it does not answer.
pub async fn pull(
    services: &Arc<Services>,
    request: PullRequest,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Vec<Pulled>> {
    let repository =
        services.registries().repository(&request.reference, request.credentials, Purpose::Pull)?;
    let wanted = request.reference.familiar();
    let references = if request.reference.is_name_only() {
        let tags = repository.tags().await?;
        tags.iter().map(|tag| request.reference.with_tag(tag)).collect::<Result<Vec<_>, _>>()?
    } else {
        vec![request.reference]
    };
    let mut all = Vec::new();
    for reference in references {
        let pull = Pull { reference, platform: request.platform.clone() };
        let pulled = services.images.pull(&repository, &pull, tell).await?;
        if let Some(image) = services.images.get(&pulled.id) {
            let name = pull.reference.familiar();
            let action = ImageAction::Pull;
            super::publish_as(services, action, &image, &name, pull.reference.familiar_name());
        }
        all.push(pulled);
    }
    let newer = all.iter().any(|pulled: &Pulled| pulled.newer);
    let status = if newer { "Downloaded newer image for" } else { "Image is up to date for" };
    tell(Progress::Note { tag: None, text: format!("Status: {status} {wanted}") });
    for warning in all.iter().filter_map(|pulled| pulled.warning.as_deref()) {
        tell(Progress::Note { tag: None, text: format!("WARNING: {warning}") });
    }
    crate::system::after_pull(services);
    Ok(all)
}
