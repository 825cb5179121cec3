//! A bridge and two namespaces on it, made of the kernel alone.

use super::traffic::Ends;
use anyhow::{Context, Result, ensure};
use std::process::{Child, Command, Stdio};

/// The bridge's name and the addresses on it: of a range for benchmarks (RFC 2544).
const BRIDGE: &str = "ctrbench0";
const ADDRESSES: [&str; 3] = ["198.18.77.1", "198.18.77.2", "198.18.77.3"];

/// What is measured beside engines. It goes when it is dropped.
#[derive(Debug)]
pub(super) struct Bare {
    ends: Vec<Child>,
}

impl Bare {
    pub(super) fn make() -> Result<Self> {
        let mut bare = Self { ends: Vec::new() };
        // Of a run that was killed.
        remove_bridge();
        ip(&["link", "add", BRIDGE, "type", "bridge"])?;
        ip(&["address", "add", &format!("{}/24", ADDRESSES[0]), "dev", BRIDGE])?;
        ip(&["link", "set", BRIDGE, "up"])?;
        for (number, address) in ADDRESSES.iter().enumerate().skip(1) {
            let mut keeper = Command::new("unshare");
            keeper.args(["--net", "sh", "-c", "echo ready; exec sleep 100000"]);
            let mut keeper =
                keeper.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("run unshare")?;
            let ready = keeper.stdout.take().map(|mut out| std::io::Read::read(&mut out, &mut [0; 8]));
            let pid = keeper.id().to_string();
            bare.ends.push(keeper);
            ready.context("no standard output")??;
            let device = format!("ctrbench{number}");
            ip(&[
                "link", "add", &device, "master", BRIDGE, "up", "type", "veth", "peer", "name", "eth0",
                "netns", &pid,
            ])?;
            within(&pid, &["address", "add", &format!("{address}/24"), "dev", "eth0"])?;
            within(&pid, &["link", "set", "eth0", "up"])?;
        }
        Ok(bare)
    }

    pub(super) fn ends(&self) -> Ends {
        let pid = |number: usize| self.ends.get(number).map_or(0, Child::id);
        let [_, _, address] = ADDRESSES.map(|address| address.parse());
        let address = address.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        Ends { client: pid(0), server: pid(1), address, published: None }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        for end in &mut self.ends {
            let _ = end.kill();
            let _ = end.wait();
        }
        remove_bridge();
    }
}

fn remove_bridge() {
    // There may be none.
    let mut remove = Command::new("ip");
    let _ = remove.args(["link", "delete", BRIDGE]).stderr(Stdio::null()).status();
}

fn ip(arguments: &[&str]) -> Result<()> {
    let status = Command::new("ip").args(arguments).status().context("run ip")?;
    ensure!(status.success(), "ip {}: {status}", arguments.join(" "));
    Ok(())
}

fn within(pid: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("nsenter");
    let status =
        command.args(["--target", pid, "--net", "ip"]).args(arguments).status().context("run nsenter")?;
    ensure!(status.success(), "ip {}: {status}", arguments.join(" "));
    Ok(())
}
