//! OCI image layouts: `index.json` leads by digests to manifests, and those to configs and layers.

use super::assemble;
use super::scan::Scan;
use crate::commit::Haul;
use crate::manifest::blob_of;
use crate::pull::digest_of;
use crate::{ImageError, Result};
use oci::{Descriptor, ImageIndex, ImageManifest, Platform, Reference, media};
use std::collections::BTreeMap;

/// Indexes within indexes.
const MAX_DEPTH: usize = 4;
/// Of buildkit: a manifest that describes another one.
const ATTESTATION: &str = "vnd.docker.reference.type";
/// The whole name, as containerd and buildkit write it.
const NAME: &str = "io.containerd.image.name";
/// A tag, or a whole name as skopeo and podman write it.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

pub(super) fn images(scan: &Scan, wanted: Option<&Platform>) -> Result<Haul> {
    let index: ImageIndex = scan.parse("index.json")?;
    let mut haul = Haul::default();
    let mut available = Vec::new();
    for group in by_name(index.manifests()).into_values() {
        let reference = group.first().and_then(|descriptor| name(descriptor));
        let mut choice = Vec::new();
        for descriptor in group {
            collect(scan, descriptor, None, MAX_DEPTH, &mut choice)?;
        }
        available.extend(choice.iter().map(|candidate| candidate.platform.clone()));
        for candidate in taken(choice, wanted) {
            haul.take(scan, candidate, reference.clone())?;
        }
    }
    if haul.images.is_empty() {
        return Err(ImageError::NoPlatform {
            wanted: wanted.cloned().unwrap_or_else(Platform::host),
            available,
        });
    }
    Ok(haul)
}

/// One image's manifest.
struct Candidate {
    descriptor: Descriptor,
    manifest: ImageManifest,
    platform: Platform,
    /// The index that lists it, if it is not the archive's own.
    index: Option<Descriptor>,
}

impl Haul {
    fn take(&mut self, scan: &Scan, candidate: Candidate, reference: Option<Reference>) -> Result<()> {
        let config = candidate.manifest.config();
        let document = scan.document(&blob(config))?;
        let layers = candidate.manifest.layers().iter().map(|layer| scan.layer(&blob(layer)));
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let id = blobs::digest(document);
        let mut image = assemble(document, id, &layers, reference.into_iter().collect())?;
        if let Some(index) = &candidate.index {
            self.documents.push(scan.document(&blob(index))?.to_owned());
            image.index = Some(blob_of(index)?);
        }
        // A manifest of plain layers is not one that can go out again: these are kept compressed.
        let mut blobs = candidate.manifest.layers().iter().map(digest_of);
        if blobs.all(|digest| digest.is_ok_and(|digest| scan.keeps(&digest))) {
            self.documents.push(scan.document(&blob(&candidate.descriptor))?.to_owned());
            image.descriptor = Some(candidate.descriptor);
        }
        self.images.push(image);
        self.held.extend(layers);
        Ok(())
    }
}

/// Descriptors that bear the same name offer a choice; those without a name stand for themselves.
fn by_name(descriptors: &[Descriptor]) -> BTreeMap<(String, usize), Vec<&Descriptor>> {
    let mut groups: BTreeMap<_, Vec<&Descriptor>> = BTreeMap::new();
    for (position, descriptor) in descriptors.iter().enumerate() {
        let key = match name(descriptor) {
            Some(reference) => (reference.to_string(), 0),
            None => (String::new(), position),
        };
        groups.entry(key).or_default().push(descriptor);
    }
    groups
}

/// Follows a descriptor down to manifests of images; others, such as attestations and artifacts, are passed over.
fn collect(
    scan: &Scan,
    descriptor: &Descriptor,
    within: Option<&Descriptor>,
    depth: usize,
    into: &mut Vec<Candidate>,
) -> Result<()> {
    if annotation(descriptor, ATTESTATION).is_some() {
        return Ok(());
    }
    let media_type = descriptor.media_type().to_string();
    if media::is_index(&media_type) {
        if depth == 0 {
            return Err(ImageError::Layout { reason: "its indexes are nested too deep" });
        }
        let index: ImageIndex = scan.parse(&blob(descriptor))?;
        let within = Some(within.unwrap_or(descriptor));
        return index.manifests().iter().try_for_each(|inner| collect(scan, inner, within, depth - 1, into));
    }
    if !media::is_manifest(&media_type) || !scan.has(&blob(descriptor)) && descriptor.platform().is_some() {
        // A layout may hold one platform of an index and still list the others.
        return Ok(());
    }
    let manifest: ImageManifest = scan.parse(&blob(descriptor))?;
    if !media::is_config(manifest.config().media_type().as_ref()) {
        return Ok(());
    }
    let config: oci::ImageConfig = scan.parse(&blob(manifest.config()))?;
    let (descriptor, index) = (plain(descriptor)?, within.cloned());
    into.push(Candidate { descriptor, manifest, platform: config.platform(), index });
    Ok(())
}

/// Of an index everything that is in the archive and can run on linux, so that it stays whole; of loose manifests the
/// best. With a wish that one.
fn taken(candidates: Vec<Candidate>, wanted: Option<&Platform>) -> Vec<Candidate> {
    let of_index = candidates.iter().any(|candidate| candidate.index.is_some());
    if of_index && wanted.is_none() {
        return candidates.into_iter().filter(|candidate| candidate.platform.os == "linux").collect();
    }
    best(candidates, wanted).into_iter().collect()
}

/// A descriptor without what an index says of its manifest.
fn plain(descriptor: &Descriptor) -> Result<Descriptor> {
    serde_json::from_value(crate::manifest::descriptor(&blob_of(descriptor)?))
        .map_err(|source| ImageError::BadDocument { name: "a descriptor".to_owned(), source })
}

/// The one that suits best; without a wish the host's, or whatever there is.
fn best(mut candidates: Vec<Candidate>, wanted: Option<&Platform>) -> Option<Candidate> {
    let host = Platform::host();
    let rank = |candidate: &Candidate| match wanted {
        Some(wanted) => (*wanted == candidate.platform).then_some(0),
        None => Some(host.rank(&candidate.platform).unwrap_or(usize::MAX)),
    };
    candidates.retain(|candidate| rank(candidate).is_some());
    let position = (0..candidates.len()).min_by_key(|&i| rank(&candidates[i]))?;
    Some(candidates.swap_remove(position))
}

/// The name that a descriptor gives its image. A tag alone names no repository.
fn name(descriptor: &Descriptor) -> Option<Reference> {
    let whole = annotation(descriptor, NAME);
    let text = whole.or_else(|| annotation(descriptor, REF_NAME).filter(|name| name.contains([':', '/'])))?;
    let reference: Reference = text.parse().ok()?;
    Some(match reference.digest() {
        Some(_) if reference.tag().is_none() => return None,
        Some(_) => reference.with_tag(reference.tag()?).ok()?,
        None => reference.or_latest(),
    })
}

fn annotation<'a>(descriptor: &'a Descriptor, key: &str) -> Option<&'a str> {
    descriptor.annotations().as_ref()?.get(key).map(String::as_str)
}

/// Name of the file that holds a blob. Whether a document is what the name says is checked when it is read, a layer when it comes by.
fn blob(descriptor: &Descriptor) -> String {
    let digest = descriptor.digest();
    format!("blobs/{}/{}", digest.algorithm(), digest.digest())
}
