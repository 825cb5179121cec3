//! Networks: what one costs a container's life, how fast packets and names are, what publishing ports takes.
//!
//! Nothing runs in the containers: sockets are opened in their namespaces from here, the same for every engine. Beside the engines
//! stands a bare bridge with the same two containers, made of the kernel alone: what is lost against it is an engine's.

mod bare;
mod names;
mod namespace;
mod publish;
mod traffic;

use crate::options::{NetworkOptions, Options};
use crate::report::Report;
use crate::statistics::Summary;
use crate::target::Target;
use crate::{api, latency};
use anyhow::{Context, Result};
use bare::Bare;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use traffic::Ends;

/// Networks that are made and removed.
const MANY: usize = 200;

/// The name of the column that stands for the kernel.
const BARE: &str = "bare bridge";

/// The figures of each engine, by what they are of.
type Figures = BTreeMap<(String, String), Vec<f64>>;

pub(crate) async fn measure(
    options: &Options,
    wanted: &NetworkOptions,
    targets: &[Target],
) -> Result<Report> {
    let rounds = Options { rounds: wanted.rounds, ..options.clone() };
    let mut report = Report::new(&rounds, targets).await?;
    for target in targets {
        target.prepare(&options.image).await.with_context(|| format!("prepare {}", target.name))?;
    }
    latency::measure_lives(&rounds, targets, &mut report).await?;
    let mut pairs = Vec::new();
    for target in targets {
        let pair = Pair::start(target, &options.image).await;
        pairs.push((target, pair.with_context(|| format!("start two containers of {}", target.name))?));
    }
    let figures = compare(wanted, &pairs).await;
    for (target, pair) in pairs {
        pair.remove(target).await?;
    }
    for ((name, figure), mut values) in figures? {
        values.sort_by(f64::total_cmp);
        if let Some(median) = values.get(values.len() / 2) {
            report.throughput(&name, &figure, *median);
        }
    }
    for target in targets {
        publish::measure(&rounds, target, &mut report).await.with_context(|| target.name.clone())?;
        many(target, &mut report).await.with_context(|| format!("networks of {}", target.name))?;
    }
    Ok(report)
}

/// Every engine in its turn in each round, the kernel alone among them.
async fn compare(wanted: &NetworkOptions, pairs: &[(&Target, Pair)]) -> Result<Figures> {
    let bare = Bare::make()?;
    let mut figures = Figures::new();
    let mut add = |name: &str, figure: &str, value: f64| {
        figures.entry((name.to_owned(), figure.to_owned())).or_default().push(value);
    };
    for _ in 0..wanted.rounds {
        let bare = bare.ends();
        for (figure, value) in traffic(bare).await? {
            add(BARE, figure, value);
        }
        for (target, pair) in pairs {
            for (figure, value) in traffic(pair.ends).await.with_context(|| target.name.clone())? {
                add(&target.name, figure, value);
            }
            let (server, pid) = (pair.name_server, pair.ends.client);
            for (figure, in_flight) in [("names/s, 1 in flight", 1), ("names/s, 32 in flight", 32)] {
                let rate = blocking(move || names::rate(pid, server, "server", in_flight)).await;
                add(&target.name, figure, rate.with_context(|| format!("names of {}", target.name))?);
            }
        }
    }
    Ok(figures)
}

async fn traffic(ends: Ends) -> Result<Vec<(&'static str, f64)>> {
    blocking(move || {
        let mut figures = vec![
            ("container to container, Gbit/s", traffic::container_to_container(ends)?),
            ("host to container, Gbit/s", traffic::host_to_container(ends)?),
        ];
        figures.push(("host to published port, Gbit/s", traffic::host_to_port(ends)?));
        Ok(figures)
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}

/// Two containers on a network of their own: `client`, and `server` with a published port.
struct Pair {
    network: String,
    containers: Vec<String>,
    ends: Ends,
    name_server: IpAddr,
}

impl Pair {
    async fn start(target: &Target, image: &str) -> Result<Self> {
        let client = &target.client;
        let network = format!("benchmark-{}", std::process::id());
        client.post("/networks/create").json_body(&json!({ "Name": network }))?.bytes().await?;
        let mut containers = Vec::new();
        for name in ["client", "server"] {
            let body = json!({
                "Image": image,
                "Cmd": ["sleep", "100000"],
                "ExposedPorts": { traffic::PORT_TEXT: {} },
                "HostConfig": {
                    "NetworkMode": network,
                    "PortBindings": if name == "server" { json!({ traffic::PORT_TEXT: [{ "HostPort": "" }] }) } else { json!({}) },
                },
                "NetworkingConfig": { "EndpointsConfig": { &network: { "Aliases": [name] } } },
            });
            let id = api::create_of(client, &body).await?;
            containers.push(id.clone());
            api::start(client, &id).await?;
        }
        let pids = [api::pid(client, &containers[0]).await?, api::pid(client, &containers[1]).await?];
        let server: Value = client.get(format!("/containers/{}/json", containers[1])).json().await?;
        let settings = &server["NetworkSettings"];
        let address = settings["Networks"][&network]["IPAddress"].as_str().context("no address")?.parse()?;
        let port =
            settings["Ports"][traffic::PORT_TEXT][0]["HostPort"].as_str().context("no port")?.parse()?;
        let resolv = std::fs::read_to_string(format!("/proc/{}/root/etc/resolv.conf", pids[0]))?;
        let name_server =
            resolv.lines().find_map(|line| line.strip_prefix("nameserver ")?.trim().parse().ok());
        Ok(Self {
            network,
            containers,
            ends: Ends { client: pids[0], server: pids[1], address, published: Some(port) },
            name_server: name_server.context("no name server in resolv.conf")?,
        })
    }

    async fn remove(&self, target: &Target) -> Result<()> {
        for id in &self.containers {
            api::remove(&target.client, id).await?;
        }
        target.client.delete(format!("/networks/{}", self.network)).done().await?;
        Ok(())
    }
}

/// Makes and removes many networks.
async fn many(target: &Target, report: &mut Report) -> Result<()> {
    let name = |number: usize| format!("benchmark-{}-{number}", std::process::id());
    let (mut made, mut removed): (Vec<Duration>, Vec<Duration>) = (Vec::new(), Vec::new());
    for number in 0..MANY {
        let begin = Instant::now();
        let create = target.client.post("/networks/create").json_body(&json!({ "Name": name(number) }))?;
        if let Err(error) = create.bytes().await {
            report.note(format!("{}: network {} of {MANY}: {error}", target.name, number + 1));
            break;
        }
        made.push(begin.elapsed());
    }
    for number in 0..made.len() {
        let begin = Instant::now();
        target.client.delete(format!("/networks/{}", name(number))).done().await?;
        removed.push(begin.elapsed());
    }
    for (verb, series) in [("network create", &made), ("network rm", &removed)] {
        if let Some(summary) = Summary::of(series) {
            report.latency(&target.name, &format!("{verb}, one of {MANY}"), summary);
        }
    }
    Ok(())
}
