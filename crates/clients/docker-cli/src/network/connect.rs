//! `docker network connect`.

use super::path;
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::hosts;
use crate::verb::{Arity, verb};
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Debug, clap::Args)]
struct Args {
    /// Add network-scoped alias for the container
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    alias: Vec<String>,
    /// driver options for the network
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    driver_opt: Vec<String>,
    #[arg(
        long,
        help = "Highest gw-priority provides the default gateway. Accepts positive and negative values."
    )]
    gw_priority: Option<i64>,
    #[arg(long, help = "IPv4 address (e.g., \"172.30.100.104\")")]
    ip: Option<String>,
    #[arg(long, help = "IPv6 address (e.g., \"2001:db8::33\")")]
    ip6: Option<String>,
    /// Add link to another container
    #[arg(long, value_parser = hosts::link)]
    link: Vec<String>,
    /// Add a link-local address for the container
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    link_local_ip: Vec<String>,
}

verb!(Args, run, Arity::Exactly(2), "[OPTIONS] NETWORK CONTAINER", "Connect a container to a network");

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let options: BTreeMap<&str, &str> = args
        .driver_opt
        .iter()
        .map(|option| match option.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok((key.trim(), value.trim())),
            _ => Err(Failure::new("invalid key/value pair format in driver options")),
        })
        .collect::<Outcome<_>>()?;
    let body = json!({
        "Container": words[1],
        "EndpointConfig": {
            "IPAMConfig": {
                "IPv4Address": args.ip.as_deref().unwrap_or_default(),
                "IPv6Address": args.ip6.as_deref().unwrap_or_default(),
                "LinkLocalIPs": args.link_local_ip,
            },
            "Links": (!args.link.is_empty()).then_some(&args.link),
            "Aliases": args.alias,
            "DriverOpts": options,
            "GwPriority": args.gw_priority.unwrap_or(0),
        },
    });
    app.client()?.post(path(&words[0], "/connect")).json_body(&body)?.done().await?;
    Ok(())
}
