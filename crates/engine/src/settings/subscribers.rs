//! The parts of the engine that have to do something when settings change, or may refuse it.

use super::{Applied, Subscriber};
use crate::Services;
use config::Settings;
use errors::{Class, Error};
use std::net::IpAddr;
use std::sync::Arc;

/// All of them, those that only look first.
pub(crate) fn all() -> Vec<Arc<dyn Subscriber<Services>>> {
    vec![
        Arc::new(Containers),
        Arc::new(WhatRuns),
        Arc::new(Images),
        Arc::new(Runtimes),
        Arc::new(Networks),
        Arc::new(Registries),
    ]
}

/// The number of containers.
#[derive(Debug)]
struct Containers;

impl Subscriber<Services> for Containers {
    fn component(&self) -> &'static str {
        "containers"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["runtime.max_containers"]
    }

    fn only_looks(&self) -> bool {
        true
    }

    fn apply<'a>(&'a self, services: &'a Arc<Services>, _: &'a Settings, to: &'a Settings) -> Applied<'a> {
        Box::pin(async move {
            let (limit, count) = (to.runtime.max_containers, services.containers.count());
            if limit != 0 && count > limit {
                let text = format!("there are {count} containers, more than {limit}: remove some first");
                return Err(Error::new(Class::Conflict, text));
            }
            Ok(Vec::new())
        })
    }
}

/// What a running container has been started with, and can't be kept without.
#[derive(Debug)]
struct WhatRuns;

/// The keys of that.
const STARTED_WITH: [&str; 7] = [
    "runtime.root_dir",
    "runtime.state_dir",
    "runtime.cgroup_driver",
    "runtime.cgroup_parent",
    "runtime.userns_remap",
    "network.default_bridge",
    "storage.root",
];

impl Subscriber<Services> for WhatRuns {
    fn component(&self) -> &'static str {
        "running containers"
    }

    fn keys(&self) -> &'static [&'static str] {
        &STARTED_WITH
    }

    fn only_looks(&self) -> bool {
        true
    }

    fn apply<'a>(&'a self, services: &'a Arc<Services>, from: &'a Settings, to: &'a Settings) -> Applied<'a> {
        Box::pin(async move {
            let Some(key) = parted_from(&services.settings(), from, to) else { return Ok(Vec::new()) };
            let all = services.containers.all();
            let running: Vec<String> = all
                .iter()
                .filter(|one| one.state().is_live())
                .map(|one| one.record().name.to_string())
                .collect();
            match running.as_slice() {
                [] => Ok(Vec::new()),
                [first, others @ ..] => {
                    let more = if others.is_empty() {
                        String::new()
                    } else {
                        format!(" and {} others", others.len())
                    };
                    Err(Error::new(
                        Class::Conflict,
                        format!(
                            "{first}{more} would be lost at a restart with another {key}: stop them first"
                        ),
                    ))
                }
            }
        })
    }
}

/// A key whose change goes away from what the daemon runs with. One that waits for a restart may be taken back.
fn parted_from(running: &Settings, from: &Settings, to: &Settings) -> Option<&'static str> {
    let tree = |settings| serde_json::to_value(settings).unwrap_or_default();
    let (running, from, to) = (tree(running), tree(from), tree(to));
    STARTED_WITH.into_iter().find(|key| {
        let place = format!("/{}", key.replace('.', "/"));
        let wanted = to.pointer(&place);
        wanted != from.pointer(&place) && wanted != running.pointer(&place)
    })
}

/// Where images are.
#[derive(Debug)]
struct Images;

impl Subscriber<Services> for Images {
    fn component(&self) -> &'static str {
        "images"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["storage.root", "runtime.root_dir"]
    }

    fn only_looks(&self) -> bool {
        true
    }

    fn apply<'a>(&'a self, services: &'a Arc<Services>, from: &'a Settings, to: &'a Settings) -> Applied<'a> {
        Box::pin(async move {
            let (old, new) = (from.storage_root(), to.storage_root());
            if old == new || (services.images.count() == 0 && services.containers.count() == 0) {
                return Ok(Vec::new());
            }
            Ok(vec![format!(
                "images and containers are not taken along: move {} to {} between the daemon's end and its start",
                old.join("{blobs,layers}").display(),
                new.display()
            )])
        })
    }
}

/// The runtime of containers that name none.
#[derive(Debug)]
struct Runtimes;

impl Subscriber<Services> for Runtimes {
    fn component(&self) -> &'static str {
        "runtimes"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["runtime.default_runtime"]
    }

    fn only_looks(&self) -> bool {
        true
    }

    fn apply<'a>(&'a self, services: &'a Arc<Services>, _: &'a Settings, to: &'a Settings) -> Applied<'a> {
        Box::pin(async move {
            services.runtimes.check(Some(&to.runtime.default_runtime))?;
            Ok(Vec::new())
        })
    }
}

/// Where new networks get their addresses.
#[derive(Debug)]
struct Networks;

impl Subscriber<Services> for Networks {
    fn component(&self) -> &'static str {
        "networks"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["network.ip_range"]
    }

    fn apply<'a>(&'a self, services: &'a Arc<Services>, from: &'a Settings, to: &'a Settings) -> Applied<'a> {
        Box::pin(async move {
            let range = to.network.ip_range;
            let kept = services.networks.set_range(range).await?;
            let Some(range) = range.filter(|_| !kept.is_empty()) else { return Ok(Vec::new()) };
            let kept: Vec<String> = kept.iter().map(|(name, subnet)| format!("{name} ({subnet})")).collect();
            let mut notes = vec![
                format!(
                    "new networks get their subnets from {range}; those that are there keep their addresses: {}",
                    kept.join(", ")
                ),
                "the default bridge takes the new range when the daemon starts and no container is on it"
                    .to_owned(),
            ];
            notes.extend(old_gateway(from, to));
            Ok(notes)
        })
    }
}

/// What to do with `network.dns_server` where it is the gateway of the range that was.
fn old_gateway(from: &Settings, to: &Settings) -> Option<String> {
    let gateway = |settings: &Settings| settings.network.ip_range?.hosts().next().map(IpAddr::V4);
    let (server, new) = (to.network.dns_server?, gateway(to)?);
    (gateway(from)? == server).then(|| {
        format!(
            "network.dns_server {server} is the gateway of the old range: set it to {new} when the default bridge has moved"
        )
    })
}

/// Registries, as a client.
#[derive(Debug)]
struct Registries;

impl Subscriber<Services> for Registries {
    fn component(&self) -> &'static str {
        "registries"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["registry"]
    }

    fn apply<'a>(&'a self, services: &'a Arc<Services>, _: &'a Settings, to: &'a Settings) -> Applied<'a> {
        Box::pin(async move {
            services.registries.store(Arc::new(crate::system::registries(to)));
            Ok(Vec::new())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_restart_may_be_taken_back_under_what_runs() {
        let settings = |parent: &str, bridge: Option<&str>| {
            let mut settings = Settings::default();
            settings.runtime.cgroup_parent = parent.to_owned();
            settings.network.default_bridge = bridge.map(str::to_owned);
            settings
        };
        let (running, waiting) = (settings("/a", None), settings("/b", None));
        let parted = |from, to: &Settings| parted_from(&running, from, to);
        assert_eq!(parted(&running, &waiting), Some("runtime.cgroup_parent"));
        assert_eq!(parted(&waiting, &running), None);
        assert_eq!(parted(&waiting, &settings("/c", None)), Some("runtime.cgroup_parent"));
        assert_eq!(parted(&waiting, &settings("/a", Some("b"))), Some("network.default_bridge"));
        assert_eq!(parted(&settings("/b", Some("b")), &waiting), None, "the other one waits on");
        let tree = serde_json::to_value(Settings::default()).unwrap();
        for key in STARTED_WITH {
            assert!(tree.pointer(&format!("/{}", key.replace('.', "/"))).is_some(), "{key}");
        }
    }

    #[test]
    fn a_server_at_the_old_gateway_is_told() {
        let settings = |range: &str, server: &str| {
            let mut settings = Settings::default();
            settings.network.ip_range = Some(range.parse().unwrap());
            settings.network.dns_server = Some(server.parse().unwrap());
            settings
        };
        let old = settings("172.20.0.0/16", "172.20.0.1");
        let told = old_gateway(&old, &settings("172.30.0.0/16", "172.20.0.1")).unwrap();
        assert!(told.ends_with("set it to 172.30.0.1 when the default bridge has moved"), "{told}");
        assert_eq!(old_gateway(&old, &settings("172.30.0.0/16", "172.30.0.1")), None);
        assert_eq!(old_gateway(&old, &settings("172.30.0.0/16", "192.0.2.1")), None);
    }
}
