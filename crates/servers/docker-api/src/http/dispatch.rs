//! From a request's path to its handler, and what all requests share: the version prefix, the headers of every
//! answer, and what is said where there is nothing.

use crate::http::answer::{Refusal, failure};
use crate::http::version::{self, ApiVersion, NEWEST, VersionError};
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use tower::ServiceExt;

/// Headers of every answer of a handler, as Docker spells them. Clients read the engine's kind and abilities off them.
pub(crate) const COMMON_HEADERS: [(&str, &str); 4] = [
    ("Api-Version", "1.51"),
    ("Docker-Experimental", "false"),
    ("Ostype", "linux"),
    ("Server", concat!("Docker/28.5.2 (linux) container-runtime/", env!("CARGO_PKG_VERSION"))),
];

/// The version in a request's path, as the client wrote it; none: it wrote none.
#[derive(Debug, Clone)]
struct Asked(Option<String>);

/// Answers one request: takes the version off the path, then lets the routes decide.
pub(crate) async fn dispatch(router: Router, mut request: Request) -> Response {
    let asked = match version::split_prefix(request.uri().path()) {
        None => None,
        Some((version, path)) => {
            let (version, path) = (version.to_owned(), path.to_owned());
            *request.uri_mut() = with_path(request.uri(), &path);
            Some(version)
        }
    };
    request.extensions_mut().insert(Asked(asked));
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn with_path(uri: &Uri, path: &str) -> Uri {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    text.parse().expect("a part of a valid path, from a slash on, is a valid path")
}

/// Around every known route: refuses versions out of range, tells handlers the version, and sets the headers.
pub(crate) async fn negotiate(mut request: Request, next: Next) -> Response {
    let asked = request.extensions().get::<Asked>().and_then(|asked| asked.0.clone());
    let mut response = match asked.as_deref().map_or(Ok(NEWEST), str::parse::<ApiVersion>) {
        Err(error) => refuse_version(error),
        Ok(version) => {
            request.extensions_mut().insert(version);
            next.run(request).await
        }
    };
    for (name, value) in COMMON_HEADERS {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a constant header name");
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Clients as old as that expect errors as text.
fn refuse_version(error: VersionError) -> Response {
    match error {
        VersionError::TooOld { .. } => (
            StatusCode::BAD_REQUEST,
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            Body::from(format!("{error}\n")),
        )
            .into_response(),
        VersionError::TooNew { .. } => Refusal::from(error).into_response(),
    }
}

/// For paths, and methods of paths, that there are not.
pub(crate) async fn not_found() -> Response {
    failure(StatusCode::NOT_FOUND, "page not found".to_owned())
}

/// The version a handler shall answer in.
impl<S: Sync> FromRequestParts<S> for ApiVersion {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(NEWEST))
    }
}
