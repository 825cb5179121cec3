//! An image of one layer out of a root file system.

use crate::commit::{Haul, NewImage};
use crate::intake::Taken;
use crate::load::unpack_body;
use crate::{Image, ImageError, Images, Result, instructions};
use oci::{Digest, History, ImageConfig, Platform, Reference, RootFs};
use std::sync::Arc;
use tokio::io::AsyncRead;

/// What `import` makes of a root file system.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// The image's name; none: it stays nameless.
    pub reference: Option<Reference>,
    /// Dockerfile instructions: CMD, ENTRYPOINT, ENV, EXPOSE, WORKDIR, USER, LABEL, VOLUME, STOPSIGNAL, HEALTHCHECK,
    /// ONBUILD.
    pub changes: Vec<String>,
    /// For the history; empty: docker's `Imported from -`.
    pub message: String,
    /// None: the host's.
    pub platform: Option<Platform>,
}

impl Images {
    /// Makes an image of the tar stream `body`, plain or compressed with gzip or zstd.
    pub async fn import(&self, body: impl AsyncRead + Send + 'static, import: Import) -> Result<Arc<Image>> {
        let mut config = ImageConfig::default();
        for change in &import.changes {
            instructions::apply(&mut config.config, change)?;
        }
        if import.reference.as_ref().is_some_and(|reference| reference.digest().is_some()) {
            return Err(ImageError::TagByDigest);
        }
        let this = self.clone();
        let Taken { lease, kept } = self.read_body(body, move |body| unpack_body(&this, body)).await?;
        let diff_id = lease.diff_id.clone();
        describe(&mut config, import.message, import.platform, diff_id.clone());
        let document = serde_json::to_vec(&config)
            .map_err(|source| ImageError::BadDocument { name: "config".to_owned(), source })?;
        let id = blobs::digest(&document);
        let references = import.reference.into_iter().map(Reference::or_latest).collect();
        let (id, parent) = (id.clone(), None);
        let image =
            NewImage { id: id.clone(), document, config, references, parent, descriptor: None, index: None };
        let mut haul = Haul { images: vec![image], held: vec![lease], ..Haul::default() };
        if let Some(kept) = kept {
            haul.packed.push((diff_id, kept.blob));
            haul.pins.push(kept.pin);
        }
        self.commit(haul).await?;
        self.get(&id).ok_or_else(|| ImageError::NotFound { name: id.to_string() })
    }
}

fn describe(config: &mut ImageConfig, message: String, platform: Option<Platform>, diff_id: Digest) {
    let platform = platform.unwrap_or_else(Platform::host);
    let created = Some(jiff::Timestamp::now().to_string());
    let comment = if message.is_empty() { "Imported from -".to_owned() } else { message };
    config.architecture = platform.architecture;
    config.variant = platform.variant;
    config.os = platform.os;
    config.rootfs = RootFs { diff_ids: vec![diff_id], ..RootFs::default() };
    config.history =
        vec![History { created: created.clone(), comment: comment.clone(), ..History::default() }];
    config.comment = comment;
    config.created = created;
}
