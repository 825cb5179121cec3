//! The `X-Registry-Auth` header, and the body of `POST /auth`: a user's credentials for a registry.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use errors::{Class, Error};
use registry::Credentials;
use serde::Deserialize;

/// Docker's name of Docker Hub, where credentials for it are kept.
const HUB: &str = "https://index.docker.io/v1/";

/// URL-safe, with or without padding: clients differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What clients send.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AuthConfig {
    username: String,
    password: String,
    /// `user:password` in base64, as the client's own file has it.
    auth: String,
    serveraddress: String,
    identitytoken: String,
    registrytoken: String,
}

impl AuthConfig {
    /// What they mean; none: as anybody.
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        if !self.registrytoken.is_empty() {
            return Some(Credentials::RegistryToken(self.registrytoken.clone()));
        }
        if !self.identitytoken.is_empty() {
            return Some(Credentials::IdentityToken(self.identitytoken.clone()));
        }
        if !self.username.is_empty() {
            let (user, password) = (self.username.clone(), self.password.clone());
            return Some(Credentials::Basic { user, password });
        }
        let decoded = BASE64.decode(self.auth.replace('+', "-").replace('/', "_")).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (user, password) = text.split_once(':').filter(|(user, _)| !user.is_empty())?;
        Some(Credentials::Basic { user: user.to_owned(), password: password.to_owned() })
    }

    /// Host and port of the registry; Docker Hub's name for it where none is given.
    pub(crate) fn host(&self) -> &str {
        if self.serveraddress.is_empty() || self.serveraddress == HUB {
            return oci::DEFAULT_DOMAIN;
        }
        let rest = self.serveraddress.split_once("://").map_or(self.serveraddress.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }
}

/// The credentials in a request's header. One that cannot be read counts as none, as with docker, whose clients send odd ones.
pub(crate) fn of(headers: &HeaderMap) -> Option<Credentials> {
    let value = headers.get("x-registry-auth")?.as_bytes();
    let config: AuthConfig = serde_json::from_slice(&BASE64.decode(value).ok()?).ok()?;
    config.credentials()
}

/// The body of `POST /auth`.
pub(crate) fn parse(body: &[u8]) -> Result<AuthConfig, Error> {
    serde_json::from_slice(body)
        .map_err(|error| Error::wrap(Class::Invalid, error).context("read the credentials"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_credentials_is_read() {
        let of = |text: &str| parse(text.as_bytes()).unwrap().credentials();
        let basic = Some(Credentials::Basic { user: "me".into(), password: "p:w".into() });
        assert_eq!(of(r#"{"username":"me","password":"p:w"}"#), basic);
        assert_eq!(of(r#"{"auth":"bWU6cDp3"}"#), basic);
        assert_eq!(
            of(r#"{"identitytoken":"t","username":"me"}"#),
            Some(Credentials::IdentityToken("t".into()))
        );
        assert_eq!(of(r#"{"registrytoken":"t"}"#), Some(Credentials::RegistryToken("t".into())));
        assert_eq!(of("{}"), None);
        let with = |value: &str| {
            HeaderMap::from_iter([("x-registry-auth".parse().unwrap(), value.parse().unwrap())])
        };
        assert_eq!(super::of(&with("eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJwOncifQ==")), basic);
        assert_eq!(super::of(&with("eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJwOncifQ")), basic);
        assert_eq!(super::of(&with("?")), None);
    }

    #[test]
    fn servers_are_named_in_many_ways() {
        let of = |address: &str| {
            AuthConfig { serveraddress: address.into(), ..AuthConfig::default() }.host().to_owned()
        };
        assert_eq!(of(""), "docker.io");
        assert_eq!(of("https://index.docker.io/v1/"), "docker.io");
        assert_eq!(of("https://r.example:5000/v2/"), "r.example:5000");
        assert_eq!(of("127.0.0.1:5000"), "127.0.0.1:5000");
    }
}
