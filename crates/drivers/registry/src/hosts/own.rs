//! Our own configuration: mirrors by host, and names that are fetched under another name.

use super::{Connection, Endpoint, HostsConfig, Purpose, base_of, certificates, is_insecure, origin};
use crate::{RegistryError, Result};
use oci::{DEFAULT_DOMAIN, Reference};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The name to fetch in the place of `reference`; the longest beginning wins.
pub(super) fn rewritten(rewrites: &BTreeMap<String, String>, reference: &Reference) -> Result<Reference> {
    let name = reference.name();
    let matches = |prefix: &&String| {
        name.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let Some(prefix) = rewrites.keys().filter(matches).max_by_key(|prefix| prefix.len()) else {
        return Ok(reference.without_tag());
    };
    let text = format!("{}{}", rewrites[prefix], &name[prefix.len()..]);
    text.parse().map_err(|_| RegistryError::BadHost { host: text })
}

/// The name at the registry of names that say none, if that is one of the user's and nothing else is said of the name.
pub(super) fn by_default(config: &HostsConfig, reference: &Reference) -> Result<Option<Reference>> {
    let nameless =
        reference.domain() == DEFAULT_DOMAIN && !matches!(config.default.as_str(), "" | DEFAULT_DOMAIN);
    if !nameless || config.direct || rewritten(&config.rewrites, reference)? != reference.without_tag() {
        return Ok(None);
    }
    let path = reference.path();
    // Only Docker Hub calls them so.
    let path = path.strip_prefix("library/").unwrap_or(path);
    let text = format!("{}/{path}", config.default);
    text.parse().map(Some).map_err(|_| RegistryError::BadHost { host: text })
}

pub(super) fn endpoints(
    config: &HostsConfig,
    reference: &Reference,
    purpose: Purpose,
) -> Result<Option<Vec<Endpoint>>> {
    let domain = reference.domain();
    if urls(config, domain).is_none() {
        return Ok(None);
    }
    let mirrors = mirrors(config, reference, purpose)?;
    let origin = origin(config, domain, reference.path(), false)?;
    Ok(Some(mirrors.into_iter().chain(origin).collect()))
}

fn urls<'a>(config: &'a HostsConfig, domain: &str) -> Option<&'a Vec<String>> {
    config.mirrors.get(domain).or_else(|| config.mirrors.get("*"))
}

/// Who may have a repository in its registry's place. Nothing is written to them.
pub(super) fn mirrors(
    config: &HostsConfig,
    reference: &Reference,
    purpose: Purpose,
) -> Result<Vec<Endpoint>> {
    let domain = reference.domain();
    let urls = urls(config, domain).filter(|_| purpose == Purpose::Pull);
    let mirror = |url: &String| {
        let base = base_of(url, false, false)?;
        let mut endpoint = Endpoint {
            base,
            path: reference.path().to_owned(),
            namespace: Some(domain.to_owned()),
            is_mirror: true,
            is_origin: false,
            connection: Connection::default(),
        };
        endpoint.connection = certificates::of(&config.directories, endpoint.host())?;
        endpoint.connection.skip_verify =
            endpoint.connection.authorities.is_empty() && is_insecure(config, endpoint.host());
        Ok(endpoint)
    };
    urls.into_iter().flatten().map(mirror).collect()
}

/// Whether the network `10.0.0.0/8` has the address.
pub(super) fn network_has(network: &str, address: IpAddr) -> bool {
    let Some((base, length)) = network.split_once('/') else { return false };
    let (Ok(base), Ok(length)) = (base.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) if length <= 32 => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            u32::from(base) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(base), IpAddr::V6(address)) if length <= 128 => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            u128::from(base) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}
