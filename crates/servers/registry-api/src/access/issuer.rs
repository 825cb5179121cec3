//! The token service of this server: tokens for the users of a file, signed with a key of its own (ECDSA on P-256).

use super::token::Entry;
use super::{AccessError, AccessList, Action, Credentials, Htpasswd, Scope, TrustedKeys};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a token is good. Clients ask for the next one by themselves.
const LIFETIME: Duration = Duration::from_secs(300);

/// What refresh tokens are for: nothing but this service itself.
const REFRESH: &str = "token-refresh";

/// See the module.
pub struct Issuer {
    name: String,
    users: Htpasswd,
    list: AccessList,
    key: EncodingKey,
    id: String,
}

/// How somebody shows who they are.
#[derive(Debug)]
pub(crate) enum Grant {
    /// Not at all.
    Anonymous,
    Password(Credentials),
    Refresh(String),
}

/// What somebody gets.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) token: String,
    /// What it allows.
    pub(crate) scopes: Vec<Scope>,
    pub(crate) lifetime: Duration,
    pub(crate) issued: SystemTime,
    /// With it the next tokens are had without the password.
    pub(crate) refresh: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    nbf: u64,
    iat: u64,
    jti: String,
    #[serde(default)]
    access: Vec<Entry>,
    /// Of refresh tokens: of which password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generation: Option<String>,
}

impl Issuer {
    /// A service that signs with the key in a file, which is made where there is none.
    ///
    /// # Errors
    /// [`AccessError::File`], [`AccessError::BadKey`].
    pub fn open(name: String, key: &Path, users: Htpasswd, list: AccessList) -> Result<Self, AccessError> {
        let failed = |source| AccessError::BadKey { path: key.to_owned(), source };
        let signing = EncodingKey::from_ec_der(&load_or_make(key)?);
        let public = Jwk::from_encoding_key(&signing, Algorithm::ES256).map_err(failed)?;
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(failed)?;
        Ok(Self { name, users, list, key: signing, id })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The public half of the key.
    pub(crate) fn keys(&self) -> Result<TrustedKeys, AccessError> {
        Ok(TrustedKeys::one(self.id.clone(), self.public()?))
    }

    fn public(&self) -> Result<DecodingKey, AccessError> {
        Jwk::from_encoding_key(&self.key, Algorithm::ES256)
            .and_then(|jwk| DecodingKey::from_jwk(&jwk))
            .map_err(|source| AccessError::Sign { source })
    }

    /// A token for what of the wishes is allowed; none: that is not who they say they are.
    pub(crate) async fn issue(
        &self,
        grant: &Grant,
        service: &str,
        wishes: &[Scope],
        refreshable: bool,
    ) -> Result<Option<Issued>, AccessError> {
        let user = match grant {
            Grant::Anonymous => None,
            Grant::Password(given) if self.users.verify(given).await? => Some(given.name.clone()),
            Grant::Refresh(token) => match self.refreshed(token, service)? {
                Some(user) => Some(user),
                None => return Ok(None),
            },
            Grant::Password(_) => return Ok(None),
        };
        let allowed =
            |wish: &Scope| Scope { actions: self.list.allowed(user.as_deref(), wish), ..wish.clone() };
        let scopes: Vec<_> = wishes.iter().map(allowed).filter(|scope| !scope.actions.is_empty()).collect();
        let issued = SystemTime::now();
        let subject = user.clone().unwrap_or_default();
        let claims = self.claims(&subject, service, issued)?;
        let token = Claims { access: scopes.iter().map(entry).collect(), ..claims };
        let refresh = match (&user, refreshable) {
            (Some(user), true) => Some(self.refresh(user, service, issued)?),
            _ => None,
        };
        Ok(Some(Issued { token: self.sign(&token)?, scopes, lifetime: LIFETIME, issued, refresh }))
    }

    /// The user of a refresh token, if the password is still the one it was issued for.
    fn refreshed(&self, token: &str, service: &str) -> Result<Option<String>, AccessError> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[format!("{REFRESH} {service}")]);
        validation.set_issuer(&[&self.name]);
        // It is good until the password changes.
        validation.set_required_spec_claims(&["iss", "aud"]);
        validation.validate_exp = false;
        let Ok(data) = decode::<Claims>(token, &self.public()?, &validation) else { return Ok(None) };
        let now = self.users.generation(&data.claims.sub)?;
        Ok((now.is_some() && now == data.claims.generation).then_some(data.claims.sub))
    }

    fn refresh(&self, user: &str, service: &str, issued: SystemTime) -> Result<String, AccessError> {
        let claims = self.claims(user, &format!("{REFRESH} {service}"), issued)?;
        self.sign(&Claims { exp: None, generation: self.users.generation(user)?, ..claims })
    }

    fn claims(&self, user: &str, audience: &str, issued: SystemTime) -> Result<Claims, AccessError> {
        let now = issued.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Ok(Claims {
            iss: self.name.clone(),
            sub: user.to_owned(),
            aud: audience.to_owned(),
            exp: Some(now + LIFETIME.as_secs()),
            nbf: now,
            iat: now,
            jti: random()?,
            access: Vec::new(),
            generation: None,
        })
    }

    fn sign(&self, claims: &Claims) -> Result<String, AccessError> {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &self.key).map_err(|source| AccessError::Sign { source })
    }
}

fn entry(scope: &Scope) -> Entry {
    let (kind, name) = scope.resource.parts();
    let actions = scope.actions.iter().map(|action: &Action| action.as_str().to_owned()).collect();
    Entry { kind: kind.to_owned(), name: name.to_owned(), actions }
}

fn random() -> Result<String, AccessError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| AccessError::Random)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The signing key, PKCS #8 in DER; nobody else may read the file.
fn load_or_make(path: &Path) -> Result<Vec<u8>, AccessError> {
    if let Some(key) = durable::read_optional(path)? {
        return Ok(key);
    }
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| AccessError::Random)?;
    durable::write_atomic_mode(path, key.as_ref(), 0o600, durable::Sync::FileAndDir)?;
    Ok(key.as_ref().to_vec())
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.name)
    }
}
