//! Trying credentials out.

use crate::auth::{Challenge, Scheme, Wanted};
use crate::{Client, Credentials, Purpose, RegistryError, Result, answer};
use oci::Reference;
use reqwest::StatusCode;
use reqwest::header::AUTHORIZATION;

/// A registry that has accepted credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// What docker prints.
    pub status: String,
    /// What stands for the password from now on, where the registry's token service gives such.
    pub identity_token: Option<String>,
}

impl Client {
    /// Asks the registry at `host` whether it accepts `credentials`.
    ///
    /// # Errors
    /// [`RegistryError::Unauthorized`] if it does not.
    pub async fn login(&self, host: &str, credentials: &Credentials) -> Result<LoggedIn> {
        // Any repository there serves to find out how to reach it.
        let name = format!("{host}/login").parse::<Reference>();
        let name = name.map_err(|_| RegistryError::BadHost { host: host.to_owned() })?;
        let repository = self.repository(&name, Some(credentials.clone()), Purpose::Push)?;
        let tried = repository.anywhere(|number| {
            let repository = &repository;
            async move {
                let endpoint = &repository.places()[number].endpoint;
                let http = self.http(endpoint)?;
                let url = format!("{}/", endpoint.base);
                let ask = |authorization: Option<String>| {
                    let request = http.get(&url);
                    match authorization {
                        Some(value) => request.header(AUTHORIZATION, value),
                        None => request,
                    }
                };
                let broken = |error| answer::broken("GET", &url, error);
                let response = ask(None).send().await.map_err(broken)?;
                if response.status().is_success() {
                    return Ok(None);
                }
                let challenge = Challenge::of(response.headers())
                    .filter(|_| response.status() == StatusCode::UNAUTHORIZED);
                let Some(challenge) = challenge else { return Err(answer::refused(response, "GET").await) };
                let (authorization, identity) = match challenge.scheme {
                    Scheme::Basic => (credentials.basic(), None),
                    Scheme::Bearer => {
                        let wanted = Wanted::new(&challenge, &[], Some(credentials));
                        let wanted = wanted.ok_or_else(|| RegistryError::Protocol {
                            url: url.clone(),
                            reason: "a challenge without a realm".to_owned(),
                        })?;
                        let (token, identity) = self.inner.tokens.grant(&http, &wanted.lasting()).await?;
                        (Some(format!("Bearer {token}")), identity)
                    }
                };
                let response = ask(authorization).send().await.map_err(broken)?;
                if response.status().is_success() {
                    Ok(identity)
                } else {
                    Err(answer::refused(response, "GET").await)
                }
            }
        });
        Ok(LoggedIn { status: "Login Succeeded".to_owned(), identity_token: tried.await? })
    }
}
