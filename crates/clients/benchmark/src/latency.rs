//! How long a verb takes, one client at a time.

use crate::options::Options;
use crate::report::Report;
use crate::target::Target;
use crate::{api, statistics::Summary};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

type Series = BTreeMap<(String, String), Vec<Duration>>;

/// Measures every target in turn, round by round.
pub(crate) async fn measure(options: &Options, targets: &[Target], report: &mut Report) -> Result<()> {
    let mut series = Series::new();
    let networks: &[&str] = if options.no_bridge { &["none"] } else { &["none", "bridge"] };
    for round in 0..=options.rounds {
        for target in targets {
            for network in networks {
                let figures = life(options, target, network)
                    .await
                    .with_context(|| format!("{}, network {network}", target.name))?;
                // The first round warms caches and pools.
                if round > 0 {
                    for (verb, duration) in figures {
                        series
                            .entry((target.name.clone(), format!("{verb}, {network}")))
                            .or_default()
                            .push(duration);
                    }
                }
            }
            let figures = running(options, target).await.with_context(|| target.name.clone())?;
            if round > 0 {
                for (verb, duration) in figures {
                    series.entry((target.name.clone(), verb.to_owned())).or_default().push(duration);
                }
            }
        }
    }
    tell(series, report);
    Ok(())
}

/// Measures lives on the default bridge and without a network alone.
pub(crate) async fn measure_lives(options: &Options, targets: &[Target], report: &mut Report) -> Result<()> {
    let mut series = Series::new();
    // A life is short, and networks cost little of it: more of them than of the rest.
    for round in 0..=options.rounds * 5 {
        for target in targets {
            for network in ["none", "bridge"] {
                let figures = life(options, target, network).await;
                let figures = figures.with_context(|| format!("{}, network {network}", target.name))?;
                for (verb, duration) in figures.into_iter().filter(|_| round > 0) {
                    let key = (target.name.clone(), format!("{verb}, {network}"));
                    series.entry(key).or_default().push(duration);
                }
            }
        }
    }
    tell(series, report);
    Ok(())
}

fn tell(series: Series, report: &mut Report) {
    for ((target, verb), durations) in series {
        if let Some(summary) = Summary::of(&durations) {
            report.latency(&target, &verb, summary);
        }
    }
}

/// Create, start, wait and remove of `true`.
async fn life(options: &Options, target: &Target, network: &str) -> Result<Vec<(&'static str, Duration)>> {
    let client = &target.client;
    let begin = Instant::now();
    let id = api::create(client, &options.image, &["true"], network).await?;
    let created = Instant::now();
    api::start(client, &id).await?;
    let started = Instant::now();
    api::wait(client, &id).await?;
    let ended = Instant::now();
    api::remove(client, &id).await?;
    let removed = Instant::now();
    Ok(vec![
        ("create", created - begin),
        ("start", started - created),
        ("wait", ended - started),
        ("remove", removed - ended),
        ("create to remove", removed - begin),
    ])
}

/// Verbs on a running container.
async fn running(options: &Options, target: &Target) -> Result<Vec<(&'static str, Duration)>> {
    let client = &target.client;
    let mut figures = Vec::new();
    let id = api::create(client, &options.image, &["sleep", "1000"], "none").await?;
    api::start(client, &id).await?;
    figures.push(("exec true", timed(api::exec(client, &id)).await?));
    figures.push(("list", timed(api::list(client)).await?));
    figures.push(("stop -t 0", timed(api::stop(client, &id)).await?));
    api::start(client, &id).await?;
    figures.push(("rm -f of a running one", timed(api::remove(client, &id)).await?));
    Ok(figures)
}

pub(crate) async fn timed<T>(work: impl Future<Output = Result<T>>) -> Result<Duration> {
    let begin = Instant::now();
    work.await?;
    Ok(begin.elapsed())
}
