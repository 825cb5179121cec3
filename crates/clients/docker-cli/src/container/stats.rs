//! `docker stats`.

use super::path;
use crate::app::App;
use crate::failure::Outcome;
use crate::output::format::{Defaults, Format};
use crate::output::names::short_id;
use crate::output::{self, FORMAT_HELP, units};
use crate::template::Value;
use crate::verb::{Arity, verb};
use engine_client::Client;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, clap::Args)]
struct Args {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    all: bool,
    #[arg(long, help = FORMAT_HELP)]
    format: Option<String>,
    /// Disable streaming stats and only pull the first result
    #[arg(long)]
    no_stream: bool,
    /// Do not truncate output
    #[arg(long)]
    no_trunc: bool,
}

verb!(
    Args,
    run,
    Arity::AtLeast(0),
    "[OPTIONS] [CONTAINER...]",
    "Display a live stream of container(s) resource usage statistics"
);

/// A sample of a container, as far as it is shown.
#[derive(Debug, Deserialize, Default, Clone)]
#[serde(default)]
struct Sample {
    id: String,
    name: String,
    cpu_stats: Cpu,
    precpu_stats: Cpu,
    memory_stats: Memory,
    blkio_stats: Blkio,
    pids_stats: Pids,
    networks: Option<BTreeMap<String, Network>>,
}

#[derive(Debug, Deserialize, Default, Clone)]
#[serde(default)]
struct Cpu {
    cpu_usage: CpuUsage,
    system_cpu_usage: u64,
    online_cpus: u32,
}

#[derive(Debug, Deserialize, Default, Clone)]
#[serde(default)]
struct CpuUsage {
    total_usage: u64,
    percpu_usage: Option<Vec<u64>>,
}

#[derive(Debug, Deserialize, Default, Clone)]
#[serde(default)]
struct Memory {
    usage: u64,
    limit: u64,
    stats: Option<BTreeMap<String, u64>>,
}

#[derive(Debug, Deserialize, Default, Clone)]
#[serde(default)]
struct Blkio {
    io_service_bytes_recursive: Option<Vec<BlkioEntry>>,
}

#[derive(Debug, Deserialize, Default, Clone)]
#[serde(default)]
struct BlkioEntry {
    op: String,
    value: u64,
}

#[derive(Debug, Deserialize, Default, Clone)]
#[serde(default)]
struct Pids {
    current: u64,
}

#[derive(Debug, Deserialize, Default, Clone)]
#[serde(default)]
struct Network {
    rx_bytes: u64,
    tx_bytes: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
}

const TITLES: [(&str, &str); 9] = [
    ("BlockIO", "BLOCK I/O"),
    ("CPUPerc", "CPU %"),
    ("Container", "CONTAINER"),
    ("ID", "CONTAINER ID"),
    ("MemPerc", "MEM %"),
    ("MemUsage", "MEM USAGE / LIMIT"),
    ("Name", "NAME"),
    ("NetIO", "NET I/O"),
    ("PIDs", "PIDS"),
];

/// How often the table is drawn anew, and the list of containers asked for.
const DRAW: Duration = Duration::from_millis(500);
const LIST: u32 = 4;

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let client = app.client()?;
    let source = args.format.clone().unwrap_or_else(|| app.config().stats_format.clone());
    let table = "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t\
                 {{.PIDs}}";
    let defaults = Defaults { table, quiet: table, raw: "raw", raw_quiet: "raw", quiet_wins: false };
    let format = Format::choose(&source, false, &defaults)?;
    let wanted = if names.is_empty() { list(client, args.all).await? } else { names.to_vec() };
    if args.no_stream {
        let samples = futures_util::future::join_all(wanted.iter().map(|name| once(client, name))).await;
        let mut rows = Vec::new();
        for (name, sample) in wanted.iter().zip(samples) {
            match sample {
                Ok(sample) => rows.push(row(name, Some(&sample), args.no_trunc)),
                Err(failure) if !names.is_empty() => return Err(failure),
                // It ended between the list and the question.
                Err(_) => {}
            }
        }
        return output::stdout(&format.rows(&TITLES, &rows)?);
    }
    follow(client, args, names, wanted, &format).await
}

async fn list(client: &Client, all: bool) -> Outcome<Vec<String>> {
    let listed: Vec<Listed> = client.get("/containers/json").flag("all", all).json().await?;
    Ok(listed.iter().map(|container| short_id(&container.id).to_owned()).collect())
}

async fn once(client: &Client, name: &str) -> Outcome<Sample> {
    Ok(client.get(path(name, "/stats")?).query("stream", "0").json().await?)
}

/// Collects the samples of each container on a connection of its own, and draws them all together.
async fn follow(
    client: &Client,
    args: &Args,
    names: &[String],
    wanted: Vec<String>,
    format: &Format,
) -> Outcome {
    let samples = Samples::default();
    let mut order = wanted.clone();
    let mut collectors: FuturesUnordered<_> =
        wanted.into_iter().map(|name| collect(client, name, &samples)).collect();
    let mut ticks = tokio::time::interval(DRAW);
    let mut count = 0u32;
    loop {
        tokio::select! {
            Some((name, result)) = collectors.next(), if !collectors.is_empty() => {
                order.retain(|known| *known != name);
                if let (Err(failure), false) = (result, names.is_empty()) {
                    return Err(failure);
                }
                if order.is_empty() && !names.is_empty() {
                    return Ok(());
                }
            }
            _ = ticks.tick() => {
                let rows: Vec<Value> = order
                    .iter()
                    .map(|name| row(name, samples.borrow().get(name), args.no_trunc))
                    .collect();
                draw(&format.rows(&TITLES, &rows)?)?;
                count += 1;
                if names.is_empty() && count.is_multiple_of(LIST) {
                    for name in list(client, args.all).await? {
                        if !order.contains(&name) {
                            order.push(name.clone());
                            collectors.push(collect(client, name, &samples));
                        }
                    }
                }
            }
        }
    }
}

/// The latest sample of each container.
type Samples = RefCell<BTreeMap<String, Sample>>;

/// Collects until the container's stream ends, and gives its name with how that went.
async fn collect(client: &Client, name: String, samples: &Samples) -> (String, Outcome) {
    let result = collect_into(client, &name, samples).await;
    samples.borrow_mut().remove(&name);
    (name, result)
}

async fn collect_into(client: &Client, name: &str, samples: &Samples) -> Outcome {
    let mut stream =
        client.get(path(name, "/stats")?).query("stream", "1").send().await?.json_lines::<Sample>();
    while let Some(sample) = stream.next().await? {
        samples.borrow_mut().insert(name.to_owned(), sample);
    }
    Ok(())
}

/// From the top left, each line cleared to its end, and what is left of an older, longer table.
fn draw(table: &str) -> Outcome {
    let lines: String = table.lines().map(|line| format!("{line} \x1b[K\n")).collect();
    output::stdout(&format!("\x1b[H{lines}\x1b[J"))
}

fn row(name: &str, sample: Option<&Sample>, whole: bool) -> Value {
    let unknown = || "--".to_owned();
    let shown = |show: fn(&Sample) -> String| sample.map_or_else(unknown, show);
    let id = sample.map_or("", |sample| if whole { &sample.id } else { short_id(&sample.id) });
    Value::structure(
        "*container.statsContext",
        [
            ("BlockIO", shown(block_io).into()),
            ("CPUPerc", shown(|sample| format!("{:.2}%", cpu_percent(sample))).into()),
            ("Container", name.into()),
            ("ID", id.into()),
            ("MemPerc", shown(|sample| format!("{:.2}%", memory_percent(&sample.memory_stats))).into()),
            ("MemUsage", sample.map_or_else(|| "-- / --".to_owned(), memory_usage).into()),
            ("Name", shown(|sample| sample.name.trim_start_matches('/').to_owned()).into()),
            ("NetIO", shown(net_io).into()),
            ("PIDs", shown(|sample| sample.pids_stats.current.to_string()).into()),
        ],
    )
}

/// The container's share of one CPU's time between two samples.
fn cpu_percent(sample: &Sample) -> f64 {
    let (now, before) = (&sample.cpu_stats, &sample.precpu_stats);
    let used = now.cpu_usage.total_usage as f64 - before.cpu_usage.total_usage as f64;
    let passed = now.system_cpu_usage as f64 - before.system_cpu_usage as f64;
    let cpus = match now.online_cpus {
        0 => now.cpu_usage.percpu_usage.as_ref().map_or(0, Vec::len) as f64,
        cpus => f64::from(cpus),
    };
    if passed > 0.0 && used > 0.0 { used / passed * cpus * 100.0 } else { 0.0 }
}

/// Without the page cache that could be dropped at once.
fn used_memory(memory: &Memory) -> f64 {
    let stat = |name: &str| memory.stats.as_ref().and_then(|stats| stats.get(name)).copied();
    let v1 = stat("total_inactive_file").filter(|inactive| *inactive < memory.usage);
    let inactive = v1.or_else(|| stat("inactive_file").filter(|inactive| *inactive < memory.usage));
    (memory.usage - inactive.unwrap_or(0)) as f64
}

fn memory_percent(memory: &Memory) -> f64 {
    if memory.limit == 0 { 0.0 } else { used_memory(memory) / memory.limit as f64 * 100.0 }
}

fn memory_usage(sample: &Sample) -> String {
    let memory = &sample.memory_stats;
    format!("{} / {}", units::bytes_size(used_memory(memory)), units::bytes_size(memory.limit as f64))
}

fn net_io(sample: &Sample) -> String {
    let networks = || sample.networks.iter().flat_map(BTreeMap::values);
    let received: u64 = networks().map(|network| network.rx_bytes).sum();
    let sent: u64 = networks().map(|network| network.tx_bytes).sum();
    pair(received, sent)
}

fn block_io(sample: &Sample) -> String {
    let entries = || sample.blkio_stats.io_service_bytes_recursive.iter().flatten();
    let sum = |letter: char| {
        entries()
            .filter(|entry| entry.op.to_ascii_lowercase().starts_with(letter))
            .map(|entry| entry.value)
            .sum()
    };
    pair(sum('r'), sum('w'))
}

fn pair(a: u64, b: u64) -> String {
    format!("{} / {}", units::human_size(a as f64, 3), units::human_size(b as f64, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_sample() {
        let json = r#"{"cpu_stats":{"cpu_usage":{"total_usage":300},"system_cpu_usage":2000,"online_cpus":2},
            "precpu_stats":{"cpu_usage":{"total_usage":100},"system_cpu_usage":1000},
            "memory_stats":{"usage":3145728,"limit":4194304,"stats":{"inactive_file":1048576}}}"#;
        let sample: Sample = serde_json::from_str(json).unwrap();
        assert_eq!(format!("{:.2}", cpu_percent(&sample)), "40.00");
        assert_eq!(memory_usage(&sample), "2MiB / 4MiB");
        assert_eq!(format!("{:.2}", memory_percent(&sample.memory_stats)), "50.00");
        assert_eq!(net_io(&sample), "0B / 0B");
    }
}
