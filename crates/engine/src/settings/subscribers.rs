//! The parts of the engine that have to do something when settings change, or may refuse it.

use super::{Applied, Subscriber};
use crate::Services;
use ::containers::State;
use config::Settings;
use errors::{Class, Error};
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

impl Subscriber<Services> for WhatRuns {
    fn component(&self) -> &'static str {
        "running containers"
    }

    fn keys(&self) -> &'static [&'static str] {
        &[
            "runtime.root_dir",
            "runtime.state_dir",
            "runtime.cgroup_driver",
            "runtime.cgroup_parent",
            "runtime.userns_remap",
            "network.default_bridge",
            "storage.root",
        ]
    }

    fn apply<'a>(&'a self, services: &'a Arc<Services>, _: &'a Settings, _: &'a Settings) -> Applied<'a> {
        Box::pin(async move {
            let all = services.containers.all();
            let running: Vec<String> = all
                .iter()
                .filter(|one| matches!(one.state(), State::Running { .. } | State::Paused { .. }))
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
                        format!("{first}{more} would be lost at the restart: stop them first"),
                    ))
                }
            }
        })
    }
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

    fn apply<'a>(&'a self, services: &'a Arc<Services>, _: &'a Settings, to: &'a Settings) -> Applied<'a> {
        Box::pin(async move {
            let range = to.network.ip_range.as_deref().map(crate::system::ip_range).transpose()?;
            let kept = services.networks.set_range(range).await?;
            let Some(range) = range.filter(|_| !kept.is_empty()) else { return Ok(Vec::new()) };
            let kept: Vec<String> = kept.iter().map(|(name, subnet)| format!("{name} ({subnet})")).collect();
            Ok(vec![
                format!(
                    "new networks get their subnets from {range}; those that are there keep their addresses: {}",
                    kept.join(", ")
                ),
                "the default bridge takes the new range when the daemon starts and no container is on it"
                    .to_owned(),
            ])
        })
    }
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
