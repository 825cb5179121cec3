//! Docker's `save` format: `manifest.json` lists configs, tags and layers by file name.

use super::assemble;
use super::scan::Scan;
use crate::commit::Haul;
use crate::{ImageError, Result};
use oci::Reference;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

pub(super) fn images(scan: &Scan) -> Result<Haul> {
    let items: Vec<Item> = scan.parse("manifest.json")?;
    let mut haul = Haul::default();
    for item in items {
        let document = scan.document(&item.config)?;
        let layers = item.layers.iter().flatten().map(|name| scan.layer(name)).collect::<Result<Vec<_>>>()?;
        let references = item.repo_tags.iter().flatten().map(|tag| reference(tag)).collect::<Result<_>>()?;
        let id = blobs::digest(document);
        haul.images.push(assemble(document, id, &layers, references)?);
        haul.held.extend(layers);
    }
    if haul.images.is_empty() {
        Err(ImageError::Layout { reason: "its manifest.json lists no image" })
    } else {
        Ok(haul)
    }
}

fn reference(tag: &str) -> Result<Reference> {
    let reference: Reference =
        tag.parse().map_err(|source| ImageError::BadTag { tag: tag.to_owned(), source })?;
    if reference.digest().is_some() { Err(ImageError::TagByDigest) } else { Ok(reference.or_latest()) }
}
