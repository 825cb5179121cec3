//! What publishing ports takes: the start of a container with them.

use crate::options::Options;
use crate::report::Report;
use crate::statistics::Summary;
use crate::target::Target;
use crate::{api, memory};
use anyhow::Result;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// The first port that is published. Datagrams at an address of loopback: hardly anything else is there.
const FIRST: u16 = 4000;
const ADDRESS: &str = "127.0.0.77";
/// More are not asked of engines that have a process for each: a thousand take one of them a minute.
const MOST_OF_OTHERS: u16 = 100;

pub(super) async fn measure(options: &Options, target: &Target, report: &mut Report) -> Result<()> {
    for count in [0, 1, 100, 1000, 60_000] {
        if count > MOST_OF_OTHERS && !target.is_ours() {
            report.note(format!("{count} ports are not asked of {}", target.name));
            continue;
        }
        let rounds = if count > 1 { options.rounds.min(5) } else { options.rounds };
        let before = memory::daemon_rss(target)?;
        let (mut create, mut start, mut grown) = (Vec::new(), Vec::new(), 0);
        for _ in 0..rounds {
            // Written beforehand: what a client takes to spell out its ports is not the engine's.
            let request = target.client.post("/containers/create").json_body(&body(&options.image, count))?;
            let begin = Instant::now();
            let id = api::created(request).await?;
            create.push(begin.elapsed());
            let begin = Instant::now();
            let started = api::start(&target.client, &id).await;
            start.push(begin.elapsed());
            grown = memory::daemon_rss(target)?.saturating_sub(before);
            api::remove(&target.client, &id).await?;
            started?;
        }
        let figures: [(&str, &[Duration]); 2] = [("create", &create), ("start", &start)];
        for (verb, series) in figures {
            if let Some(summary) = Summary::of(series) {
                report.latency(&target.name, &format!("{verb} with {count} ports"), summary);
            }
        }
        if count > 1 {
            report.memory(&target.name, &format!("daemon_growth_with_{count}_ports"), grown);
        }
    }
    Ok(())
}

fn body(image: &str, count: u16) -> Value {
    let ports = (FIRST..).take(count.into());
    let bindings: Map<String, Value> = ports
        .map(|port| (format!("{port}/udp"), json!([{ "HostIp": ADDRESS, "HostPort": port.to_string() }])))
        .collect();
    let exposed: Map<String, Value> = bindings.keys().map(|port| (port.clone(), json!({}))).collect();
    json!({
        "Image": image,
        "Cmd": ["sleep", "100000"],
        "ExposedPorts": exposed,
        "HostConfig": { "PortBindings": bindings },
    })
}
