//! `docker network create`.

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::env;
use crate::output;
use crate::verb::{Arity, verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::IpAddr;

#[derive(Debug, clap::Args)]
struct Args {
    /// Enable manual container attachment
    #[arg(long)]
    attachable: bool,
    /// Auxiliary IPv4 or IPv6 addresses used by Network driver (default map[])
    #[arg(long, value_name = "map")]
    aux_address: Vec<String>,
    /// The network from which to copy the configuration
    #[arg(long)]
    config_from: Option<String>,
    /// Create a configuration only network
    #[arg(long)]
    config_only: bool,
    /// Driver to manage the Network
    #[arg(short, long, default_value = "bridge")]
    driver: String,
    /// IPv4 or IPv6 Gateway for the master subnet
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    gateway: Vec<String>,
    /// Create swarm routing-mesh network
    #[arg(long)]
    ingress: bool,
    /// Restrict external access to the network
    #[arg(long)]
    internal: bool,
    /// Allocate container ip from a sub-range
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    ip_range: Vec<String>,
    /// IP Address Management Driver
    #[arg(long, default_value = "default")]
    ipam_driver: String,
    /// Set IPAM driver specific options (default map[])
    #[arg(long, value_name = "map")]
    ipam_opt: Vec<String>,
    /// Enable or disable IPv4 address assignment (default true)
    #[arg(long)]
    ipv4: Option<bool>,
    /// Enable or disable IPv6 address assignment
    #[arg(long)]
    ipv6: Option<bool>,
    /// Set metadata on a network
    #[arg(long, value_parser = env::label)]
    label: Vec<String>,
    /// Set driver specific options (default map[])
    #[arg(short, long, value_name = "map")]
    opt: Vec<String>,
    /// Control the network's scope
    #[arg(long)]
    scope: Option<String>,
    /// Subnet in CIDR format that represents a network segment
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    subnet: Vec<String>,
}

verb!(Args, run, Arity::Exactly(1), "[OPTIONS] NETWORK", "Create a network");

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
}

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let body = json!({
        "Name": names[0],
        "Driver": args.driver,
        "Options": env::map(&args.opt),
        "IPAM": {"Driver": args.ipam_driver, "Config": pools(args)?, "Options": env::map(&args.ipam_opt)},
        "Internal": args.internal,
        "EnableIPv4": args.ipv4,
        "EnableIPv6": args.ipv6,
        "Attachable": args.attachable,
        "Ingress": args.ingress,
        "Scope": args.scope.as_deref().unwrap_or_default(),
        "ConfigOnly": args.config_only,
        "ConfigFrom": args.config_from.as_ref().map(|network| json!({"Network": network})),
        "Labels": env::map(&args.label),
    });
    let created: Created = app.client()?.post("/networks/create").json_body(&body)?.json().await?;
    output::line(created.id)
}

/// A network in CIDR notation.
struct Subnet {
    address: IpAddr,
    prefix: u8,
}

impl Subnet {
    fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("invalid CIDR address: {text}");
        let (address, prefix) = text.split_once('/').ok_or_else(invalid)?;
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let prefix: u8 = prefix.parse().map_err(|_| invalid())?;
        if prefix > if address.is_ipv4() { 32 } else { 128 } {
            return Err(invalid());
        }
        Ok(Self { address, prefix })
    }

    fn contains(&self, other: IpAddr) -> bool {
        let network =
            |value: u128, width: u32| value.checked_shr(width - u32::from(self.prefix)).unwrap_or(0);
        match (self.address, other) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                network(u128::from(a.to_bits()), 32) == network(u128::from(b.to_bits()), 32)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => network(a.to_bits(), 128) == network(b.to_bits(), 128),
            _ => false,
        }
    }
}

/// Whether an address, or the base of a range, lies in a subnet.
fn matches(subnet: &str, data: &str) -> Outcome<bool> {
    let subnet = Subnet::parse(subnet).map_err(|why| Failure::new(format!("invalid subnet: {why}")))?;
    let address = if data.contains('/') {
        Some(Subnet::parse(data).map_err(Failure::new)?.address)
    } else {
        data.parse().ok()
    };
    Ok(address.is_some_and(|address| subnet.contains(address)))
}

/// Puts ranges, gateways and further addresses to their subnets.
fn pools(args: &Args) -> Outcome<Vec<Value>> {
    if args.subnet.len() < args.ip_range.len() || args.subnet.len() < args.gateway.len() {
        return Err(Failure::new("every ip-range or gateway must have a corresponding subnet"));
    }
    let mut pools: Vec<(String, Value)> = Vec::new();
    for subnet in &args.subnet {
        for (other, _) in &pools {
            if matches(subnet, other)? || matches(other, subnet)? {
                return Err(Failure::new("multiple overlapping subnet configuration is not supported"));
            }
        }
        pools.push((subnet.clone(), json!({"Subnet": subnet, "AuxiliaryAddresses": {}})));
    }
    for (what, field, values) in [("range", "IPRange", &args.ip_range), ("gateway", "Gateway", &args.gateway)]
    {
        for value in values {
            let pool = pool_of(&mut pools, value, what)?;
            if let Some(before) = pool[field].as_str() {
                let text = match what {
                    "range" => {
                        format!("cannot configure multiple ranges ({value}, {before}) on the same subnet")
                    }
                    _ => {
                        format!("cannot configure multiple gateways ({value}, {before}) for the same subnet")
                    }
                };
                return Err(Failure::new(format!(
                    "{text} ({})",
                    pool["Subnet"].as_str().unwrap_or_default()
                )));
            }
            pool[field] = json!(value);
        }
    }
    for (name, address) in env::map(&args.aux_address) {
        pool_of(&mut pools, &address, "aux-address")?["AuxiliaryAddresses"][&name] = json!(address);
    }
    Ok(pools.into_iter().map(|(_, pool)| pool).collect())
}

fn pool_of<'p>(pools: &'p mut [(String, Value)], data: &str, what: &str) -> Outcome<&'p mut Value> {
    for (subnet, pool) in pools {
        if matches(subnet, data)? {
            return Ok(pool);
        }
    }
    Err(Failure::new(format!("no matching subnet for {what} {data}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_subnets() {
        assert!(matches("10.0.0.0/8", "10.2.3.4").unwrap() && !matches("10.0.0.0/8", "11.0.0.1").unwrap());
        assert!(matches("10.0.0.0/8", "10.1.0.0/16").unwrap());
        assert!(matches("fd00::/64", "fd00::1").unwrap() && !matches("fd00::/64", "10.0.0.1").unwrap());
        assert!(matches("0.0.0.0/0", "1.2.3.4").unwrap());
        assert_eq!(matches("10/8", "x").unwrap_err().message, "invalid subnet: invalid CIDR address: 10/8");
    }
}
