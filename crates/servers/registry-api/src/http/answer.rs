//! Answers, and the headers that all have.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use oci::Digest;
use repositories::{RepositoryName, UploadId};
use serde::Serialize;

/// `Docker-Content-Digest`
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// `OCI-Subject`
pub(crate) const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// `OCI-Tag`
pub(crate) const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
/// `OCI-Filters-Applied`
pub(crate) const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
/// `Docker-Upload-UUID`
pub(crate) const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A JSON document.
pub(crate) fn json(media_type: &'static str, document: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(document) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            response
        }
        Err(error) => {
            tracing::error!(%error, "write an answer");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// A header whose value is ours: names, digests and numbers are all visible ASCII.
pub(crate) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// What was made: where it is, and what its digest is.
pub(crate) fn created(location: &str, digest: &Digest) -> Response<Body> {
    let mut response = empty(StatusCode::CREATED);
    response.headers_mut().insert(header::LOCATION, value(location));
    response.headers_mut().insert(CONTENT_DIGEST, value(digest.as_str()));
    response
}

/// How an upload stands: where to go on, and what is there. `Range` cannot say "nothing", and `0-0` is what clients know.
pub(crate) fn progress(name: &RepositoryName, id: &UploadId, size: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, value(&format!("/v2/{name}/blobs/uploads/{id}")));
    headers.insert(header::RANGE, value(&format!("0-{}", size.saturating_sub(1))));
    headers.insert(UPLOAD_ID, value(id.as_str()));
    headers
}

/// The entity tag of content: its digest never means anything else.
pub(crate) fn entity_tag(digest: &Digest) -> HeaderValue {
    value(&format!("\"{digest}\""))
}

/// Whether the client has it already (RFC 9110, section 13.1.2).
pub(crate) fn is_known(headers: &HeaderMap, digest: &Digest) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.trim_start_matches("W/").trim_matches('"') == digest.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_compared_weakly() {
        let digest = Digest::sha256([1; 32]);
        let known = |text: &str| {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, text.parse().unwrap())]);
            is_known(&headers, &digest)
        };
        assert!(known(&format!("\"x\", \"{digest}\"")) && known(&format!("W/\"{digest}\"")) && known("*"));
        assert!(!known("\"x\"") && !is_known(&HeaderMap::new(), &digest));
    }
}
