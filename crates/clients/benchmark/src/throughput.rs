//! Many containers at once: how fast they come, what they cost, and how fast they are listed and go.

use crate::options::Options;
use crate::report::Report;
use crate::target::Target;
use crate::{api, latency, memory, statistics::Summary};
use anyhow::{Context, Result};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Of how many containers the memory is read.
const SAMPLE: usize = 50;

/// Measures one target.
pub(crate) async fn measure(options: &Options, target: &Target, report: &mut Report) -> Result<()> {
    let before = memory::daemon_rss(target)?;
    let network = if options.no_bridge { "none" } else { "bridge" };
    let begin = Instant::now();
    let started = start_all(options, target, network).await?;
    let seconds = begin.elapsed().as_secs_f64();
    report.throughput(&target.name, "containers_started", started.ids.len() as f64);
    report.throughput(&target.name, "containers_failed", started.failures.len() as f64);
    report.throughput(&target.name, "starts_per_second", started.ids.len() as f64 / seconds);
    for failure in started.failures.iter().take(3) {
        report.note(format!("{}: {failure}", target.name));
    }

    let after = memory::daemon_rss(target)?;
    report.memory(&target.name, &format!("daemon_rss_with_{}", started.ids.len()), after);
    if !started.ids.is_empty() {
        let growth = after.saturating_sub(before) / started.ids.len() as u64;
        report.memory(&target.name, "daemon_growth_per_container", growth);
    }
    let mut supervisors = Vec::new();
    for id in started.ids.iter().take(SAMPLE) {
        supervisors.push(memory::supervisor_pss(api::pid(&target.client, id).await?)?);
    }
    supervisors.sort_unstable();
    if let Some(median) = supervisors.get(supervisors.len() / 2) {
        report.memory(&target.name, "supervisor_pss_per_container", *median);
    }
    let mut lists = Vec::new();
    for _ in 0..20 {
        lists.push(latency::timed(api::list(&target.client)).await?);
    }
    if let Some(summary) = Summary::of(&lists) {
        report.latency(&target.name, &format!("list of {}", started.ids.len()), summary);
    }

    let begin = Instant::now();
    let count = started.ids.len();
    remove_all(options, target, started.ids).await?;
    report.throughput(&target.name, "removals_per_second", count as f64 / begin.elapsed().as_secs_f64());
    Ok(())
}

/// What came of many starts.
pub(crate) struct Started {
    pub(crate) ids: Vec<String>,
    pub(crate) failures: Vec<String>,
}

/// Creates and starts `options.containers` sleepers, `options.concurrent` at a time.
pub(crate) async fn start_all(options: &Options, target: &Target, network: &'static str) -> Result<Started> {
    let permits = Arc::new(Semaphore::new(options.concurrent.max(1)));
    let mut starts = JoinSet::new();
    for _ in 0..options.containers {
        let (permits, address, image) = (Arc::clone(&permits), target.address.clone(), options.image.clone());
        starts.spawn(async move {
            let _permit = permits.acquire_owned().await?;
            let client = api::client(&address)?;
            let id = api::create(&client, &image, &["sleep", "100000"], network).await?;
            api::start(&client, &id).await.with_context(|| id.clone())?;
            anyhow::Ok(id)
        });
    }
    let mut started = Started { ids: Vec::new(), failures: Vec::new() };
    while let Some(done) = starts.join_next().await {
        match done? {
            Ok(id) => started.ids.push(id),
            Err(error) => started.failures.push(format!("{error:#}")),
        }
    }
    Ok(started)
}

/// Removes containers by force, as many at a time.
pub(crate) async fn remove_all(options: &Options, target: &Target, ids: Vec<String>) -> Result<()> {
    let permits = Arc::new(Semaphore::new(options.concurrent.max(1)));
    let mut removals = JoinSet::new();
    for id in ids {
        let (permits, address) = (Arc::clone(&permits), target.address.clone());
        removals.spawn(async move {
            let _permit = permits.acquire_owned().await?;
            api::remove(&api::client(&address)?, &id).await
        });
    }
    while let Some(done) = removals.join_next().await {
        done??;
    }
    Ok(())
}
