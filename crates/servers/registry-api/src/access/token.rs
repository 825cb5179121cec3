//! Tokens: what a client may do, signed by a token service, as Docker's registries have it.

use super::{AccessError, Action, Issuer, Scope, TrustedKeys, unauthorized};
use crate::http::fields;
use crate::http::refusal::Refusal;
use crate::http::route::TOKEN_PATH;
use axum::http::{HeaderMap, header};
use jsonwebtoken::{Validation, decode, decode_header};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Whose tokens are taken, and where clients get them.
#[derive(Debug)]
pub struct TokenAccess {
    /// Where clients ask for tokens; none: at this server.
    pub realm: Option<String>,
    /// What this registry is called in tokens.
    pub service: String,
    /// What the token service is called in tokens.
    pub issuer: String,
    /// Its keys.
    pub keys: TrustedKeys,
    /// The token service of this server.
    pub own: Option<Issuer>,
}

/// What a token allows to do to one resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) actions: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(default)]
    access: Option<Vec<Entry>>,
}

impl TokenAccess {
    /// Tokens of a service of our own, which `issuer` is.
    ///
    /// # Errors
    /// [`AccessError::Sign`] for a key that can't be used.
    pub fn own(realm: Option<String>, service: String, issuer: Issuer) -> Result<Self, AccessError> {
        Ok(Self { realm, issuer: issuer.name().to_owned(), keys: issuer.keys()?, service, own: Some(issuer) })
    }

    pub(super) fn admit(&self, headers: &HeaderMap, scopes: &[Scope], origin: &str) -> Result<(), Refusal> {
        let given = fields::text(headers, header::AUTHORIZATION).and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let Some(token) = given else {
            return Err(self.challenge(scopes, origin, None, "authentication required"));
        };
        let Some(claims) = self.verify(token) else {
            return Err(self.challenge(scopes, origin, Some("invalid_token"), "the token is not valid"));
        };
        let access = claims.access.unwrap_or_default();
        if scopes.iter().all(|scope| covers(&access, scope)) {
            Ok(())
        } else {
            let message = "the token does not allow this";
            Err(self.challenge(scopes, origin, Some("insufficient_scope"), message))
        }
    }

    /// What a token says, if one of the keys has signed it, for us and for now.
    fn verify(&self, token: &str) -> Option<Claims> {
        let header = decode_header(token).ok()?;
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&[&self.service]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        let keys = self.keys.candidates(&header);
        keys.iter().find_map(|key| decode::<Claims>(token, key, &validation).ok()).map(|data| data.claims)
    }

    fn challenge(&self, scopes: &[Scope], origin: &str, error: Option<&str>, message: &str) -> Refusal {
        let realm = self.realm.clone().unwrap_or_else(|| format!("{origin}{TOKEN_PATH}"));
        let mut text = format!("Bearer realm=\"{realm}\",service=\"{}\"", self.service);
        if !scopes.is_empty() {
            let scopes: Vec<_> = scopes.iter().map(Scope::to_string).collect();
            text.push_str(&format!(",scope=\"{}\"", scopes.join(" ")));
        }
        if let Some(error) = error {
            text.push_str(&format!(",error=\"{error}\""));
        }
        unauthorized(message, crate::http::answer::value(&text))
    }
}

/// Whether the entries together allow all of the scope's actions.
fn covers(access: &[Entry], scope: &Scope) -> bool {
    let (kind, name) = scope.resource.parts();
    let of_it = |entry: &&Entry| entry.kind == kind && entry.name == name;
    let allowed: BTreeSet<&str> =
        access.iter().filter(of_it).flat_map(|entry| &entry.actions).map(String::as_str).collect();
    let all = allowed.contains(Action::All.as_str());
    scope.actions.iter().all(|action| all || allowed.contains(action.as_str()))
}
