//! Errors as clients see them ("Error Codes"): the one table from what went wrong to status and code.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use errors::{Class, Classified};
use registry::RegistryError;
use repositories::{RepositoryError, StorageError};
use serde_json::{Value, json};

/// The codes of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Unauthorized,
    Denied,
    Unsupported,
    TooManyRequests,
    /// What the specification has no code for: the registry's own trouble. The code is Docker's.
    Unknown,
}

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    code: Code,
    message: String,
    detail: Value,
    headers: HeaderMap,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Denied => "DENIED",
            Self::Unsupported => "UNSUPPORTED",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        let (message, detail, headers) = (message.into(), Value::Null, HeaderMap::new());
        Self(Box::new(Inner { status, code, message, detail, headers }))
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.append(name, value);
        self
    }

    pub(crate) fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.0.headers.extend(headers);
        self
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let Inner { status, code, message, detail, headers } = *self.0;
        let mut error = json!({ "code": code.as_str(), "message": message });
        if !detail.is_null() {
            error["detail"] = detail;
        }
        let mut response = Response::new(Body::from(json!({ "errors": [error] }).to_string()));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

/// The table.
fn place(error: &RepositoryError) -> (StatusCode, Code) {
    match error {
        RepositoryError::NameInvalid { .. } => (StatusCode::BAD_REQUEST, Code::NameInvalid),
        RepositoryError::TagInvalid { .. }
        | RepositoryError::ManifestInvalid { .. }
        | RepositoryError::ManifestMalformed { .. } => (StatusCode::BAD_REQUEST, Code::ManifestInvalid),
        RepositoryError::ManifestTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, Code::ManifestInvalid),
        RepositoryError::ReferencesUnknown { .. } => (StatusCode::BAD_REQUEST, Code::ManifestBlobUnknown),
        RepositoryError::NameUnknown { .. } => (StatusCode::NOT_FOUND, Code::NameUnknown),
        RepositoryError::BlobUnknown { .. } => (StatusCode::NOT_FOUND, Code::BlobUnknown),
        RepositoryError::ManifestUnknown { .. } => (StatusCode::NOT_FOUND, Code::ManifestUnknown),
        RepositoryError::UploadUnknown { .. } => (StatusCode::NOT_FOUND, Code::BlobUploadUnknown),
        RepositoryError::UploadBusy { .. } => (StatusCode::CONFLICT, Code::BlobUploadInvalid),
        RepositoryError::UploadRange { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, Code::BlobUploadInvalid),
        RepositoryError::UploadSize { .. } => (StatusCode::BAD_REQUEST, Code::SizeInvalid),
        RepositoryError::Digest { .. } | RepositoryError::DigestMismatch { .. } => {
            (StatusCode::BAD_REQUEST, Code::DigestInvalid)
        }
        RepositoryError::Random { .. } | RepositoryError::NoMirror => {
            (StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown)
        }
        RepositoryError::Upstream { source } => of_upstream(source),
        RepositoryError::Shared(error) => place(error),
        RepositoryError::Storage { source } => (of_storage(source), Code::Unknown),
    }
}

fn of_upstream(error: &RegistryError) -> (StatusCode, Code) {
    match error {
        RegistryError::ManifestUnknown { .. } => (StatusCode::NOT_FOUND, Code::ManifestUnknown),
        RegistryError::BlobUnknown { .. } => (StatusCode::NOT_FOUND, Code::BlobUnknown),
        RegistryError::NameUnknown { .. } | RegistryError::Denied { .. } => {
            (StatusCode::NOT_FOUND, Code::NameUnknown)
        }
        RegistryError::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests),
        error if error.class() == Class::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, Code::Unknown),
        _ => (StatusCode::BAD_GATEWAY, Code::Unknown),
    }
}

/// The failure of another registry, if it is one.
fn upstream(error: &RepositoryError) -> Option<&RegistryError> {
    match error {
        RepositoryError::Upstream { source } => Some(source),
        RepositoryError::Shared(error) => upstream(error),
        _ => None,
    }
}

fn of_storage(error: &StorageError) -> StatusCode {
    match error.class() {
        _ if error.is_full() => StatusCode::INSUFFICIENT_STORAGE,
        Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<RepositoryError> for Refusal {
    fn from(error: RepositoryError) -> Self {
        let (status, code) = place(&error);
        let detail = match &error {
            RepositoryError::ReferencesUnknown { missing, .. } => json!({ "missing": missing }),
            _ => Value::Null,
        };
        let message = if status.is_server_error() {
            tracing::error!(error = %errors::chain(&error), "a request failed");
            // Paths of this host are no client's business.
            match (upstream(&error), status) {
                (Some(source), _) => {
                    format!("the registry that this one is a mirror of does not serve: {}", source.in_short())
                }
                (None, StatusCode::INSUFFICIENT_STORAGE) => "the registry's disk is full".to_owned(),
                (None, _) => "the registry's storage failed; its log has the details".to_owned(),
            }
        } else {
            errors::chain(&error)
        };
        Self(Box::new(Inner { status, code, message, detail, headers: HeaderMap::new() }))
    }
}
