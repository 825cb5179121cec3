//! What to measure.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Measure the engine: latency, throughput, memory, starts of the daemon
#[derive(Debug, Clone, Parser)]
#[command(disable_version_flag = true)]
pub struct Options {
    /// Containers that run at once in the throughput part
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub containers: usize,
    /// Clients that start them at once
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub concurrent: usize,
    /// Rounds of the latency part
    #[arg(long, value_name = "NUMBER", default_value_t = 30)]
    pub rounds: usize,
    /// Containers that a restarted daemon has to find again; 0: leave that part out
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub adopt: usize,
    /// Image that has `true` and `sleep`; made from the host's busybox where it is missing
    #[arg(long, value_name = "IMAGE", default_value = "benchmark-busybox:latest")]
    pub image: String,
    /// Measure this engine instead of a private one
    #[arg(long, value_name = "ADDRESS", global = true)]
    pub target: Option<String>,
    /// Another engine to measure in the same run (may be repeated)
    #[arg(long = "peer", value_name = "NAME=ADDRESS", global = true)]
    pub peers: Vec<String>,
    /// Where to save the figures as JSON
    #[arg(long, value_name = "FILE", default_value = "benchmark.json", global = true)]
    pub output: PathBuf,
    /// Leave the default bridge out
    #[arg(long)]
    pub no_bridge: bool,
    /// Measure this alone
    #[command(subcommand)]
    pub part: Option<Part>,
}

/// A part of the benchmark with options of its own.
#[derive(Debug, Clone, Subcommand)]
pub enum Part {
    /// Measure pull, push, save and load, and the memory of a pull
    Images(ImagesOptions),
    /// Measure starts with networks, traffic beside a bare bridge, names, and publishing ports
    Network(NetworkOptions),
}

/// How often.
#[derive(Debug, Clone, Args)]
pub struct NetworkOptions {
    /// Rounds
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    pub rounds: usize,
}

/// Which image to move, and how often.
#[derive(Debug, Clone, Args)]
pub struct ImagesOptions {
    /// Image in a registry on loopback, which images of the same size and shape are made from: HOST:PORT/NAME[:TAG]
    pub image: String,
    /// Rounds
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    pub rounds: usize,
}
