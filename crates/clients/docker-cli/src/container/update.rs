//! `docker update`.

use super::path;
use crate::app::App;
use crate::failure::{Errors, Failure, Outcome};
use crate::flags::limits::{self, Bytes, NanoCpus};
use crate::flags::{ports, restart};
use crate::output;
use crate::verb::{Arity, verb};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, clap::Args)]
struct Args {
    /// Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)
    #[arg(long)]
    blkio_weight: Option<u16>,
    /// Limit CPU CFS (Completely Fair Scheduler) period
    #[arg(long)]
    cpu_period: Option<i64>,
    /// Limit CPU CFS (Completely Fair Scheduler) quota
    #[arg(long)]
    cpu_quota: Option<i64>,
    /// Limit the CPU real-time period in microseconds
    #[arg(long)]
    cpu_rt_period: Option<i64>,
    /// Limit the CPU real-time runtime in microseconds
    #[arg(long)]
    cpu_rt_runtime: Option<i64>,
    /// CPU shares (relative weight)
    #[arg(short, long)]
    cpu_shares: Option<i64>,
    /// Number of CPUs
    #[arg(long, value_name = "decimal", value_parser = limits::cpus)]
    cpus: Option<NanoCpus>,
    /// CPUs in which to allow execution (0-3, 0,1)
    #[arg(long)]
    cpuset_cpus: Option<String>,
    /// MEMs in which to allow execution (0-3, 0,1)
    #[arg(long)]
    cpuset_mems: Option<String>,
    #[arg(long, hide = true, value_parser = limits::bytes)]
    kernel_memory: Option<Bytes>,
    /// Memory limit
    #[arg(short, long, value_name = "bytes", value_parser = limits::bytes)]
    memory: Option<Bytes>,
    /// Memory soft limit
    #[arg(long, value_name = "bytes", value_parser = limits::bytes)]
    memory_reservation: Option<Bytes>,
    /// Swap limit equal to memory plus swap: -1 to enable unlimited swap
    #[arg(long, value_name = "bytes", value_parser = limits::swap)]
    memory_swap: Option<Bytes>,
    /// Tune container pids limit (set -1 for unlimited)
    #[arg(long)]
    pids_limit: Option<i64>,
    /// Publish a port besides (not in docker): as --publish of run
    #[arg(long, value_name = "list")]
    publish_add: Vec<String>,
    /// Publish a port no more (not in docker): as --publish-add, or the container's port alone for all of its bindings
    #[arg(long, value_name = "list")]
    publish_rm: Vec<String>,
    /// Restart policy to apply when a container exits
    #[arg(long)]
    restart: Option<String>,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Update configuration of one or more containers"
);

#[derive(Deserialize, Default)]
struct Answer {
    #[serde(rename = "Warnings", default)]
    warnings: Option<Vec<String>>,
}

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let body = body(args)?;
    if body.is_empty() {
        return Err(Failure::new("you must provide one or more flags when using this command"));
    }
    let client = app.client()?;
    let mut errors = Errors::default();
    let mut warnings = Vec::new();
    for name in names {
        let result = update(client, name, &body).await;
        if let Some(answer) = errors.note(result) {
            output::line(name)?;
            warnings.extend(answer.warnings.unwrap_or_default());
        }
    }
    if !warnings.is_empty() {
        output::line(warnings.join("\n"))?;
    }
    errors.finish()
}

async fn update(client: &engine_client::Client, name: &str, body: &Map<String, Value>) -> Outcome<Answer> {
    Ok(client.post(path(name, "/update")?).json_body(body)?.json().await?)
}

/// None for no port at all.
fn bindings(texts: &[String]) -> Outcome<Option<Value>> {
    let ports = ports::parse(texts, &[]).map_err(Failure::new)?;
    Ok((!ports.bindings.is_empty()).then_some(Value::Object(ports.bindings)))
}

/// Only what was given: the daemon keeps the rest.
fn body(args: &Args) -> Outcome<Map<String, Value>> {
    let bytes = |value: Option<Bytes>| value.map(|Bytes(bytes)| json!(bytes));
    let restart = match args.restart.as_deref().filter(|policy| !policy.is_empty()) {
        Some(policy) => Some(restart::parse(policy).map_err(Failure::new)?),
        None => None,
    };
    let fields = [
        ("BlkioWeight", args.blkio_weight.map(|weight| json!(weight))),
        ("CpuPeriod", args.cpu_period.map(|n| json!(n))),
        ("CpuQuota", args.cpu_quota.map(|n| json!(n))),
        ("CpuRealtimePeriod", args.cpu_rt_period.map(|n| json!(n))),
        ("CpuRealtimeRuntime", args.cpu_rt_runtime.map(|n| json!(n))),
        ("CpuShares", args.cpu_shares.map(|n| json!(n))),
        ("NanoCpus", args.cpus.map(|NanoCpus(n)| json!(n))),
        ("CpusetCpus", args.cpuset_cpus.as_ref().map(|text| json!(text))),
        ("CpusetMems", args.cpuset_mems.as_ref().map(|text| json!(text))),
        ("KernelMemory", bytes(args.kernel_memory)),
        ("Memory", bytes(args.memory)),
        ("MemoryReservation", bytes(args.memory_reservation)),
        ("MemorySwap", bytes(args.memory_swap)),
        ("PidsLimit", args.pids_limit.filter(|limit| *limit != 0).map(|n| json!(n))),
        ("PublishAdd", bindings(&args.publish_add)?),
        ("PublishRemove", bindings(&args.publish_rm)?),
        ("RestartPolicy", restart),
    ];
    Ok(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}
