//! Images out of archives: docker's `save` format and OCI layouts in a tar stream.
//!
//! The stream is read once, from front to back, without a copy on disk. What says which file is a layer comes last in
//! most archives, so every file that looks like a layer is unpacked when it comes by, and dropped at the end if no
//! image needs it.

mod body;
mod docker;
mod layout;
mod scan;
mod turns;

pub(crate) use body::{Body, pump};
pub(crate) use scan::unpack_body;
pub(crate) use turns::Turns;

use crate::commit::{Haul, NewImage};
use crate::leases::Lease;
use crate::{ImageError, Images, Result};
use oci::{Digest, ImageConfig, Platform, Reference};
use scan::Scan;
use std::fmt;
use std::sync::Arc;
use tokio::io::AsyncRead;

/// What to take out of an archive.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Only images for this platform; none: the host's where an index offers a choice, else whatever is there.
    pub platform: Option<Platform>,
}

/// An image that `load` brought in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its id.
    pub id: Digest,
    /// The name that the archive gives it, if it does.
    pub reference: Option<Reference>,
    /// The image that had the name before and has lost it.
    pub replaced: Option<Digest>,
}

/// The line that `docker load` prints.
impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference {
            Some(reference) => write!(f, "Loaded image: {}", reference.familiar()),
            None => write!(f, "Loaded image ID: {}", self.id),
        }
    }
}

impl Images {
    /// Reads an archive, plain or compressed with gzip or zstd, to its end and takes in the images that it holds.
    ///
    /// All or nothing: an archive that is truncated, malformed or hostile leaves nothing behind, and so does a
    /// caller that drops the future. Only a few archives are read at a time; others wait for those, but not for one whose client
    /// sends nothing.
    pub async fn load(
        &self,
        body: impl AsyncRead + Send + 'static,
        options: LoadOptions,
    ) -> Result<Vec<Loaded>> {
        let this = self.clone();
        let haul = self.read_body(body, move |body| this.read_archive(body, &options)).await?;
        self.keep(haul).await
    }

    /// Lets `read` read a body, in its turn and on a thread of its own.
    pub(crate) async fn read_body<T: Send + 'static>(
        &self,
        body: impl AsyncRead + Send + 'static,
        read: impl FnOnce(Body) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.inner.turns.take().await?;
        let (sender, receiver) = Body::channel();
        let receiver = receiver.in_turn(turn);
        let read = offload::lasting("load", move || read(receiver));
        let (pumped, read) = tokio::join!(pump(body, sender), read);
        // A body that broke off is the cause of whatever the reader made of it.
        pumped?;
        read.map_err(|source| ImageError::Thread { source })?
    }

    /// Records what an archive brought and says what it was.
    pub(crate) async fn keep(&self, haul: Haul) -> Result<Vec<Loaded>> {
        let listed: Vec<(Digest, Vec<Reference>)> =
            haul.images.iter().map(|image| (image.id.clone(), image.references.clone())).collect();
        let moved = self.commit(haul).await?;
        let replaced =
            |name: &Reference| moved.iter().find(|moved| moved.name == *name).map(|moved| moved.from.clone());
        let mut loaded: Vec<Loaded> = Vec::new();
        for (id, references) in listed {
            if references.is_empty() {
                loaded.push(Loaded { id: id.clone(), reference: None, replaced: None });
            }
            for name in references {
                // Of several platforms the name is told once.
                if loaded.iter().all(|loaded| loaded.reference.as_ref() != Some(&name)) {
                    let replaced = replaced(&name);
                    loaded.push(Loaded { id: id.clone(), replaced, reference: Some(name) });
                }
            }
        }
        Ok(loaded)
    }

    pub(crate) fn read_archive(&self, body: Body, options: &LoadOptions) -> Result<Haul> {
        let scan = Scan::read(self, body)?;
        let mut haul = match (scan.has("manifest.json"), scan.has("index.json")) {
            // An archive that is both, as ours and docker's are: the layout knows platforms and manifests.
            (_, true) => layout::images(&scan, options.platform.as_ref()),
            (true, false) => filter_platform(docker::images(&scan)?, options.platform.as_ref()),
            (false, false) => Err(ImageError::NoManifest),
        }?;
        scan.hand_over(&mut haul);
        Ok(haul)
    }
}

/// Of an archive that lists images without their platforms, those whose config says the right one.
fn filter_platform(mut haul: Haul, wanted: Option<&Platform>) -> Result<Haul> {
    let Some(wanted) = wanted else { return Ok(haul) };
    let available = haul.images.iter().map(|image| image.config.platform()).collect();
    haul.images.retain(|image| image.config.platform() == *wanted);
    if haul.images.is_empty() {
        return Err(ImageError::NoPlatform { wanted: wanted.clone(), available });
    }
    Ok(haul)
}

/// Parses a config and puts an image together, if the layers are those that the config names.
pub(crate) fn assemble(
    document: &[u8],
    id: Digest,
    layers: &[Arc<Lease>],
    references: Vec<Reference>,
) -> Result<NewImage> {
    let config: ImageConfig = serde_json::from_slice(document)
        .map_err(|source| ImageError::BadDocument { name: format!("config {id}"), source })?;
    if !matches!(config.os.as_str(), "" | "linux") {
        return Err(ImageError::ForeignOs { os: config.os });
    }
    let expected = &config.rootfs.diff_ids;
    if expected.len() != layers.len() {
        return Err(ImageError::LayerCount { expected: expected.len(), found: layers.len() });
    }
    for (position, (expected, lease)) in expected.iter().zip(layers).enumerate() {
        if *expected != lease.diff_id {
            let (expected, found) = (expected.clone(), lease.diff_id.clone());
            return Err(ImageError::DiffId { position, expected, found });
        }
    }
    Ok(NewImage {
        id,
        document: document.to_owned(),
        config,
        references,
        parent: None,
        descriptor: None,
        index: None,
    })
}
