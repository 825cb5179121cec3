//! From paths to end-points ("Endpoints"). Names have slashes in them, so paths are read from their end.

use crate::http::refusal::{Code, Refusal};
use axum::http::StatusCode;
use oci::Digest;
use percent_encoding::percent_decode_str;
use repositories::{RepositoryError, RepositoryName, Target, UploadId};

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/v2/`
    Ping,
    /// `/v2/_catalog`
    Catalog,
    /// `/auth/token`
    Token,
    /// `/v2/<name>/tags/list`
    Tags(RepositoryName),
    /// `/v2/<name>/manifests/<tag or digest>`
    Manifest(RepositoryName, Target),
    /// `/v2/<name>/blobs/<digest>`
    Blob(RepositoryName, Digest),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`
    Upload(RepositoryName, UploadId),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(RepositoryName, Digest),
}

/// Where tokens are had.
pub(crate) const TOKEN_PATH: &str = "/auth/token";

impl Route {
    /// The end-point of a request's path.
    pub(crate) fn parse(path: &str) -> Result<Self, Refusal> {
        let path = percent_decode_str(path).decode_utf8().map_err(|_| no_such_page())?;
        match &*path {
            TOKEN_PATH => return Ok(Self::Token),
            "/v2" | "/v2/" => return Ok(Self::Ping),
            "/v2/_catalog" => return Ok(Self::Catalog),
            _ => {}
        }
        let parts: Vec<_> = path.strip_prefix("/v2/").ok_or_else(no_such_page)?.split('/').collect();
        match *parts {
            [ref name @ .., "tags", "list"] => Ok(Self::Tags(repository(name)?)),
            [ref name @ .., "blobs", "uploads"] | [ref name @ .., "blobs", "uploads", ""] => {
                Ok(Self::Uploads(repository(name)?))
            }
            [ref name @ .., "blobs", "uploads", id] => Ok(Self::Upload(repository(name)?, id.parse()?)),
            [ref name @ .., "blobs", text] => Ok(Self::Blob(repository(name)?, digest(text)?)),
            [ref name @ .., "referrers", text] => Ok(Self::Referrers(repository(name)?, digest(text)?)),
            [ref name @ .., "manifests", target] => Ok(Self::Manifest(repository(name)?, target.parse()?)),
            _ => Err(no_such_page()),
        }
    }

    /// The repository that it is about.
    pub(crate) fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Ping | Self::Catalog | Self::Token => None,
            Self::Tags(name)
            | Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _)
            | Self::Referrers(name, _) => Some(name),
        }
    }
}

fn repository(parts: &[&str]) -> Result<RepositoryName, Refusal> {
    Ok(parts.join("/").parse()?)
}

/// A digest that a client wrote.
pub(crate) fn digest(text: &str) -> Result<Digest, Refusal> {
    Ok(text.parse().map_err(|source| RepositoryError::Digest { source })?)
}

fn no_such_page() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, Code::Unsupported, "there is no such page")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    #[test]
    fn paths_are_read_from_their_end() {
        let digest: Digest = format!("sha256:{}", "0a".repeat(32)).parse().unwrap();
        let target = Target::Digest(digest.clone());
        for (path, route) in [
            ("/v2/".to_owned(), Route::Ping),
            ("/v2/_catalog".to_owned(), Route::Catalog),
            ("/v2/a/b/tags/list".to_owned(), Route::Tags(name("a/b"))),
            ("/v2/tags/list/tags/list".to_owned(), Route::Tags(name("tags/list"))),
            ("/v2/a/blobs/uploads/".to_owned(), Route::Uploads(name("a"))),
            ("/v2/a/blobs/uploads".to_owned(), Route::Uploads(name("a"))),
            (format!("/v2/a/blobs/{digest}"), Route::Blob(name("a"), digest.clone())),
            (format!("/v2/a%2Fb/blobs/sha256%3A{}", digest.hex()), Route::Blob(name("a/b"), digest.clone())),
            (format!("/v2/a/referrers/{digest}"), Route::Referrers(name("a"), digest.clone())),
            (format!("/v2/manifests/manifests/{digest}"), Route::Manifest(name("manifests"), target)),
        ] {
            assert_eq!(Route::parse(&path).unwrap(), route, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_of_ours_is_refused() {
        for (path, status) in [
            ("/", 404),
            ("/v1/", 404),
            ("/v2/a", 404),
            ("/v2/tags/list", 400),
            ("/v2/../../etc/passwd/tags/list", 400),
            ("/v2/a/%2e%2e/b/tags/list", 400),
            ("/v2/A/tags/list", 400),
            ("/v2/a/blobs/sha256:00", 400),
            ("/v2/a/blobs/../../x", 404),
            ("/v2/a/blobs/uploads/..", 404),
            ("/v2/a/manifests/.x", 400),
            ("/v2/%ff/tags/list", 404),
        ] {
            assert_eq!(Route::parse(path).unwrap_err().status().as_u16(), status, "{path}");
        }
    }
}
