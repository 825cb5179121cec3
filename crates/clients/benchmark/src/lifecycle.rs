//! Starts of the daemon: a cold one, and one that finds containers again.

use crate::options::Options;
use crate::report::Report;
use crate::statistics::Summary;
use crate::target::Target;
use crate::{api, memory, throughput};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// Cold starts that are measured.
const ROUNDS: usize = 10;
/// Kills after which all containers have to be found again.
const ADOPTIONS: usize = 5;

/// Measures our own daemon; peers' are not ours to kill.
pub(crate) async fn measure(options: &Options, target: &mut Target, report: &mut Report) -> Result<()> {
    let mut cold = Vec::new();
    for _ in 0..ROUNDS {
        cold.push(target.restart().await?);
    }
    if let Some(summary) = Summary::of(&cold) {
        report.latency(&target.name, "daemon start to first answer", summary);
    }
    if options.adopt == 0 {
        return Ok(());
    }
    let many = Options { containers: options.adopt, ..options.clone() };
    let started = throughput::start_all(&many, target, "none").await?;
    ensure!(
        started.failures.is_empty(),
        "{} of {} did not start: {}",
        started.failures.len(),
        options.adopt,
        started.failures[0]
    );
    let mut series = Vec::new();
    for _ in 0..ADOPTIONS {
        let begin = Instant::now();
        target.restart().await?;
        let listed = all_running(target, options.adopt).await?;
        series.push(begin.elapsed());
        ensure!(listed == options.adopt, "{listed} of {} containers were found running again", options.adopt);
    }
    report.memory(
        &target.name,
        &format!("daemon_rss_with_{}_found_again", options.adopt),
        memory::daemon_rss(target)?,
    );
    if let Some(summary) = Summary::of(&series) {
        report.latency(
            &target.name,
            &format!("daemon killed, {} containers found again", options.adopt),
            summary,
        );
    }
    throughput::remove_all(options, target, started.ids).await
}

/// Waits until that many containers run; at last how many do.
async fn all_running(target: &Target, wanted: usize) -> Result<usize> {
    let begin = Instant::now();
    loop {
        let list = api::list(&target.client).await?;
        let running = list.iter().filter(|container| container["State"] == "running").count();
        if running >= wanted || begin.elapsed() > Duration::from_secs(30) {
            return Ok(running);
        }
    }
}
