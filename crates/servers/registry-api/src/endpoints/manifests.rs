//! `/v2/<name>/manifests/<tag or digest>`: GET and HEAD (end-3), PUT (end-7a, end-7b), DELETE (end-9).

use super::Answer;
use crate::http::answer::{self, CONTENT_DIGEST, OCI_SUBJECT, OCI_TAG, created, entity_tag, value};
use crate::http::query::Query;
use crate::http::{fields, receive};
use crate::source::Source;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use oci::{Digest, media};
use repositories::{
    MAX_MANIFEST, Mirrored, Put, Repositories, RepositoryError, RepositoryName, Result, Stored, Tag, Target,
};

/// What a tag is served with whose upstream does not answer (RFC 7234, section 5.5.1).
const STALE: &str = "110 - \"Response is Stale\"";

/// GET; HEAD is the same, of which the server sends no body.
pub(crate) async fn get(
    source: Source<'_>,
    name: &RepositoryName,
    target: &Target,
    headers: &HeaderMap,
) -> Answer {
    let Mirrored { stored, stale } = source.manifest(name, target).await?;
    let stored = negotiate(source, name, target, headers, stored).await?;
    let known = answer::is_known(headers, &stored.digest);
    let mut response = answer::empty(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    let about = response.headers_mut();
    about.insert(header::CONTENT_TYPE, value(&stored.media_type));
    about.insert(CONTENT_DIGEST, value(stored.digest.as_str()));
    about.insert(header::ETAG, entity_tag(&stored.digest));
    if stale {
        about.insert(header::WARNING, HeaderValue::from_static(STALE));
    }
    if !known {
        about.insert(header::CONTENT_LENGTH, stored.content.len().into());
        *response.body_mut() = Body::from(stored.content);
    }
    Ok(response)
}

/// A client that understands no indexes gets the image for linux/amd64 of one, as from Docker's registry. Who asks for a
/// digest gets what has it, and who accepts nothing that there is sees that from the type.
async fn negotiate(
    source: Source<'_>,
    name: &RepositoryName,
    target: &Target,
    headers: &HeaderMap,
    stored: Stored,
) -> Result<Stored> {
    let wants_image =
        [media::MANIFEST, media::DOCKER_MANIFEST].iter().any(|kind| fields::accepts(headers, kind));
    let is_index = media::is_index(&stored.media_type);
    let served = matches!(target, Target::Digest(_)) || fields::accepts(headers, &stored.media_type);
    if served || !is_index || !wants_image {
        return Ok(stored);
    }
    match default_image(&stored) {
        Some(digest) => Ok(source.manifest(name, &Target::Digest(digest)).await?.stored),
        None => Ok(stored),
    }
}

fn default_image(index: &Stored) -> Option<Digest> {
    let index: oci::ImageIndex = serde_json::from_slice(&index.content).ok()?;
    let image = index.manifests().iter().find(|descriptor| {
        let platform = descriptor.platform().as_ref();
        platform.is_some_and(|platform| {
            platform.os().to_string() == "linux" && platform.architecture().to_string() == "amd64"
        })
    })?;
    image.digest().to_string().parse().ok()
}

pub(crate) async fn put(
    repositories: &Repositories,
    name: &RepositoryName,
    target: &Target,
    headers: &HeaderMap,
    query: &Query,
    body: Body,
) -> Answer {
    if let Some(length) = fields::length(headers).filter(|length| *length > MAX_MANIFEST as u64) {
        tracing::debug!(%name, length, "a manifest that is too large");
        return Err(RepositoryError::ManifestTooLarge { limit: MAX_MANIFEST }.into());
    }
    let content = receive::into_memory(body, MAX_MANIFEST).await?;
    let found = match target {
        Target::Digest(digest) => blobs::digest_as(digest, &content),
        Target::Tag(_) => blobs::digest(&content),
    };
    let mut tags: Vec<Tag> = query.all("tag").map(str::parse).collect::<Result<_>>()?;
    match target {
        Target::Digest(expected) if *expected != found => {
            return Err(RepositoryError::DigestMismatch { expected: expected.clone(), found }.into());
        }
        Target::Digest(_) => {}
        Target::Tag(tag) => tags.insert(0, tag.clone()),
    }
    let media_type = fields::media_type(headers).filter(|kind| !is_vague(kind)).map(str::to_owned);
    let named = tags.clone();
    let put = Put { content, digest: found.clone(), media_type, tags };
    let pushed = repositories.put_manifest(name, put).await?;
    let mut response = created(&format!("/v2/{name}/manifests/{found}"), &found);
    let about = response.headers_mut();
    if let Some(subject) = pushed.subject {
        about.insert(OCI_SUBJECT, value(subject.as_str()));
    }
    for tag in named.iter().filter(|_| matches!(target, Target::Digest(_))) {
        about.append(OCI_TAG, value(tag.as_str()));
    }
    about.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    Ok(response)
}

/// What programs say that have not been told the type: the document says it then.
fn is_vague(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/json" | "application/octet-stream" | "application/x-www-form-urlencoded"
    )
}

pub(crate) async fn delete(repositories: &Repositories, name: &RepositoryName, target: &Target) -> Answer {
    repositories.delete_manifest(name, target).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}
