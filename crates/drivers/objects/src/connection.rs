//! How requests to a store travel: with the HTTP client and the TLS that the rest of the program has.

use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use std::time::Duration;

/// Until a connection stands, and between two pieces of an answer.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Connector;

#[derive(Debug)]
struct Service(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        // TLS comes with one provider of cryptography a process; that it has one already is no error.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder =
            || reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE).hickory_dns(true);
        // A machine without any certificate authority still reaches what needs none of them.
        let built = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        let failed = |source| object_store::Error::Generic { store: "S3", source: Box::new(source) };
        Ok(HttpClient::new(Service(built.map_err(failed)?)))
    }
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = match body.as_bytes() {
            Some(bytes) => reqwest::Body::from(bytes.clone()),
            None => reqwest::Body::wrap(body),
        };
        let request = self.0.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
        let response = request.send().await.map_err(told)?;
        let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body.map_err(told))))
    }
}

/// What kind of failure it was: that decides whether the request is made again. The address is told by whoever asked.
fn told(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_decode() || error.is_builder() {
        HttpErrorKind::Decode
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error.without_url())
}
