//! Two hosts of the test's own on a wire: network namespaces. An engine runs on the one, the other is the world to it.

use crate::{Run, wait_until};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Two hosts on a wire.
#[derive(Debug)]
pub struct Lan {
    host: Host,
    away: Host,
}

/// A host: a network namespace, which a process keeps.
#[derive(Debug)]
pub struct Host(Child);

/// The addresses of the engine's host on the wire.
pub const HOST: [&str; 2] = ["198.51.100.1", "fd51::1"];
/// The addresses of the other host.
pub const AWAY: [&str; 2] = ["198.51.100.2", "fd51::2"];

impl Lan {
    /// Makes both, and the wire: `wire` is the device on each side.
    #[track_caller]
    pub fn new() -> Self {
        let (host, away) = (Host::new(), Host::new());
        let peer = away.pid().to_string();
        let wire = ["type", "veth", "peer", "name", "wire", "netns", &peer];
        host.run(&[&["ip", "link", "add", "wire"], &wire[..]].concat()).ok();
        // A kernel may have no IPv6.
        let families = if Path::new("/proc/sys/net/ipv6").exists() { 2 } else { 1 };
        for (end, own, other) in [(&host, HOST, AWAY), (&away, AWAY, HOST)] {
            for (own, length) in own.into_iter().zip([24, 64]).take(families) {
                let address = format!("{own}/{length}");
                end.run(&["ip", "address", "add", &address, "dev", "wire", "nodad"]).ok();
            }
            end.run(&["ip", "link", "set", "wire", "up"]).ok();
            for other in &other[..families] {
                end.run(&["ip", "route", "add", "default", "via", other]).ok();
            }
        }
        Self { host, away }
    }

    /// Where the engine is.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The other one.
    pub fn away(&self) -> &Host {
        &self.away
    }

    /// Fails if the engine's host has more than at first.
    #[track_caller]
    pub fn is_as_before(&self) {
        let left = || {
            let links = self.host.run(&["ip", "-brief", "link"]).ok();
            let links = links.lines().filter(|link| !link.starts_with("lo ") && !link.starts_with("wire@"));
            let links: Vec<_> = links.map(str::to_owned).collect();
            // Where the kernel has no tables, `nft` fails and lists none.
            (links, self.host.run(&["nft", "list", "tables"]).stdout)
        };
        wait_until("nothing is left on the engine's host", || left() == (Vec::new(), String::new()));
    }
}

impl Default for Lan {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    #[track_caller]
    fn new() -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "sleep", "infinity"]).stdin(Stdio::null());
        let host = Self(command.spawn().unwrap());
        let namespace = |who: &str| fs::read_link(format!("/proc/{who}/ns/net")).ok();
        let own = host.pid().to_string();
        wait_until("the namespace", || namespace(&own).is_some_and(|it| Some(it) != namespace("self")));
        host.run(&["ip", "link", "set", "lo", "up"]).ok();
        host
    }

    /// The process that keeps it.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// A program that has this host's network.
    pub fn command(&self, program: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.pid().to_string(), "--net"]).args(program);
        command
    }

    /// The same, run to its end.
    #[track_caller]
    pub fn run(&self, program: &[&str]) -> Run {
        Run::of(&mut self.command(program))
    }

    /// Whether it gets what [`crate::degraded::SERVE`] serves.
    #[track_caller]
    pub fn gets_page(&self, address: &str, port: u16) -> bool {
        self.run(&["/bin/busybox", "nc", "-w", "1", address, &port.to_string()]).stdout == "page\n"
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It has ended, or is ours to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
