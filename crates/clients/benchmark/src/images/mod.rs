//! Images: pull, push, save and load, each to the disk.
//!
//! Engines differ in what they wait for before they answer, so that a `sync` of the file systems belongs to each time. Pulls come
//! from a registry of our own on loopback, pushes go to an empty one, a new one each time; all engines load the same archive.
//! Nothing is removed before the end: see [`variants`].

mod registry;
mod variants;

use crate::options::ImagesOptions;
use crate::report::Report;
use crate::statistics::Summary;
use crate::target::Target;
use crate::{Options, memory};
use anyhow::{Context, Result, ensure};
use engine_client::{Response, Upload};
use registry::{PrivateRegistry, Repository, split};
use serde::Deserialize;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use variants::Image;

/// Before each measurement: what engines do in the background is to be over.
const PAUSE: Duration = Duration::from_secs(2);

/// The repository that the images come from; also the one that they are pushed to.
const NAME: &str = "benchmark";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    error: String,
}

/// What one engine took, and has.
#[derive(Debug, Default)]
struct Series {
    pull: Vec<Duration>,
    push: Vec<Duration>,
    save: Vec<Duration>,
    load: Vec<Duration>,
    peak: u64,
    images: Vec<String>,
}

pub(crate) async fn measure(options: &Options, images: &ImagesOptions, targets: &[Target]) -> Result<Report> {
    let mut report = Report::new(options, targets).await?;
    let mut series: Vec<Series> = targets.iter().map(|_| Series::default()).collect();
    let dir = std::env::temp_dir().join(format!("container-runtime-benchmark-images-{}", std::process::id()));
    std::fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
    let measured = rounds(images, targets, &mut series, &dir).await;
    for (target, series) in targets.iter().zip(&series) {
        for image in &series.images {
            remove(target, image).await?;
        }
    }
    std::fs::remove_dir_all(&dir).with_context(|| format!("remove {}", dir.display()))?;
    measured?;
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

async fn rounds(images: &ImagesOptions, targets: &[Target], series: &mut [Series], dir: &Path) -> Result<()> {
    let (host, name, tag) = split(&images.image)?;
    let image = Image::fetch(&Repository::new(host, name), tag).await;
    let image = image.with_context(|| format!("read {}", images.image))?;
    let registry = PrivateRegistry::start(&dir.join("registry"))?;
    let repository = Repository::new(&registry.address, NAME);
    for round in 0..images.rounds {
        image.push(&repository, 2 * round + 1).await.context("make an image")?;
        let pulled = format!("{}/{NAME}:{}", registry.address, 2 * round + 1);
        for (target, series) in targets.iter().zip(&mut *series) {
            let moved = moves(target, &pulled, dir, series).await;
            moved.with_context(|| format!("measure {}", target.name))?;
        }
        let loaded = format!("{}/{NAME}:{}", registry.address, 2 * round + 2);
        let archive = dir.join("load.tar");
        image.archive(&loaded, 2 * round + 2, &archive)?;
        for (target, series) in targets.iter().zip(&mut *series) {
            settle().await;
            series.images.push(loaded.clone());
            let took = timed(load(target, &archive)).await;
            series.load.push(took.with_context(|| format!("measure {}", target.name))?);
        }
    }
    Ok(())
}

/// Pull, push, save.
async fn moves(target: &Target, image: &str, dir: &Path, series: &mut Series) -> Result<()> {
    settle().await;
    memory::reset_peak(target)?;
    series.images.push(image.to_owned());
    series.pull.push(timed(pull(target, image)).await?);
    series.peak = series.peak.max(memory::daemon_peak(target)?);

    let storage = dir.join("pushed");
    let empty = PrivateRegistry::start(&storage)?;
    let name = format!("{}/{NAME}", empty.address);
    let tagged = target.client.post(format!("/images/{image}/tag")).query("repo", &name).query("tag", "1");
    tagged.done().await.context("tag")?;
    series.images.push(format!("{name}:1"));
    settle().await;
    series.push.push(timed(push(target, &name)).await?);
    drop(empty);

    settle().await;
    series.save.push(timed(save(target, image, &dir.join("saved.tar"))).await?);
    std::fs::remove_dir_all(&storage).with_context(|| format!("remove {}", storage.display()))
}

async fn pull(target: &Target, image: &str) -> Result<()> {
    let (name, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
    let request = target.client.post("/images/create").query("fromImage", name).query("tag", tag);
    finish(request.send().await?).await.context("pull")
}

async fn push(target: &Target, name: &str) -> Result<()> {
    let request = target.client.post(format!("/images/{name}/push")).query("tag", "1");
    // What docker's clients send where there are no credentials: an empty object.
    finish(request.header("X-Registry-Auth", "e30=").send().await?).await.context("push")
}

async fn save(target: &Target, image: &str, path: &PathBuf) -> Result<()> {
    let mut file = File::create(path)?;
    let mut response = target.client.get(format!("/images/{image}/get")).send().await.context("save")?;
    while let Some(piece) = response.chunk().await? {
        file.write_all(&piece)?;
    }
    Ok(())
}

async fn load(target: &Target, path: &Path) -> Result<()> {
    let upload = Upload::from_reader(File::open(path)?);
    let request = target.client.post("/images/load").upload(upload, "application/x-tar");
    finish(request.send().await?).await.context("load")
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
