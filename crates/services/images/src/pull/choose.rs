//! Which manifest of an index is wanted.

use crate::{ImageError, Result};
use oci::{Descriptor, ImageIndex, Platform, media};

/// Of buildkit: a manifest that describes another one.
const ATTESTATION: &str = "vnd.docker.reference.type";

/// The manifest for `wanted`, else for the host.
///
/// # Errors
/// [`ImageError::NoMatchingManifest`].
pub(crate) fn manifest<'a>(
    index: &'a ImageIndex,
    wanted: Option<&Platform>,
    name: &str,
) -> Result<&'a Descriptor> {
    let host = Platform::host();
    let asked = wanted.unwrap_or(&host);
    let ranked =
        index.manifests().iter().filter_map(|descriptor| Some((rank(descriptor, asked)?, descriptor)));
    let best = ranked.min_by_key(|(rank, _)| *rank).map(|(_, descriptor)| descriptor);
    best.ok_or_else(|| ImageError::NoMatchingManifest {
        name: name.to_owned(),
        wanted: asked.clone(),
        available: index.manifests().iter().filter(|d| is_image(d)).filter_map(platform).collect(),
    })
}

/// How well a manifest suits; an index without platforms (an old tool's) has one manifest that suits least.
fn rank(descriptor: &Descriptor, asked: &Platform) -> Option<usize> {
    if !is_image(descriptor) {
        return None;
    }
    match platform(descriptor) {
        Some(platform) => asked.rank(&platform),
        None => Some(usize::MAX),
    }
}

fn is_image(descriptor: &Descriptor) -> bool {
    let annotations = descriptor.annotations().as_ref();
    let media_type = descriptor.media_type().to_string();
    annotations.is_none_or(|annotations| !annotations.contains_key(ATTESTATION))
        && (media::is_manifest(&media_type) || media::is_index(&media_type))
}

/// The platform that an index gives a manifest; none also for what is unknown on purpose, as attestations are.
pub(crate) fn platform(descriptor: &Descriptor) -> Option<Platform> {
    let platform = descriptor.platform().as_ref()?;
    if platform.os().to_string() == "unknown" {
        return None;
    }
    let variant = platform.variant().as_deref().unwrap_or_default();
    Some(Platform::new(&platform.os().to_string(), &platform.architecture().to_string(), variant))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(platforms: &[&str]) -> ImageIndex {
        let manifests: Vec<_> = platforms
            .iter()
            .enumerate()
            .map(|(number, text)| {
                let parts: Vec<&str> = text.split('/').collect();
                let mut platform = serde_json::json!({"os": parts[0], "architecture": parts[1]});
                if let Some(variant) = parts.get(2) {
                    platform["variant"] = (*variant).into();
                }
                serde_json::json!({
                    "mediaType": media::MANIFEST, "size": number,
                    "digest": format!("sha256:{:064x}", number), "platform": platform,
                })
            })
            .collect();
        serde_json::from_value(serde_json::json!({"schemaVersion": 2, "manifests": manifests})).unwrap()
    }

    fn chosen(index: &ImageIndex, wanted: &str) -> Option<u64> {
        manifest(index, Some(&wanted.parse().unwrap()), "x").ok().map(Descriptor::size)
    }

    #[test]
    fn the_best_variant_for_a_platform_is_taken() {
        let index =
            index(&["linux/amd64", "linux/arm/v5", "linux/arm/v7", "linux/arm64/v8", "windows/amd64"]);
        assert_eq!(chosen(&index, "linux/amd64"), Some(0));
        assert_eq!(chosen(&index, "linux/arm/v6"), Some(1));
        assert_eq!(chosen(&index, "linux/arm/v7"), Some(2));
        assert_eq!(chosen(&index, "linux/arm64"), Some(3));
        assert_eq!(chosen(&index, "linux/s390x"), None);
    }
}
