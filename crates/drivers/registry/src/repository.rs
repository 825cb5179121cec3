//! One repository for one user: requests that authenticate themselves and go to the place that answers.

use crate::auth::{Challenge, Scheme, Wanted};
use crate::hosts::Endpoint;
use crate::{Client, Credentials, Purpose, RegistryError, Result, answer};
use oci::Reference;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, RequestBuilder, Response, StatusCode};
use std::sync::{Arc, Mutex, PoisonError};

/// One repository for one user. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) name: Reference,
    pub(crate) purpose: Purpose,
    credentials: Option<Credentials>,
    places: Vec<Place>,
}

/// An endpoint, and what it wanted to see last time.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) endpoint: Endpoint,
    authorization: Mutex<Option<HeaderValue>>,
}

impl Repository {
    pub(crate) fn new(
        client: Client,
        name: &Reference,
        endpoints: Vec<Endpoint>,
        credentials: Option<Credentials>,
        purpose: Purpose,
    ) -> Self {
        let place = |endpoint| Place { endpoint, authorization: Mutex::default() };
        let places = endpoints.into_iter().map(place).collect();
        Self { inner: Arc::new(Inner { client, name: name.clone(), purpose, credentials, places }) }
    }

    /// The name that it was asked for by.
    pub fn name(&self) -> &Reference {
        &self.inner.name
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.inner.places
    }

    /// Runs `request` at one place after the other until one succeeds. The last error counts, but for mirrors: what the
    /// registry itself says is the truth.
    pub(crate) async fn anywhere<T, F: Future<Output = Result<T>>>(
        &self,
        request: impl Fn(usize) -> F,
    ) -> Result<T> {
        let mut failed = None;
        for (number, place) in self.places().iter().enumerate() {
            match request(number).await {
                Err(error) if error.tries_next() => {
                    if place.endpoint.is_mirror {
                        let error = errors::chain(&error);
                        tracing::warn!(mirror = place.endpoint.host(), name = %self.inner.name, %error, "a mirror does not serve");
                    }
                    // What speaks no TLS says so before anything else; then HTTP comes next.
                    let hidden = failed.is_some() && is_no_answer(&error);
                    if !hidden {
                        failed = Some(error);
                    }
                }
                done => {
                    if done.is_ok() && !place.endpoint.is_https() {
                        self.inner.client.speaks_plain(place.endpoint.host());
                    }
                    return done;
                }
            }
        }
        Err(failed.unwrap_or_else(|| RegistryError::BadHost { host: self.inner.name.domain().to_owned() }))
    }

    /// Sends a request and answers a demand for authentication. Any answer but that is the caller's to judge.
    pub(crate) async fn send(&self, place: &Place, request: RequestBuilder) -> Result<Response> {
        let request = request.build().map_err(|error| answer::broken("GET", &place.endpoint.base, error))?;
        let again = request.try_clone();
        let known = place.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let response = self.execute(place, request, known.clone()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let Some(challenge) = Challenge::of(response.headers()) else { return Ok(response) };
        let Some(request) = again else { return Ok(response) };
        let authorization = self.answer(place, &challenge, known.as_ref()).await?;
        let Some(authorization) = authorization else { return Ok(response) };
        let value = HeaderValue::from_str(&authorization)
            .map_err(|_| self.protocol(place, "the token cannot be sent in a header"))?;
        *place.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(value.clone());
        self.execute(place, request, Some(value)).await
    }

    async fn execute(
        &self,
        place: &Place,
        mut request: Request,
        authorization: Option<HeaderValue>,
    ) -> Result<Response> {
        if let Some(mut value) = authorization {
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let (method, url) = (request.method().to_string(), request.url().to_string());
        let http = self.inner.client.http(&place.endpoint)?;
        http.execute(request).await.map_err(|error| answer::broken(&method, &url, error))
    }

    /// What to send for a challenge; none: what was sent is all there is.
    async fn answer(
        &self,
        place: &Place,
        challenge: &Challenge,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<String>> {
        let credentials = self.inner.credentials.as_ref();
        if challenge.scheme == Scheme::Basic {
            let basic = credentials.and_then(Credentials::basic);
            let basic = basic
                .ok_or_else(|| RegistryError::NoCredentials { host: place.endpoint.host().to_owned() })?;
            return Ok((refused.and_then(|value| value.to_str().ok()) != Some(&basic)).then_some(basic));
        }
        let actions = if self.inner.purpose == Purpose::Push { "pull,push" } else { "pull" };
        let scope = format!("repository:{}:{actions}", place.endpoint.path);
        let wanted = Wanted::new(challenge, &[scope], credentials)
            .ok_or_else(|| self.protocol(place, "a challenge without a realm"))?;
        let stale =
            refused.and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
        let http = self.inner.client.http(&place.endpoint)?;
        let token = self.inner.client.inner.tokens.get(&http, &wanted, stale).await?;
        Ok((stale != Some(&token)).then(|| format!("Bearer {token}")))
    }

    fn protocol(&self, place: &Place, reason: &str) -> RegistryError {
        RegistryError::Protocol { url: place.endpoint.base.clone(), reason: reason.to_owned() }
    }

    /// A request below the repository: `manifests/latest`.
    pub(crate) fn request(
        &self,
        place: &Place,
        method: reqwest::Method,
        what: &str,
    ) -> Result<RequestBuilder> {
        let endpoint = &place.endpoint;
        let http = self.inner.client.http(endpoint)?;
        let request = http.request(method, format!("{}/{}/{what}", endpoint.base, endpoint.path));
        Ok(match &endpoint.namespace {
            Some(namespace) => request.query(&[("ns", namespace)]),
            None => request,
        })
    }

    /// The error of an answer, in the words of what was wanted.
    pub(crate) async fn refused(&self, response: Response, method: &str) -> RegistryError {
        let name = self.inner.name.familiar_name().to_owned();
        let action = if self.inner.purpose == Purpose::Push { "push" } else { "pull" };
        match answer::refused(response, method).await {
            RegistryError::Refused { status: 403, message, .. } => {
                RegistryError::Denied { action, name, message }
            }
            RegistryError::Unauthorized { message, .. } => RegistryError::Denied { action, name, message },
            RegistryError::Refused { status: 404, message, .. } if message.starts_with("name unknown") => {
                RegistryError::NameUnknown { name, message }
            }
            other => other,
        }
    }
}

/// Whether there was no answer at all.
fn is_no_answer(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Unreachable { .. })
}
