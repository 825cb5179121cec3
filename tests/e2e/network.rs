//! The networks that there are without being made: `bridge`, `none`, `host`, and another container's.

use std::io::Write;
use std::net::TcpListener;
use std::process::Command;
use tests::{TestEngine, skip, with_engine};

#[track_caller]
fn shell(engine: &TestEngine, options: &[&str], script: &str) -> String {
    engine.docker(&[&["run", "--rm"], options, &["busybox", "sh", "-c", script]].concat()).ok()
}

#[test]
fn the_bridge_gives_an_address_a_gateway_and_the_way_out() {
    with_engine(|engine| {
        let gateway = shell(engine, &[], "ip route | awk '/default/ {print $3}'");
        // The host answers at the gateway's address.
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::scope(|scope| {
            scope.spawn(|| listener.accept().unwrap().0.write_all(b"from the host\n").unwrap());
            let said = shell(engine, &[], &format!("nc {} {port} </dev/null", gateway.trim()));
            assert_eq!(said, "from the host\n");
        });
        let interfaces = shell(engine, &[], "ls /sys/class/net | tr '\\n' ' '");
        assert_eq!(interfaces, "eth0 lo ");
    });
}

#[test]
fn containers_reach_each_other_over_the_bridge() {
    if foreign_firewall() {
        return skip("a host whose firewall forwards packets");
    }
    with_engine(|engine| {
        // Not wget: Debian 12's static busybox crashes in it wherever the C library's name service modules are absent.
        let serve = "while true; do echo page | nc -l -p 80; done";
        engine.docker(&["run", "-d", "--name", "web", "busybox", "sh", "-c", serve]).ok();
        let address = engine.inspect("web", "{{.NetworkSettings.Networks.bridge.IPAddress}}");
        let fetch = format!(
            "for i in 1 2 3 4 5 6 7 8 9 10; do nc -w 2 {address} 80 </dev/null && exit; sleep 0.1; done"
        );
        assert_eq!(shell(engine, &[], &fetch), "page\n");
        engine.docker(&["rm", "-f", "web"]).ok();
    });
}

/// Whether somebody else's rules (another engine's) drop what the host forwards.
fn foreign_firewall() -> bool {
    let chain = Command::new("nft").args(["list", "chain", "ip", "filter", "FORWARD"]).output();
    chain.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("policy drop"))
}

#[test]
fn none_has_loopback_only() {
    with_engine(|engine| {
        assert_eq!(shell(engine, &["--network", "none"], "ls /sys/class/net"), "lo\n");
        assert_eq!(
            shell(engine, &["--network", "none"], "ip addr show lo | grep -c 'inet 127.0.0.1'"),
            "1\n"
        );
    });
}

#[test]
fn host_is_the_hosts() {
    with_engine(|engine| {
        let ours = std::fs::read_link("/proc/self/ns/net").unwrap();
        assert_eq!(
            shell(engine, &["--network", "host"], "readlink /proc/self/ns/net").trim(),
            ours.to_str().unwrap()
        );
    });
}

#[test]
fn a_container_shares_anothers() {
    with_engine(|engine| {
        engine.docker(&["run", "-d", "--name", "owner", "busybox", "sleep", "600"]).ok();
        let address = engine.inspect("owner", "{{.NetworkSettings.Networks.bridge.IPAddress}}");
        let inside = shell(engine, &["--network", "container:owner"], "ip addr show eth0");
        assert!(inside.contains(&address), "{inside}");
        engine.docker(&["rm", "-f", "owner"]).ok();
        let gone = engine.docker(&["run", "--rm", "--network", "container:owner", "busybox", "true"]);
        gone.fails(125, "No such container: owner");
    });
}

#[test]
fn addresses_are_given_back() {
    with_engine(|engine| {
        let one = engine.docker(&["run", "-d", "busybox", "sleep", "600"]).line();
        let two = engine.docker(&["run", "-d", "busybox", "sleep", "600"]).line();
        let address = |id: &str| engine.inspect(id, "{{.NetworkSettings.Networks.bridge.IPAddress}}");
        assert_ne!(address(&one), address(&two));
        engine.docker(&["rm", "-f", &one, &two]).ok();
        // More containers than a small pool has addresses, one after the other.
        for _ in 0..5 {
            shell(engine, &[], "ip addr show eth0 | grep -q 'inet '");
        }
    });
}
