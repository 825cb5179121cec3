//! What registries say.

use crate::wire::registry::{Descriptor, Distribution, Found, LoggedIn, Platform, Remote};

/// The answer of `GET /distribution/{name}/json`.
pub(crate) fn distribution(said: images::Distribution) -> Distribution {
    let descriptor =
        Descriptor { media_type: said.media_type, digest: said.digest.to_string(), size: said.size };
    Distribution { descriptor, platforms: said.platforms.into_iter().map(platform).collect() }
}

/// The answer of `GET /container-runtime/manifest`.
pub(crate) fn remote(remote: engine::image::Remote) -> Remote {
    let manifest = remote.manifest;
    let size = manifest.bytes.len() as u64;
    Remote {
        descriptor: Descriptor { media_type: manifest.media_type, digest: manifest.digest.to_string(), size },
        raw: String::from_utf8_lossy(&manifest.bytes).into_owned(),
        platforms: remote.platforms.into_iter().map(platform).collect(),
    }
}

pub(super) fn platform(platform: oci::Platform) -> Platform {
    Platform { architecture: platform.architecture, os: platform.os, variant: platform.variant }
}

/// An element of `GET /images/search`.
pub(crate) fn found(found: registry::Found) -> Found {
    Found {
        star_count: found.star_count,
        is_official: found.is_official,
        name: found.name,
        is_automated: found.is_automated,
        description: found.description,
    }
}

/// The answer of `POST /auth`.
pub(crate) fn logged_in(accepted: registry::LoggedIn) -> LoggedIn {
    LoggedIn { identity_token: accepted.identity_token.unwrap_or_default(), status: accepted.status }
}
