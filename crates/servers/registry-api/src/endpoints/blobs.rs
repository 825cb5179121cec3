//! `/v2/<name>/blobs/<digest>`: GET and HEAD (end-2), DELETE (end-10).

use super::Answer;
use crate::http::answer::{self, CONTENT_DIGEST, entity_tag, value};
use crate::http::fields;
use crate::http::range::{Wanted, wanted};
use crate::http::refusal::{Code, Refusal};
use crate::source::Source;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use oci::Digest;
use repositories::{Repositories, RepositoryName};

pub(crate) async fn head(
    source: Source<'_>,
    name: &RepositoryName,
    digest: &Digest,
    headers: &HeaderMap,
) -> Answer {
    let size = source.blob_size(name, digest).await?;
    let known = answer::is_known(headers, digest);
    let mut response = answer::empty(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    describe(response.headers_mut(), digest);
    if !known {
        response.headers_mut().insert(header::CONTENT_LENGTH, size.into());
    }
    Ok(response)
}

pub(crate) async fn get(
    source: Source<'_>,
    name: &RepositoryName,
    digest: &Digest,
    headers: &HeaderMap,
) -> Answer {
    if answer::is_known(headers, digest) {
        return head(source, name, digest, headers).await;
    }
    let range = fields::text(headers, header::RANGE).filter(|_| if_range(headers, digest));
    let part = match range {
        None => Wanted::Whole,
        Some(range) => wanted(Some(range), source.blob_size(name, digest).await?),
    };
    let (status, range) = match part {
        Wanted::Whole => (StatusCode::OK, None),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, Some(range)),
        Wanted::Nothing => return Err(unsatisfiable(source.blob_size(name, digest).await?)),
    };
    let content = source.open_blob(name, digest, range.clone()).await?;
    let mut response = answer::empty(status);
    describe(response.headers_mut(), digest);
    let length = content.range.end - content.range.start;
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    if range.is_some() {
        let (first, last) = (content.range.start, content.range.end.saturating_sub(1));
        let text = format!("bytes {first}-{last}/{}", content.size);
        response.headers_mut().insert(header::CONTENT_RANGE, value(&text));
    }
    *response.body_mut() = Body::from_stream(content.body);
    Ok(response)
}

pub(crate) async fn delete(repositories: &Repositories, name: &RepositoryName, digest: &Digest) -> Answer {
    repositories.delete_blob(name, digest).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}

/// Whether a part is wanted of the content that this is (RFC 9110, section 13.1.5).
fn if_range(headers: &HeaderMap, digest: &Digest) -> bool {
    fields::text(headers, header::IF_RANGE).is_none_or(|tag| tag.trim_matches('"') == digest.as_str())
}

fn describe(headers: &mut HeaderMap, digest: &Digest) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=31536000"));
    headers.insert(header::ETAG, entity_tag(digest));
    headers.insert(CONTENT_DIGEST, value(digest.as_str()));
}

fn unsatisfiable(size: u64) -> Refusal {
    let message = format!("nothing of that range lies in the {size} bytes of the blob");
    Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, Code::SizeInvalid, message)
        .with_header(header::CONTENT_RANGE, value(&format!("bytes */{size}")))
}
