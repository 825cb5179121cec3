//! Requests to etcd: which member is asked, as whom, and what an answer that does not come means.

use super::Options;
use super::code::{DEADLINE_EXCEEDED, UNAUTHENTICATED, UNAVAILABLE};
use super::wire::{Complaint, Token};
use crate::{Result, StoreError};
use reqwest::{Certificate, Identity, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const CONNECT: Duration = Duration::from_secs(1);

/// Whether a request may be made again when its answer does not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// No member answered in time.
    Silent {
        reason: String,
        /// Whether a write may have been carried out, or may yet be.
        unknown: bool,
    },
    /// etcd said no.
    Refused(Complaint),
}

#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    endpoints: Vec<String>,
    /// The one that answered last.
    preferred: AtomicUsize,
    login: Option<(String, String)>,
    token: Mutex<Option<String>>,
    patience: Duration,
}

impl Client {
    pub(super) fn new(options: &Options) -> Result<Self> {
        // TLS comes with one provider of cryptography a process; that it has one already is no error.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bad = |reason: String| StoreError::BadOption { reason };
        if options.endpoints.is_empty() {
            return Err(bad("endpoints: name at least one, as http://127.0.0.1:2379".to_owned()));
        }
        let builder = || -> Result<reqwest::ClientBuilder> {
            let mut builder = reqwest::Client::builder()
                .connect_timeout(CONNECT)
                .hickory_dns(true)
                .no_proxy()
                .tcp_nodelay(true);
            if let Some(path) = &options.authority {
                let found = Certificate::from_pem_bundle(&read(path)?);
                builder = builder.tls_certs_only(found.map_err(|error| bad(told(path, &error)))?);
            }
            if let (Some(certificate), Some(key)) = (&options.certificate, &options.key) {
                let pem = [read(certificate)?, b"\n".to_vec(), read(key)?].concat();
                let identity = Identity::from_pem(&pem).map_err(|error| bad(told(certificate, &error)))?;
                builder = builder.identity(identity);
            }
            Ok(builder)
        };
        let plain = options.endpoints.iter().all(|endpoint| endpoint.starts_with("http://"));
        // A machine without any certificate authority still reaches what needs none of them.
        let builder = if plain { builder()?.tls_certs_only([]) } else { builder()? };
        let http = builder.build().map_err(|error| bad(errors::chain(&error)))?;
        let mut endpoints = Vec::new();
        for endpoint in &options.endpoints {
            let base = endpoint.trim_end_matches('/');
            if !base.starts_with("http://") && !base.starts_with("https://") {
                return Err(bad(format!("endpoints: '{endpoint}' begins with neither http:// nor https://")));
            }
            endpoints.push(base.to_owned());
        }
        Ok(Self {
            http,
            endpoints,
            preferred: AtomicUsize::new(0),
            login: options.user.clone().zip(Some(options.password.clone().unwrap_or_default())),
            token: Mutex::new(None),
            patience: options.patience,
        })
    }

    /// Where etcd is, for messages.
    pub(super) fn places(&self) -> String {
        self.endpoints.join(", ")
    }

    /// What a failure is to a caller.
    pub(super) fn error(&self, action: &'static str, failure: Failure) -> StoreError {
        let endpoints = self.places();
        match failure {
            Failure::Silent { reason, unknown } => {
                StoreError::Unreachable { action, endpoints, reason, unknown }
            }
            Failure::Refused(Complaint { code, message }) => {
                StoreError::Refused { action, endpoints, code, message }
            }
        }
    }

    /// One request and its whole answer, in as long as [`Options::patience`].
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        kind: Kind,
    ) -> Result<T, Failure> {
        let end = Instant::now() + self.patience;
        let members = u32::try_from(self.endpoints.len()).unwrap_or(u32::MAX);
        let mut fresh_token = false;
        let mut last = Failure::Silent { reason: "no member was asked".to_owned(), unknown: false };
        let mut attempts = 0;
        while attempts < members {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // A read need not wait for a member that hangs, a write does: it is made once.
            let limit = if kind == Kind::Read { left / (members - attempts) } else { left };
            let asked = self.preferred.load(Ordering::Relaxed) % self.endpoints.len();
            let answer = match self.send(asked, path, body, Some(limit)).await {
                Ok(response) => decode(response, kind).await,
                Err(failure) => Err(failure),
            };
            match answer {
                Ok(value) => return Ok(value),
                Err(Failure::Refused(complaint)) if is_stale_token(&complaint) && !fresh_token => {
                    *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    fresh_token = true;
                }
                Err(refused @ Failure::Refused(_)) => return Err(refused),
                Err(Failure::Silent { reason, unknown }) => {
                    self.preferred.store(asked + 1, Ordering::Relaxed);
                    attempts += 1;
                    let unknown = unknown && kind == Kind::Write;
                    last = Failure::Silent { reason, unknown };
                    if unknown {
                        break;
                    }
                }
            }
        }
        Err(last)
    }

    /// A request whose answer is a stream without end.
    pub(super) async fn stream(&self, path: &str, body: &Value) -> Result<Response, Failure> {
        let asked = self.preferred.load(Ordering::Relaxed) % self.endpoints.len();
        let opened = tokio::time::timeout(self.patience, self.send(asked, path, body, None)).await;
        let silent = |reason: String| Failure::Silent { reason, unknown: false };
        opened.unwrap_or_else(|_| Err(silent("the watch was not opened in time".to_owned())))
    }

    async fn send(
        &self,
        asked: usize,
        path: &str,
        body: &Value,
        limit: Option<Duration>,
    ) -> Result<Response, Failure> {
        let token = self.token(asked).await?;
        self.request(asked, path, body, token.as_deref(), limit).await
    }

    async fn request(
        &self,
        asked: usize,
        path: &str,
        body: &Value,
        token: Option<&str>,
        limit: Option<Duration>,
    ) -> Result<Response, Failure> {
        let mut request =
            self.http.post(format!("{}/v3/{path}", self.endpoints[asked])).body(body.to_string());
        if let Some(limit) = limit {
            request = request.timeout(limit);
        }
        if let Some(token) = token {
            request = request.header("Authorization", token);
        }
        let response = request.send().await.map_err(silence)?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.map_err(silence)?;
        let Ok(complaint) = serde_json::from_str::<Complaint>(&text) else {
            let message = format!("{status}: is this etcd 3.4 or later, with its gRPC gateway on?");
            return Err(Failure::Refused(Complaint { code: 0, message }));
        };
        // Between two leaders nobody knows what becomes of a write.
        if matches!(complaint.code, UNAVAILABLE | DEADLINE_EXCEEDED) {
            return Err(Failure::Silent { reason: complaint.message, unknown: true });
        }
        Err(Failure::Refused(complaint))
    }

    /// What shows who we are, if etcd wants to know.
    async fn token(&self, asked: usize) -> Result<Option<String>, Failure> {
        let Some((name, password)) = &self.login else { return Ok(None) };
        if let Some(token) = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(Some(token));
        }
        let body = json!({ "name": name, "password": password });
        let response = self.request(asked, "auth/authenticate", &body, None, Some(self.patience)).await;
        let response = response.map_err(|failure| match failure {
            // Nothing but the question who we are was sent.
            Failure::Silent { reason, .. } => Failure::Silent { reason, unknown: false },
            refused @ Failure::Refused(_) => refused,
        })?;
        let token = decode::<Token>(response, Kind::Read).await?.token;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(Some(token))
    }
}

async fn decode<T: DeserializeOwned>(response: Response, kind: Kind) -> Result<T, Failure> {
    let bytes = response.bytes().await.map_err(silence)?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::Silent {
        reason: format!("read its answer: {error}"),
        unknown: kind == Kind::Write,
    })
}

fn silence(error: reqwest::Error) -> Failure {
    let unknown = !error.is_connect() && !error.is_builder();
    let reason =
        if error.is_timeout() { "no answer in time".to_owned() } else { errors::chain(&error.without_url()) };
    Failure::Silent { reason, unknown }
}

/// etcd forgets tokens after some minutes, and all of them when it starts anew.
fn is_stale_token(complaint: &Complaint) -> bool {
    (complaint.code == UNAUTHENTICATED && complaint.message.contains("invalid auth token"))
        || complaint.message.contains("revision of auth store is old")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| StoreError::BadOption { reason: told(path, &error) })
}

fn told(path: &Path, error: &(dyn std::error::Error + 'static)) -> String {
    format!("{}: {}", path.display(), errors::chain(error))
}
