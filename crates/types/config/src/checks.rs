//! What keys say about each other.

use crate::effective::Entry;
use crate::{Effective, KeyPath, Origin, Problem, Settings};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

/// Runtimes that need no entry.
const RUNTIMES: [&str; 3] = ["libcontainer", "runc", "crun"];

/// What the engine itself has in its root directory, beside what begins with [`OWN_STATE`].
const OWN_NAMES: [&str; 8] =
    ["blobs", "containers", "daemon.lock", "events", "layers", "registry", "trash", "volumes"];

/// Stores of records and what belongs to them: `state.redb`, `state.files.before-import`.
const OWN_STATE: &str = "state.";

/// Sections with a certificate and its key, and what none of those is there without.
const PAIRS: [(&str, &[&str]); 2] = [
    ("registry.serve.tls", &["certificate", "key", "client_authority"]),
    ("state.etcd", &["certificate", "key"]),
];

/// Keys that come in pairs and don't.
pub(crate) fn incomplete(entries: &BTreeMap<KeyPath, Entry>) -> Vec<Problem> {
    let set = |path: &KeyPath| entries.get(path).filter(|entry| !entry.value.is_null());
    let mut problems = Vec::new();
    for (section, names) in PAIRS {
        let section = KeyPath::dotted(section);
        let found = names.iter().map(|name| section.child(name)).find_map(|path| Some((set(&path)?, path)));
        let Some((entry, there)) = found else { continue };
        for missing in ["certificate", "key"].map(|name| section.child(name)) {
            if set(&missing).is_none() {
                let message = format!("it is missing: {there} needs it");
                problems.push(Problem { origin: entry.origin.clone(), key: missing, message });
            }
        }
    }
    problems
}

/// What is wrong with a key, if anything is.
type Check = fn(&Settings) -> Option<(&'static str, String)>;

/// Everything else that does not go together.
pub(crate) fn check(effective: &Effective) -> Vec<Problem> {
    let checks: [Check; 10] = [
        default_runtime,
        loopback,
        both_path_and_shim,
        bridge,
        mtu,
        dns_server,
        storage_root,
        directories,
        users,
        default_registry,
    ];
    let found = checks.into_iter().filter_map(|check| check(&effective.settings));
    let problem = |(key, message): (&str, String)| {
        let key = KeyPath::dotted(key);
        let origin = effective.get(&key).map_or(Origin::Default, |entry| entry.origin.clone());
        Problem { origin, key, message }
    };
    found.map(problem).collect()
}

fn default_runtime(settings: &Settings) -> Option<(&'static str, String)> {
    let runtime = &settings.runtime;
    let name = runtime.default_runtime.as_str();
    // Shims have names with two dots, or paths.
    let known = RUNTIMES.contains(&name)
        || runtime.runtimes.contains_key(name)
        || name.starts_with('/')
        || name.matches('.').count() >= 2;
    if known {
        return None;
    }
    let names: Vec<&str> = RUNTIMES.into_iter().chain(runtime.runtimes.keys().map(String::as_str)).collect();
    let near = crate::nearest::nearest(name, names.iter().copied());
    let meant = near.map(|near| format!(": did you mean {near}?")).unwrap_or_default();
    let text = format!(
        "'{name}' is no runtime here, there are {} and what runtime.runtimes names{meant}",
        crate::key::one_of(&names).replace(" or ", ", ")
    );
    Some(("runtime.default_runtime", text))
}

fn both_path_and_shim(settings: &Settings) -> Option<(&'static str, String)> {
    let mut both =
        settings.runtime.runtimes.iter().filter(|(_, entry)| entry.shim.is_some() && entry.path.is_some());
    let (name, _) = both.next()?;
    Some(("runtime.runtimes", format!("{name} has a path and a shim: it can be one of them")))
}

fn bridge(settings: &Settings) -> Option<(&'static str, String)> {
    let name = settings.network.default_bridge.as_deref()?;
    let good = !name.is_empty()
        && name.len() <= 15
        && !name.contains(|c: char| c == '/' || c == ':' || c.is_whitespace());
    let text = || format!("'{name}' can't be a device's name: 1 to 15 bytes, no slash, colon or white space");
    (!good).then(|| ("network.default_bridge", text()))
}

fn mtu(settings: &Settings) -> Option<(&'static str, String)> {
    let mtu = settings.network.mtu.filter(|mtu| settings.network.ipv6 && *mtu < 1280)?;
    Some((
        "network.mtu",
        format!("{mtu} is too little for IPv6, which needs 1280: raise it, or set network.ipv6 to false"),
    ))
}

fn dns_server(settings: &Settings) -> Option<(&'static str, String)> {
    let IpAddr::V4(server) = settings.network.dns_server? else { return None };
    let range = settings.network.ip_range?;
    let no_host = server == range.network() || server == range.broadcast();
    let text = || {
        format!(
            "{server} is nobody's address in network.ip_range {range}: the gateway there is {}",
            first(range)
        )
    };
    no_host.then(|| ("network.dns_server", text()))
}

fn loopback(settings: &Settings) -> Option<(&'static str, String)> {
    const OWN: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));
    let text = |server: &IpAddr| {
        format!("{server} is in each container the container itself: name an address of this host")
    };
    let bad = |server: &&IpAddr| server.is_loopback() || server.is_unspecified();
    if let Some(server) = settings.dns.servers.iter().find(bad) {
        return Some(("dns.servers", text(server)));
    }
    let server = settings.network.dns_server.as_ref().filter(bad).filter(|server| **server != OWN)?;
    Some(("network.dns_server", text(server)))
}

fn first(range: ipnet::Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(range.network()) + 1)
}

fn storage_root(settings: &Settings) -> Option<(&'static str, String)> {
    let root = settings.storage.root.as_deref()?;
    let inside = root.strip_prefix(&settings.runtime.root_dir).ok()?;
    let name = inside.iter().next()?.to_str()?;
    let text = || format!("{} is where the engine has its {name}: take another directory", root.display());
    (OWN_NAMES.contains(&name) || name.starts_with(OWN_STATE)).then(|| ("storage.root", text()))
}

fn directories(settings: &Settings) -> Option<(&'static str, String)> {
    let places: [(&'static str, Option<&PathBuf>); 3] = [
        ("runtime.root_dir", Some(&settings.runtime.root_dir)),
        ("runtime.state_dir", Some(&settings.runtime.state_dir)),
        ("storage.root", settings.storage.root.as_ref()),
    ];
    let (key, path) = places
        .into_iter()
        .find_map(|(key, path)| Some((key, path.filter(|path| path.as_path() == Path::new("/"))?)))?;
    Some((key, format!("{} belongs to the host: take a directory below it", path.display())))
}

fn users(settings: &Settings) -> Option<(&'static str, String)> {
    let serve = &settings.registry.serve;
    let text = || {
        "there are no users who could get tokens: name a file of them in registry.serve.htpasswd".to_owned()
    };
    (serve.token && serve.htpasswd.is_none()).then(|| ("registry.serve.token", text()))
}

fn default_registry(settings: &Settings) -> Option<(&'static str, String)> {
    let host = &settings.registry.default;
    let text = || format!("'{host}' is no registry: write host or host:port, as localhost:5000");
    let good = host == "localhost"
        || (host.contains(['.', ':'])
            && !host.contains('/')
            && !host.contains(char::is_whitespace)
            && !host.starts_with(':'));
    (!good).then(|| ("registry.default", text()))
}
