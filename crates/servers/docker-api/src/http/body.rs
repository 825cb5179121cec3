//! JSON bodies: unknown fields are ignored, wrong types are named by their path.

use crate::http::answer::Refusal;
use crate::http::heap;
use crate::http::lenient::Lenient;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::{HeaderMap, header};
use errors::{Class, Classified};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The largest JSON document taken, in bytes: a create request with a seccomp profile has some 20 kB.
const LIMIT: usize = 8 << 20;

/// A JSON body that must be there.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

/// A JSON body that must be there, read as two things: what each does not know, it leaves to the other.
#[derive(Debug)]
pub(crate) struct JsonBodyOf<A, B>(pub(crate) A, pub(crate) B);

/// A JSON body that may be absent, `null` or empty: then it is the default.
#[derive(Debug)]
pub(crate) struct OptionalJson<T>(pub(crate) T);

/// A body that can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// Not declared as JSON.
    #[error("unsupported Content-Type header ({found}): must be 'application/json'")]
    ContentType { found: String },
    /// Nothing there.
    #[error("invalid JSON: got EOF while reading request body")]
    Empty,
    /// Not JSON.
    #[error("invalid JSON")]
    Syntax(#[source] serde_json::Error),
    /// JSON, but a value has the wrong type.
    #[error("invalid JSON: field '{path}'")]
    Field {
        path: String,
        #[source]
        cause: serde_json::Error,
    },
    /// Something after the document.
    #[error("unexpected content after JSON")]
    Trailing,
    /// The connection broke, or the document is too large.
    #[error("read the request body")]
    Read(#[source] axum::extract::rejection::BytesRejection),
}

impl Classified for BodyError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        decoded(request, state, |bytes| Ok(Self(decode(bytes)?))).await
    }
}

impl<S: Send + Sync, A: DeserializeOwned, B: DeserializeOwned> FromRequest<S> for JsonBodyOf<A, B> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        decoded(request, state, |bytes| Ok(Self(decode(bytes)?, decode(bytes)?))).await
    }
}

/// What is read from a body, which is dropped then.
async fn decoded<S: Send + Sync, T>(
    request: Request,
    state: &S,
    read: impl FnOnce(&[u8]) -> Result<T, BodyError>,
) -> Result<T, Refusal> {
    let bytes = present(request, state).await?;
    let value = read(&bytes)?;
    let length = bytes.len();
    drop(bytes);
    heap::after_reading(length);
    Ok(value)
}

/// A body that is declared as JSON, and there.
async fn present<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Refusal> {
    let (declared, bytes) = read(request, state).await?;
    declared?;
    if is_blank(&bytes) {
        return Err(BodyError::Empty.into());
    }
    Ok(bytes)
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let (declared, bytes) = read(request, state).await?;
        if is_blank(&bytes) {
            return Ok(Self(T::default()));
        }
        declared?;
        Ok(Self(decode::<Option<T>>(&bytes)?.unwrap_or_default()))
    }
}

async fn read<S: Send + Sync>(
    mut request: Request,
    state: &S,
) -> Result<(Result<(), BodyError>, Bytes), BodyError> {
    DefaultBodyLimit::max(LIMIT).apply(&mut request);
    let declared = check_type(request.headers());
    let bytes = Bytes::from_request(request, state).await.map_err(BodyError::Read)?;
    Ok((declared, bytes))
}

fn check_type(headers: &HeaderMap) -> Result<(), BodyError> {
    let found = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?")).unwrap_or("");
    let essence = found.split(';').next().unwrap_or_default().trim();
    // curl's `-d` without a header says "form"; Docker refuses it, and so do we: it tells people what to add.
    if found.is_empty() || essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(BodyError::ContentType { found: found.to_owned() })
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

/// One JSON document and nothing after it.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let text = <&RawValue>::deserialize(&mut deserializer).map_err(BodyError::Syntax)?;
    deserializer.end().map_err(|_| BodyError::Trailing)?;
    // Where a value has the wrong type is found out only if one has: to know at each where it is takes longer than to read it.
    T::deserialize(Lenient::new(text)).or_else(|_| with_path(text))
}

fn with_path<T: DeserializeOwned>(text: &RawValue) -> Result<T, BodyError> {
    serde_path_to_error::deserialize(Lenient::new(text)).map_err(|error| {
        let path = error.path().to_string();
        match error.into_inner() {
            cause if path == "." => BodyError::Syntax(cause),
            cause => BodyError::Field { path, cause },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn wrong_types_are_named_by_their_path() {
        type Document = BTreeMap<String, Vec<u32>>;
        let error = decode::<Document>(br#"{"a":[1,"x"]}"#).unwrap_err();
        assert!(matches!(&error, BodyError::Field { path, .. } if path == "a[1]"), "{error:?}");
        assert!(matches!(decode::<Document>(b"{").unwrap_err(), BodyError::Syntax(_)));
        assert!(matches!(decode::<Document>(b"{} {}").unwrap_err(), BodyError::Trailing));
    }
}
