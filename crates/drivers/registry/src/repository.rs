//! One repository for one user: requests that authenticate themselves and go to the place that answers.

use crate::auth::{Challenge, Scheme, Wanted};
use crate::hosts::Endpoint;
use crate::{Client, Credentials, Purpose, RegistryError, Result, answer, origin, redirects};
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

impl Place {
    /// What it wanted to see last time.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
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

    /// Sends a request and answers a demand for authentication. Any answer but that is the caller's to judge. A body that
    /// can be sent only once is not sent again; the next request is authenticated as this one should have been.
    pub(crate) async fn send(&self, place: &Place, request: RequestBuilder) -> Result<Response> {
        let request = request.build().map_err(|error| answer::broken("GET", &place.endpoint.base, error))?;
        let again = request.try_clone();
        let known = place.authorization();
        let response = self.execute(place, request, known.clone()).await?;
        // Who a redirect led to is nobody to prove an identity to.
        if response.status() != StatusCode::UNAUTHORIZED
            || !origin::is_same(&place.endpoint.base, response.url())
        {
            return Ok(response);
        }
        let Some(challenge) = Challenge::of(response.headers()) else { return Ok(response) };
        let authorization = self.answer(place, &challenge, known.as_ref()).await?;
        let Some(authorization) = authorization else { return Ok(response) };
        let value = HeaderValue::from_str(&authorization)
            .map_err(|_| self.protocol(place, "the token cannot be sent in a header"))?;
        *place.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(value.clone());
        let Some(request) = again else { return Ok(response) };
        self.execute(place, request, Some(value)).await
    }

    async fn execute(
        &self,
        place: &Place,
        mut request: Request,
        authorization: Option<HeaderValue>,
    ) -> Result<Response> {
        // An upload may be sent to another server; the key to this one is not for that.
        let ours = origin::is_same(&place.endpoint.base, request.url());
        if let Some(mut value) = authorization.filter(|_| ours) {
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let streams = request.body().is_some_and(|body| body.as_bytes().is_none());
        let client = &self.inner.client;
        let http = if streams { client.http_to_send(&place.endpoint) } else { client.http(&place.endpoint) }?;
        let wanted = &place.endpoint.connection.headers;
        if wanted.is_empty() {
            let (method, url) = (request.method().to_string(), request.url().to_string());
            return http.execute(request).await.map_err(|error| answer::broken(&method, &url, error));
        }
        if ours {
            request.headers_mut().extend(wanted.clone());
        }
        redirects::follow(&http, request, &place.endpoint).await
    }

    /// What to send for a challenge; none: what was sent is all there is.
    async fn answer(
        &self,
        place: &Place,
        challenge: &Challenge,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<String>> {
        // Those of the registry, which whoever runs a mirror of it, or stands in its place, has no business with.
        let credentials = self.inner.credentials.as_ref().filter(|_| place.endpoint.is_origin);
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
