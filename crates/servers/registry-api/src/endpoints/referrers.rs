//! `GET /v2/<name>/referrers/<digest>` (end-12a, end-12b).

use super::{Answer, pages};
use crate::http::answer::{self, OCI_FILTERS_APPLIED};
use crate::http::query::Query;
use axum::http::{HeaderValue, header};
use oci::{Digest, media};
use repositories::{Descriptor, MAX_MANIFEST, Repositories, RepositoryName};
use serde_json::json;

/// What an index has besides its descriptors, generously.
const FRAME: usize = 1024;

pub(crate) async fn list(
    repositories: &Repositories,
    name: &RepositoryName,
    subject: &Digest,
    query: &Query,
) -> Answer {
    let kind = query.get("artifactType").filter(|kind| !kind.is_empty());
    let mut found = repositories.referrers(name, subject, kind).await?;
    if let Some(last) = query.get("last") {
        found.retain(|descriptor| descriptor.digest.as_str() > last);
    }
    let count = fitting(&found);
    let page = &found[..count];
    let document = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": page });
    let mut response = answer::json(media::INDEX, &document);
    if let (true, Some(last)) = (count < found.len(), page.last()) {
        let path = format!("/v2/{name}/referrers/{subject}");
        let filter = kind.map(|kind| ("artifactType", kind));
        let next = pages::next(&path, None, last.digest.as_str(), filter.as_slice());
        response.headers_mut().insert(header::LINK, next);
    }
    if kind.is_some() {
        response.headers_mut().insert(OCI_FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
    }
    Ok(response)
}

/// How many fit into one document that clients accept; at least one.
fn fitting(descriptors: &[Descriptor]) -> usize {
    let mut size = FRAME;
    let fit = descriptors.iter().take_while(|descriptor| {
        size += serde_json::to_vec(descriptor).map_or(0, |text| text.len() + 1);
        size <= MAX_MANIFEST
    });
    fit.count().max(descriptors.len().min(1))
}
