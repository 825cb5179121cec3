//! Images: pull, push, save and load, each to the disk.
//!
//! Engines differ in what they wait for before they answer, so that a `sync` of the file systems belongs to each time.
//! Pulls come from the registry that the image's name says; pushes go to an empty one of our own, a new one each time, on loopback.

use crate::options::ImagesOptions;
use crate::report::Report;
use crate::statistics::Summary;
use crate::target::Target;
use crate::{Options, memory};
use anyhow::{Context, Result, bail, ensure};
use engine_client::{Response, Upload};
use serde::Deserialize;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Before each measurement: what the engines delete in the background is to be gone.
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    error: String,
}

/// What one engine took.
#[derive(Debug, Default)]
struct Series {
    pull: Vec<Duration>,
    push: Vec<Duration>,
    save: Vec<Duration>,
    load: Vec<Duration>,
    peak: u64,
}

pub(crate) async fn measure(options: &Options, images: &ImagesOptions, targets: &[Target]) -> Result<Report> {
    let mut report = Report::new(options, targets).await?;
    let mut series: Vec<Series> = targets.iter().map(|_| Series::default()).collect();
    for _ in 0..images.rounds {
        for (target, series) in targets.iter().zip(&mut series) {
            round(target, &images.image, series).await.with_context(|| format!("measure {}", target.name))?;
        }
    }
    for (target, series) in targets.iter().zip(&series) {
        let figures =
            [("pull", &series.pull), ("push", &series.push), ("save", &series.save), ("load", &series.load)];
        for (verb, durations) in figures {
            if let Some(summary) = Summary::of(durations) {
                report.latency(&target.name, &format!("{verb} {}, synced", images.image), summary);
            }
        }
        report.memory(&target.name, "daemon_peak_rss_during_pull", series.peak);
    }
    Ok(report)
}

async fn round(target: &Target, image: &str, series: &mut Series) -> Result<()> {
    remove(target, image).await?;
    settle().await;
    memory::reset_peak(target)?;
    series.pull.push(timed(pull(target, image)).await?);
    series.peak = series.peak.max(memory::daemon_peak(target)?);

    let dir =
        std::env::temp_dir().join(format!("container-runtime-benchmark-transfer-{}", std::process::id()));
    std::fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
    let pushed = push(target, image, &dir.join("registry"), series).await;
    let archived = match pushed {
        Ok(()) => archive(target, image, &dir.join("archive.tar"), series).await,
        Err(error) => Err(error),
    };
    std::fs::remove_dir_all(&dir).with_context(|| format!("remove {}", dir.display()))?;
    archived
}

async fn pull(target: &Target, image: &str) -> Result<()> {
    let (name, tag) = split(image);
    let request = target.client.post("/images/create").query("fromImage", name).query("tag", tag);
    finish(request.send().await?).await.context("pull")
}

async fn push(target: &Target, image: &str, storage: &Path, series: &mut Series) -> Result<()> {
    let registry = PrivateRegistry::start(storage)?;
    let name = format!("{}/benchmark", registry.address);
    let tagged = target.client.post(format!("/images/{image}/tag")).query("repo", &name).query("tag", "1");
    tagged.done().await.context("tag")?;
    settle().await;
    let pushed = timed(async {
        let request = target.client.post(format!("/images/{name}/push")).query("tag", "1");
        // What docker's clients send where there are no credentials: an empty object.
        finish(request.header("X-Registry-Auth", "e30=").send().await?).await.context("push")
    });
    series.push.push(pushed.await?);
    remove(target, &format!("{name}:1")).await
}

async fn archive(target: &Target, image: &str, path: &Path, series: &mut Series) -> Result<()> {
    settle().await;
    let saved = timed(async {
        let mut file = std::fs::File::create(path)?;
        let mut response = target.client.get(format!("/images/{image}/get")).send().await.context("save")?;
        while let Some(piece) = response.chunk().await? {
            file.write_all(&piece)?;
        }
        Ok(())
    });
    series.save.push(saved.await?);
    remove(target, image).await?;
    settle().await;
    let loaded = timed(async {
        let upload = Upload::from_reader(std::fs::File::open(path)?);
        finish(target.client.post("/images/load").upload(upload, "application/x-tar").send().await?)
            .await
            .context("load")
    });
    series.load.push(loaded.await?);
    Ok(())
}

async fn timed(work: impl Future<Output = Result<()>>) -> Result<Duration> {
    let begin = Instant::now();
    work.await?;
    rustix::fs::sync();
    Ok(begin.elapsed())
}

async fn settle() {
    tokio::time::sleep(PAUSE).await;
    rustix::fs::sync();
}

/// One that is not there is removed already.
async fn remove(target: &Target, image: &str) -> Result<()> {
    match target.client.delete(format!("/images/{image}")).query("force", "1").bytes().await {
        Err(error) if !error.is_not_found() => Err(error).context("remove the image"),
        _ => Ok(()),
    }
}

/// Reads a stream of progress to its end.
async fn finish(response: Response) -> Result<()> {
    let mut lines = response.json_lines::<Line>();
    while let Some(line) = lines.next().await? {
        ensure!(line.error.is_empty(), "{}", line.error);
    }
    Ok(())
}

fn split(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

/// An empty registry of our own, for as long as it is held.
#[derive(Debug)]
struct PrivateRegistry {
    process: Child,
    address: String,
}

impl PrivateRegistry {
    fn start(storage: &Path) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["registry", "serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--storage"])
            .arg(storage)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("start a registry")?;
        let output = process.stdout.take().context("the registry's output")?;
        for line in BufReader::new(output).lines() {
            if let Some(address) = line?.strip_prefix("listening on ") {
                return Ok(Self { address: address.to_owned(), process });
            }
        }
        process.kill()?;
        process.wait()?;
        bail!("the registry does not say where it listens")
    }
}

impl Drop for PrivateRegistry {
    fn drop(&mut self) {
        // It keeps nothing that anybody needs.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
