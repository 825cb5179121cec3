//! Manifests and indexes (distribution specification, "Pulling manifests", "Pushing manifests").

use crate::repository::Place;
use crate::{RegistryError, Repository, Result, answer};
use oci::{Digest, media};
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, Response, StatusCode};
use sha2::Digest as _;

/// The specification asks registries to take 4 MiB; more is no manifest.
const MAX_MANIFEST: u64 = 4 << 20;

/// What we understand, and what others store.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1";

/// Which manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The one that a tag names now.
    Tag(String),
    /// One whose content is known by its digest.
    Digest(Digest),
}

impl Target {
    fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag,
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

/// A manifest or index as the registry has it.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// What the registry says that it is.
    pub media_type: String,
    /// Of the bytes.
    pub digest: Digest,
    /// The document, byte for byte.
    pub bytes: Vec<u8>,
}

impl Repository {
    /// Fetches a manifest and compares it with its digest.
    ///
    /// # Errors
    /// [`RegistryError::ManifestUnknown`], [`RegistryError::Denied`], [`RegistryError::Unreachable`] and others.
    pub async fn manifest(&self, target: &Target) -> Result<Manifest> {
        self.anywhere(|number| async move {
            let place = &self.places()[number];
            let response = self.ask(place, Method::GET, target).await?;
            self.read(response, target).await
        })
        .await
    }

    /// The digest, media type and size of a manifest, without its content; none where the registry does not say them or
    /// the manifest does not exist.
    pub async fn head_manifest(&self, target: &Target) -> Result<Option<(Digest, String, u64)>> {
        let asked = self.anywhere(|number| async move {
            let response = self.ask(&self.places()[number], Method::HEAD, target).await?;
            let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
            let digest = header("docker-content-digest").and_then(|text| text.parse().ok());
            let size = header(CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
            Ok((digest, header(CONTENT_TYPE.as_str()), size))
        });
        match asked.await {
            Ok((Some(digest), Some(media_type), Some(size))) => Ok(Some((digest, media_type, size))),
            Ok(_) | Err(RegistryError::ManifestUnknown { .. } | RegistryError::NameUnknown { .. }) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Stores a manifest under a tag or its digest. All that it names must be there.
    pub async fn put_manifest(&self, target: &Target, media_type: &str, bytes: &[u8]) -> Result<()> {
        self.anywhere(|number| async move {
            let place = &self.places()[number];
            let request = self.request(place, Method::PUT, &format!("manifests/{}", target.as_str()))?;
            let request = request.header(CONTENT_TYPE, media_type).body(bytes.to_vec());
            let response = self.send(place, request).await?;
            if response.status().is_success() { Ok(()) } else { Err(self.refused(response, "PUT").await) }
        })
        .await
    }

    async fn ask(&self, place: &Place, method: Method, target: &Target) -> Result<Response> {
        let verb = method.to_string();
        let request = self.request(place, method, &format!("manifests/{}", target.as_str()))?;
        let response = self.send(place, request.header(ACCEPT, ACCEPTED)).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let missing = response.status() == StatusCode::NOT_FOUND;
        Err(match self.refused(response, &verb).await {
            RegistryError::Refused { message, .. } if missing => {
                RegistryError::ManifestUnknown { name: self.familiar(target), message }
            }
            other => other,
        })
    }

    fn familiar(&self, target: &Target) -> String {
        let name = self.name().familiar_name();
        match target {
            Target::Tag(tag) => format!("{name}:{tag}"),
            Target::Digest(digest) => format!("{name}@{digest}"),
        }
    }

    async fn read(&self, response: Response, target: &Target) -> Result<Manifest> {
        let url = response.url().to_string();
        let header = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let announced = header.map(|text| text.split(';').next().unwrap_or(text).trim().to_owned());
        let what = || format!("the manifest of {}", self.familiar(target));
        let bytes = answer::body(response, MAX_MANIFEST, what).await?;
        let digest = match target {
            Target::Digest(expected) => {
                let found = digest_like(expected, &bytes);
                if found != *expected {
                    let (name, expected) = (self.familiar(target), expected.clone());
                    return Err(RegistryError::Mismatch { name, expected, found });
                }
                found
            }
            Target::Tag(_) => Digest::sha256(sha2::Sha256::digest(&bytes).into()),
        };
        let media_type = media::of_document(&bytes).or(announced);
        let media_type = media_type.ok_or_else(|| RegistryError::Protocol {
            url,
            reason: "neither the answer nor the document says what kind of manifest it is".to_owned(),
        })?;
        Ok(Manifest { media_type, digest, bytes })
    }
}

/// The digest of `bytes` by the algorithm of `other`.
pub(crate) fn digest_like(other: &Digest, bytes: &[u8]) -> Digest {
    match other.algorithm() {
        "sha512" => Digest::sha512(sha2::Sha512::digest(bytes).into()),
        "sha384" => Digest::sha384(sha2::Sha384::digest(bytes).into()),
        _ => Digest::sha256(sha2::Sha256::digest(bytes).into()),
    }
}
