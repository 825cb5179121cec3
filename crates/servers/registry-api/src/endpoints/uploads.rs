//! `/v2/<name>/blobs/uploads/…`: POST (end-4a to 4c, end-11), PATCH (end-5), PUT (end-6), GET (end-13), DELETE (end-14).

use super::Answer;
use crate::http::answer::{self, created, progress};
use crate::http::query::Query;
use crate::http::refusal::{Code, Refusal};
use crate::http::{fields, range, receive, route};
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use oci::Digest;
use repositories::{Mounted, Repositories, RepositoryError, RepositoryName, Session, UploadId};

/// Begins an upload; or does it at once, if the digest is there and so the content; or mounts a blob.
///
/// `anonymous` says whether a blob may be mounted from wherever it is.
pub(crate) async fn begin(
    repositories: &Repositories,
    name: &RepositoryName,
    query: &Query,
    body: Body,
    anonymous: bool,
) -> Answer {
    if let Some(digest) = query.get("mount").map(route::digest).transpose()?
        && mount(repositories, name, &digest, query.get("from"), anonymous).await? == Mounted::Yes
    {
        return Ok(created(&location(name, &digest), &digest));
    }
    let digest = query.get("digest").map(route::digest).transpose()?;
    let algorithm = match (&digest, query.get("digest-algorithm")) {
        (Some(digest), _) => digest.algorithm(),
        (None, Some(algorithm)) => known_algorithm(algorithm)?,
        (None, None) => "sha256",
    };
    let mut session = repositories.begin_upload(name, algorithm).await?;
    let Some(digest) = digest else {
        let headers = progress(name, session.id(), session.size());
        session.pause().await?;
        return Ok(with(StatusCode::ACCEPTED, headers));
    };
    if let Err(refusal) = receive::into_upload(&mut session, body).await {
        // The client does not know its id: nobody will go on with it.
        session.cancel().await?;
        return Err(refusal);
    }
    session.commit(&digest).await?;
    Ok(created(&location(name, &digest), &digest))
}

async fn mount(
    repositories: &Repositories,
    name: &RepositoryName,
    digest: &Digest,
    from: Option<&str>,
    anonymous: bool,
) -> Result<Mounted, Refusal> {
    let from = match from {
        Some(from) => Some(from.parse()?),
        None if anonymous => repositories.holder(digest).await?,
        None => None,
    };
    match from {
        Some(from) => Ok(repositories.mount_blob(name, digest, &from).await?),
        None => Ok(Mounted::No),
    }
}

/// Appends a piece.
pub(crate) async fn patch(
    repositories: &Repositories,
    name: &RepositoryName,
    id: &UploadId,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut session = repositories.upload(name, id).await?;
    let received = append(name, &mut session, headers, body).await;
    let headers = progress(name, id, session.size());
    session.pause().await?;
    received?;
    Ok(with(StatusCode::ACCEPTED, headers))
}

/// Ends an upload, after a last piece if there is one.
pub(crate) async fn put(
    repositories: &Repositories,
    name: &RepositoryName,
    id: &UploadId,
    headers: &HeaderMap,
    query: &Query,
    body: Body,
) -> Answer {
    let digest = query.get("digest").ok_or_else(|| {
        Refusal::new(StatusCode::BAD_REQUEST, Code::DigestInvalid, "the parameter digest is missing")
    })?;
    let digest = route::digest(digest)?;
    let mut session = repositories.upload(name, id).await?;
    if let Err(refusal) = append(name, &mut session, headers, body).await {
        session.pause().await?;
        return Err(refusal);
    }
    session.commit(&digest).await?;
    Ok(created(&location(name, &digest), &digest))
}

pub(crate) async fn status(repositories: &Repositories, name: &RepositoryName, id: &UploadId) -> Answer {
    let session = repositories.upload(name, id).await?;
    let headers = progress(name, id, session.size());
    session.pause().await?;
    Ok(with(StatusCode::NO_CONTENT, headers))
}

pub(crate) async fn cancel(repositories: &Repositories, name: &RepositoryName, id: &UploadId) -> Answer {
    repositories.upload(name, id).await?.cancel().await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// Appends a body that lies where its headers say.
async fn append(
    name: &RepositoryName,
    session: &mut Session,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), Refusal> {
    let announced = match fields::text(headers, header::CONTENT_RANGE) {
        None => None,
        Some(text) => Some(range::sent(text).ok_or_else(|| {
            let message = format!("Content-Range '{text}' is not FIRST-LAST");
            Refusal::new(StatusCode::BAD_REQUEST, Code::BlobUploadInvalid, message)
        })?),
    };
    let Some(announced) = announced else {
        return receive::into_upload(session, body).await.map(drop);
    };
    let expected = announced.end - announced.start;
    if announced.start != session.size() {
        let error = RepositoryError::UploadRange { expected: session.size(), found: announced.start };
        return Err(Refusal::from(error).with_headers(progress(name, session.id(), session.size())));
    }
    if let Some(found) = fields::length(headers).filter(|length| *length != expected) {
        return Err(RepositoryError::UploadSize { expected, found }.into());
    }
    let found = receive::into_upload(session, body).await?;
    if found == expected { Ok(()) } else { Err(RepositoryError::UploadSize { expected, found }.into()) }
}

fn known_algorithm(name: &str) -> Result<&str, Refusal> {
    if matches!(name, "sha256" | "sha384" | "sha512") {
        Ok(name)
    } else {
        let message = format!("digests by {name} are not supported");
        Err(Refusal::new(StatusCode::BAD_REQUEST, Code::DigestInvalid, message))
    }
}

fn location(name: &RepositoryName, digest: &Digest) -> String {
    format!("/v2/{name}/blobs/{digest}")
}

fn with(status: StatusCode, headers: HeaderMap) -> axum::http::Response<Body> {
    let mut response = answer::empty(status);
    *response.headers_mut() = headers;
    response
}
