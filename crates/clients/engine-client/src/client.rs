//! The client: a connection that is opened when needed, kept while idle, and speaks the negotiated version.

use crate::body::{self, Body, Upload};
use crate::connection::{self, Connection};
use crate::endpoint::{Endpoint, Transport};
use crate::error::{Error, Result};
use crate::hijack::Hijacked;
use crate::response::Response;
use crate::version::ApiVersion;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, UPGRADE, USER_AGENT};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Starts a daemon where none listens, once; the connection is tried again when it returns.
pub type Revive = Arc<dyn Fn(&Endpoint) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What a client is made from.
#[derive(Clone)]
pub struct Options {
    /// Where the daemon is.
    pub endpoint: Endpoint,
    /// A version to speak without asking (`DOCKER_API_VERSION`); `None` negotiates.
    pub version: Option<ApiVersion>,
    /// Sent with each request as `User-Agent`.
    pub user_agent: String,
    /// Further headers of each request (`HttpHeaders` of docker's configuration).
    pub headers: Vec<(String, String)>,
    /// Said when no daemon runs: a sentence that begins with a blank, or nothing.
    pub start_hint: String,
    /// What to do when no daemon runs.
    pub revive: Option<Revive>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("endpoint", &self.endpoint).field("version", &self.version).finish()
    }
}

/// What the daemon says of itself in the headers of `_ping`.
#[derive(Debug, Clone)]
pub struct Ping {
    /// The newest API version that it speaks.
    pub api_version: ApiVersion,
    /// `linux` or `windows`.
    pub os_type: String,
}

/// A client of one daemon.
#[derive(Debug)]
pub struct Client {
    options: Options,
    idle: Mutex<Option<SendRequest<Body>>>,
    ping: OnceLock<Ping>,
}

impl Client {
    /// Opens nothing yet.
    pub fn new(options: Options) -> Self {
        Self { options, idle: Mutex::new(None), ping: OnceLock::new() }
    }

    /// Where requests go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.options.endpoint
    }

    /// Asks the daemon who it is, at most once.
    pub async fn ping(&self) -> Result<Ping> {
        if let Some(ping) = self.ping.get() {
            return Ok(ping.clone());
        }
        let request = self.request(Method::HEAD, "/_ping");
        let response = request.dispatch("/_ping".to_owned()).await?;
        let ping = Ping {
            api_version: response
                .header("api-version")
                .and_then(|text| text.parse().ok())
                .unwrap_or(ApiVersion::UNTOLD),
            os_type: response.header("ostype").unwrap_or("linux").to_owned(),
        };
        Ok(self.ping.get_or_init(|| ping).clone())
    }

    /// The version that requests are made in: the fixed one, or the lower of both sides' newest.
    pub async fn version(&self) -> Result<ApiVersion> {
        match self.options.version {
            Some(version) => Ok(version),
            None => Ok(self.ping().await?.api_version.min(ApiVersion::NEWEST)),
        }
    }

    /// A `GET` of an unversioned path such as `/containers/json`.
    pub fn get(&self, path: impl AsRef<str>) -> Request<'_> {
        self.request(Method::GET, path)
    }

    /// A `HEAD`.
    pub fn head(&self, path: impl AsRef<str>) -> Request<'_> {
        self.request(Method::HEAD, path)
    }

    /// A `POST`.
    pub fn post(&self, path: impl AsRef<str>) -> Request<'_> {
        self.request(Method::POST, path)
    }

    /// A `PUT`.
    pub fn put(&self, path: impl AsRef<str>) -> Request<'_> {
        self.request(Method::PUT, path)
    }

    /// A `DELETE`.
    pub fn delete(&self, path: impl AsRef<str>) -> Request<'_> {
        self.request(Method::DELETE, path)
    }

    fn request(&self, method: Method, path: impl AsRef<str>) -> Request<'_> {
        Request {
            client: self,
            method,
            path: path.as_ref().to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: body::empty(),
        }
    }

    async fn connect(&self) -> Result<SendRequest<Body>> {
        let pooled = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = pooled.filter(SendRequest::is_ready) {
            return Ok(sender);
        }
        let open = || connection::open(&self.options.endpoint, &self.options.start_hint);
        let connection = match (open().await, &self.options.revive) {
            (Err(error), Some(revive)) if error.is_not_running() => {
                revive(&self.options.endpoint).await.map_err(Error::Revive)?;
                open().await?
            }
            (result, _) => result?,
        };
        self.handshake(connection).await
    }

    async fn handshake(&self, connection: Connection) -> Result<SendRequest<Body>> {
        let (sender, driver) = http1::handshake(TokioIo::new(connection))
            .await
            .map_err(|cause| Error::Http { method: "CONNECT".to_owned(), path: String::new(), cause })?;
        // Its failures reach the request through `sender`.
        tokio::spawn(driver.with_upgrades());
        Ok(sender)
    }

    fn keep(&self, sender: SendRequest<Body>) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    }
}

/// A request in the making.
#[must_use]
pub struct Request<'c> {
    client: &'c Client,
    method: Method,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Body,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.path, self.query)
    }
}

/// What may stand unescaped in a query's value.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Request<'_> {
    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(name);
        self.query.push('=');
        self.query.extend(utf8_percent_encode(value.as_ref(), QUERY));
        self
    }

    /// Adds `name=1` when `on`, as docker's client writes its booleans.
    pub fn flag(self, name: &str, on: bool) -> Self {
        if on { self.query(name, "1") } else { self }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets a JSON body.
    pub fn json_body(mut self, value: &impl Serialize) -> Result<Self> {
        let bytes =
            serde_json::to_vec(value).map_err(|cause| Error::Decode { path: self.path.clone(), cause })?;
        self.body = body::full(bytes);
        Ok(self.header(CONTENT_TYPE.as_str(), "application/json"))
    }

    /// Sets a streamed body.
    pub fn upload(mut self, upload: Upload, content_type: &str) -> Self {
        self.body = upload.into_body();
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// Sends it and waits for the header of the answer; an error status is an error.
    pub async fn send(self) -> Result<Response> {
        let version = self.client.version().await?;
        let uri = format!("/v{version}{}{}", self.path, self.query);
        refuse_errors(self.dispatch(uri).await?).await
    }

    /// Sends it and decodes the answer.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        self.send().await?.json().await
    }

    /// Sends it and reads the whole answer.
    pub async fn bytes(self) -> Result<Bytes> {
        self.send().await?.bytes().await
    }

    /// Sends it and reads its answer only to be done with it; says whether the state was there already (304).
    pub async fn done(self) -> Result<bool> {
        let response = self.send().await?;
        let unchanged = response.status() == StatusCode::NOT_MODIFIED.as_u16();
        response.bytes().await?;
        Ok(unchanged)
    }

    /// Sends it asking for a raw connection.
    pub async fn hijack(self) -> Result<Hijacked> {
        let request = self.header(CONNECTION.as_str(), "Upgrade").header(UPGRADE.as_str(), "tcp");
        let response = request.send().await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS.as_u16() {
            return Err(Error::NotUpgraded { status: response.status() });
        }
        let content_type = response.header(CONTENT_TYPE.as_str()).map(str::to_owned);
        let (method, path) = ("POST".to_owned(), response.path.clone());
        let upgraded =
            hyper::upgrade::on(response.inner).await.map_err(|cause| Error::Http { method, path, cause })?;
        Hijacked::new(upgraded, content_type.as_deref())
    }

    async fn dispatch(self, uri: String) -> Result<Response> {
        let Self { client, method, path, headers, body, .. } = self;
        let mut sender = client.connect().await?;
        let mut request = hyper::Request::builder().method(method.clone()).uri(uri);
        request = request.header(HOST, host_header(client.endpoint()));
        request = request.header(USER_AGENT, client.options.user_agent.as_str());
        for (name, value) in client.options.headers.iter().chain(&headers) {
            request = request.header(name, value);
        }
        let request = request.body(body).map_err(|cause| Error::Form { path: path.clone(), cause })?;
        let inner = sender
            .send_request(request)
            .await
            .map_err(|cause| broken(client.endpoint(), cause, method.as_str(), &path))?;
        client.keep(sender);
        Ok(Response { inner, path })
    }
}

/// Tells the ways apart in which an exchange breaks before there is an answer.
fn broken(endpoint: &Endpoint, cause: hyper::Error, method: &str, path: &str) -> Error {
    let host = endpoint.to_string();
    let text = errors::chain(&cause);
    let over_tcp = matches!(endpoint.transport, Transport::Tcp { .. });
    match text.split_once("received fatal alert: ") {
        // With TLS 1.3 a refused certificate shows only now, after the handshake.
        Some((_, alert)) => Error::ClientCertificate { host, alert: alert.to_owned() },
        // A TLS server answers plain text with an alert record.
        None if cause.is_parse() && endpoint.tls.is_none() => Error::ServerWantsTls { host },
        None if over_tcp
            && endpoint.tls.is_none()
            && (cause.is_incomplete_message() || text.contains("reset")) =>
        {
            Error::ClosedAtOnce { host }
        }
        None => Error::Http { method: method.to_owned(), path: path.to_owned(), cause },
    }
}

/// The daemon ignores it over a unix socket; docker's client sends this name there.
fn host_header(endpoint: &Endpoint) -> HeaderValue {
    let text = match &endpoint.transport {
        Transport::Unix(_) => "api.moby.localhost".to_owned(),
        Transport::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
        Transport::Tcp { host, port } => format!("{host}:{port}"),
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("docker"))
}

/// Turns an error status into [`Error::Api`], with the daemon's message or, without one, the status line.
async fn refuse_errors(response: Response) -> Result<Response> {
    let status = response.inner.status();
    if status.is_success() || status.is_redirection() || status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    #[derive(serde::Deserialize)]
    struct Message {
        message: String,
    }
    let wants_tls = "Client sent an HTTP request to an HTTPS server";
    let path = response.path.clone();
    let bytes = response.bytes().await?;
    let message = match serde_json::from_slice::<Message>(&bytes) {
        Ok(Message { message }) => message.trim().to_owned(),
        Err(_) => String::from_utf8_lossy(&bytes).trim().to_owned(),
    };
    if message.starts_with(wants_tls) {
        return Err(Error::ServerWantsTls { host: path });
    }
    let message = if message.is_empty() {
        let reason = status.canonical_reason().unwrap_or("unknown status");
        format!("request returned {status_code} {reason} for {path}", status_code = status.as_u16())
    } else {
        message
    };
    Err(Error::Api { status: status.as_u16(), message })
}
