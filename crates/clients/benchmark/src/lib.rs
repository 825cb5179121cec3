//! Measures an engine through its Engine API, beside other engines in the same run.
//!
//! Figures are medians over rounds; engines take turns inside every round, so that a machine's moods meet all of them
//! alike. Our own engine is a private one, started for the run and purged after it, unless a host is named.

mod api;
mod images;
mod latency;
mod lifecycle;
mod memory;
mod network;
mod options;
mod report;
mod statistics;
mod target;
mod throughput;

pub use options::{ImagesOptions, NetworkOptions, Options, Part};
pub use report::Report;

use anyhow::{Context, Result};

use target::Target;

/// Runs the benchmark and answers what it measured.
///
/// # Errors
/// When no engine can be reached, or a verb of one fails.
pub async fn run(options: &Options) -> Result<Report> {
    let mut targets = Target::all(options).await?;
    if let Some(part) = &options.part {
        let report = match part {
            Part::Images(moved) => images::measure(options, moved, &targets).await,
            Part::Network(wanted) => network::measure(options, wanted, &targets).await,
        };
        for target in targets {
            target.close().await?;
        }
        return report;
    }
    let measured = measure(options, &targets).await;
    let report = match measured {
        Ok(mut report) => {
            if let Some(own) = targets.iter_mut().find(|target| target.is_private()) {
                lifecycle::measure(options, own, &mut report)
                    .await
                    .context("measure starts of the daemon")?;
            }
            Ok(report)
        }
        Err(error) => Err(error),
    };
    for target in targets {
        target.close().await?;
    }
    report
}

async fn measure(options: &Options, targets: &[Target]) -> Result<Report> {
    let mut report = Report::new(options, targets).await?;
    for target in targets {
        target.prepare(&options.image).await.with_context(|| format!("prepare {}", target.name))?;
        report.memory(&target.name, "daemon_idle_rss", memory::daemon_rss(target)?);
    }
    latency::measure(options, targets, &mut report).await?;
    for target in targets {
        throughput::measure(options, target, &mut report)
            .await
            .with_context(|| format!("load {}", target.name))?;
    }
    Ok(report)
}
