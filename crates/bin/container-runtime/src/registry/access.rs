//! From flags to who may do what.

use super::options;
use super::told;
use anyhow::{Result, bail};
use registry_api::{Access, AccessList, Htpasswd, Issuer, TokenAccess, TrustedKeys};
use std::path::Path;

/// What the flags say. `storage` is where a key of our own is kept.
pub(super) fn from(options: &options::Access, storage: &Path) -> Result<Access> {
    let list = AccessList {
        anonymous_pull: options.anonymous_pull,
        read_only: options.read_only.iter().cloned().collect(),
    };
    let foreign = match (&options.token_certificates, &options.token_jwks) {
        (Some(path), _) => Some(TrustedKeys::certificates(path).map_err(told)?),
        (None, Some(path)) => Some(TrustedKeys::jwks(path).map_err(told)?),
        (None, None) => None,
    };
    if let Some(keys) = foreign {
        return Ok(Access::Token(TokenAccess {
            realm: options.token_realm.clone(),
            service: options.token_service.clone(),
            issuer: options.token_issuer.clone(),
            keys,
            own: None,
        }));
    }
    let Some(path) = &options.htpasswd else {
        if options.anonymous_pull || !options.read_only.is_empty() {
            bail!("without --htpasswd everybody may do everything: there is nothing to restrict");
        }
        return Ok(Access::Open);
    };
    let users = Htpasswd::open(path).map_err(told)?;
    if !options.token {
        return Ok(Access::Basic(users, list));
    }
    let key = options.token_key.clone().unwrap_or_else(|| storage.join("token-key.der"));
    let issuer = Issuer::open(options.token_issuer.clone(), &key, users, list).map_err(told)?;
    let tokens = TokenAccess::own(options.token_realm.clone(), options.token_service.clone(), issuer);
    Ok(Access::Token(tokens.map_err(told)?))
}
