//! Tokens of access: fetched from the service that a challenge names, kept until shortly before they expire.
//!
//! The protocol is that of the distribution project's "Token Authentication Specification" (GET, with a password or
//! anonymously) and its OAuth 2.0 variant (POST, with a refresh token or a password).

use super::{Challenge, Credentials};
use crate::answer;
use crate::{RegistryError, Result};
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A token that is about to expire is not used any more.
const MARGIN: Duration = Duration::from_secs(5);
/// What a token is good for that does not say it (the specification's default).
const DEFAULT_LIFE: Duration = Duration::from_secs(60);
const MAX_ANSWER: u64 = 1 << 20;
const CLIENT: &str = "container-runtime";

/// A token that is needed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    realm: String,
    service: String,
    scopes: BTreeSet<String>,
    credentials: Option<Credentials>,
    /// Whether a token is asked for as well that stands for the password from then on.
    lasting: bool,
}

impl Wanted {
    /// What `challenge` asks for, and the scopes that we know we shall need.
    pub(crate) fn new(
        challenge: &Challenge,
        scopes: &[String],
        credentials: Option<&Credentials>,
    ) -> Option<Self> {
        let asked = challenge.parameter("scope").into_iter().flat_map(|scope| scope.split(' '));
        let asked = asked.filter(|scope| !scope.is_empty()).map(str::to_owned);
        Some(Self {
            realm: challenge.parameter("realm")?.to_owned(),
            service: challenge.parameter("service").unwrap_or_default().to_owned(),
            scopes: scopes.iter().cloned().chain(asked).collect(),
            credentials: credentials.cloned(),
            lasting: false,
        })
    }

    /// Asks for an identity token too (`offline_token`), if the service gives any.
    pub(crate) fn lasting(self) -> Self {
        Self { lasting: true, ..self }
    }
}

/// All tokens of one client.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    known: Mutex<HashMap<Wanted, Token>>,
}

#[derive(Debug, Clone)]
struct Token {
    value: String,
    expires: Instant,
    /// What stands for the password from now on.
    identity: Option<String>,
}

/// The answer of a token service.
#[derive(Debug, Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
}

impl Tokens {
    /// A token as `wanted`. `stale` is one that the registry has just refused: it is not given out again.
    pub(crate) async fn get(
        &self,
        http: &reqwest::Client,
        wanted: &Wanted,
        stale: Option<&str>,
    ) -> Result<String> {
        if let Some(Credentials::RegistryToken(token)) = &wanted.credentials {
            return Ok(token.clone());
        }
        let known = self.lock().get(wanted).cloned();
        let fresh = |token: &Token| token.expires > Instant::now() && stale != Some(&token.value);
        if let Some(token) = known.filter(fresh) {
            return Ok(token.value);
        }
        self.renew(http, wanted).await
    }

    /// A token that was not known before.
    pub(crate) async fn renew(&self, http: &reqwest::Client, wanted: &Wanted) -> Result<String> {
        Ok(self.grant(http, wanted).await?.0)
    }

    /// The same, with the identity token that came along.
    pub(crate) async fn grant(
        &self,
        http: &reqwest::Client,
        wanted: &Wanted,
    ) -> Result<(String, Option<String>)> {
        if let Some(Credentials::RegistryToken(token)) = &wanted.credentials {
            return Ok((token.clone(), None));
        }
        let token = fetch(http, wanted).await?;
        let mut known = self.lock();
        known.retain(|_, token| token.expires > Instant::now());
        known.insert(wanted.clone(), token.clone());
        Ok((token.value, token.identity))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Wanted, Token>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn fetch(http: &reqwest::Client, wanted: &Wanted) -> Result<Token> {
    let request = match &wanted.credentials {
        Some(Credentials::IdentityToken(token)) => {
            let scope = wanted.scopes.iter().cloned().collect::<Vec<_>>().join(" ");
            http.post(&wanted.realm).form(&[
                ("grant_type", "refresh_token"),
                ("service", &wanted.service),
                ("client_id", CLIENT),
                ("scope", &scope),
                ("refresh_token", token),
            ])
        }
        credentials => {
            let mut query: Vec<(&str, &str)> = vec![("service", &wanted.service)];
            query.extend(wanted.scopes.iter().map(|scope| ("scope", scope.as_str())));
            if let Some(Credentials::Basic { user, .. }) = credentials {
                query.extend([("account", user.as_str()), ("client_id", CLIENT)]);
                if wanted.lasting {
                    query.push(("offline_token", "true"));
                }
            }
            let request = http.get(&wanted.realm).query(&query);
            match credentials.as_ref().and_then(Credentials::basic) {
                Some(basic) => request.header(AUTHORIZATION, basic),
                None => request,
            }
        }
    };
    let request = request.build().map_err(|error| answer::broken("GET", &wanted.realm, error))?;
    let (method, url) = (request.method().to_string(), request.url().clone());
    let response =
        http.execute(request).await.map_err(|error| answer::broken(&method, url.as_str(), error))?;
    let status = response.status();
    if !status.is_success() {
        return Err(match answer::refused(response, &method).await {
            RegistryError::Refused { status: 400..=403, message, .. } => {
                RegistryError::Unauthorized { host: url.host_str().unwrap_or_default().to_owned(), message }
            }
            other => other,
        });
    }
    let body = answer::body(response, MAX_ANSWER, || "a token".to_owned()).await?;
    let bad = |reason: String| RegistryError::Protocol { url: url.to_string(), reason };
    let answer: Answer = serde_json::from_slice(&body)
        .map_err(|error| bad(format!("not a token service's answer: {error}")))?;
    let value = answer.token.or(answer.access_token).filter(|token| !token.is_empty());
    let life =
        answer.expires_in.map_or(DEFAULT_LIFE, |seconds| Duration::from_secs(seconds.clamp(1, 86_400)));
    let expires = Instant::now() + life.saturating_sub(MARGIN);
    let value = value.ok_or_else(|| bad("the answer holds no token".to_owned()))?;
    let identity = answer.refresh_token.filter(|token| !token.is_empty());
    Ok(Token { value, expires, identity })
}
