//! Networks: bridges, devices, addresses, the packet filter, namespaces, and what netd is told.

use super::{is_mended, is_named, is_silent, named_and_mended, settings, state, with_witness};
use std::fs;
use std::process::Command;
use tests::lan::{HOST, Host, Lan};
use tests::{Run, Settings, TestEngine, wait_until};

const SERVE: [&str; 4] = ["busybox", "sh", "-c", "while true; do echo page | nc -l -p 80; done"];

/// An engine on a host of the test's own, with a network `front` and `web` on it, published at 8080.
fn with_web(test: impl FnOnce(&Lan, &TestEngine)) {
    let lan = Lan::new();
    let settings = Settings { network: Some(lan.host().pid()), ..settings(0) };
    with_witness(settings, |engine| {
        let name = "com.docker.network.bridge.name=front0";
        engine.docker(&["network", "create", "--ipv6=false", "-o", name, "front"]).ok();
        let run = ["run", "-d", "--name", "web", "--network", "front", "-p", "8080:80"];
        engine.docker(&[&run[..], &SERVE].concat()).ok();
        works(&lan);
        test(&lan, engine);
        works(&lan);
        engine.docker(&["rm", "-f", "web"]).ok();
        engine.docker(&["network", "rm", "front"]).ok();
    });
    lan.is_as_before();
}

#[track_caller]
fn works(lan: &Lan) {
    wait_until("the port is reached", || lan.away().gets_page(HOST[0], 8080));
}

/// What the engine writes on its devices, and calls its table.
fn mark(host: &Host) -> String {
    let shown = host.run(&["ip", "link", "show", "front0"]).ok();
    shown.split("alias ").nth(1).unwrap().trim().to_owned()
}

fn device_of(host: &Host, bridge: &str) -> String {
    let devices = host.run(&["ip", "-brief", "link", "show", "master", bridge]).ok();
    devices.split('@').next().unwrap().to_owned()
}

#[test]
fn bridge_without_network_and_bridge_missing() {
    with_web(|lan, engine| {
        let host = lan.host();
        let make = || {
            host.run(&["ip", "link", "add", "stray0", "type", "bridge"]).ok();
            host.run(&["ip", "link", "set", "stray0", "alias", &mark(host)]).ok();
        };
        named_and_mended(engine, make, &[("bridge-without-network", "stray0")]);
        assert_ne!(host.run(&["ip", "link", "show", "stray0"]).code, 0);
        // Of IPv4 alone the kernel does not tell.
        let make = || drop(host.run(&["ip", "link", "set", "front0", "down"]).ok());
        named_and_mended(engine, make, &[("bridge-missing", "front")]);
        // Bridges of others are theirs.
        host.run(&["ip", "link", "add", "other0", "type", "bridge"]).ok();
        host.run(&["ip", "link", "set", "other0", "alias", "somebody's"]).ok();
        is_silent(engine);
        host.run(&["ip", "link", "delete", "other0"]).ok();
    });
}

#[test]
fn device_without_endpoint() {
    with_web(|lan, engine| {
        let make = || {
            let host = lan.host();
            host.run(&["ip", "link", "add", "stray1", "type", "veth", "peer", "name", "stray2"]).ok();
            host.run(&["ip", "link", "set", "stray1", "master", "front0"]).ok();
        };
        named_and_mended(engine, make, &[("device-without-endpoint", "stray1")]);
        assert_ne!(lan.host().run(&["ip", "link", "show", "stray2"]).code, 0);
    });
}

#[test]
fn endpoint_without_device() {
    with_web(|lan, engine| {
        let inside = || {
            let shown = engine.docker(&["exec", "web", "ip", "address", "show", "dev", "eth0"]).ok();
            shown.lines().find(|line| line.contains("inet ")).unwrap().trim().to_owned()
        };
        let (address, expected) = (inside(), [("endpoint-without-device", "web on front")]);
        lan.host().run(&["ip", "link", "delete", &device_of(lan.host(), "front0")]).ok();
        assert!(!lan.away().gets_page(HOST[0], 8080));
        is_named(engine, &expected);
        is_mended(engine, &expected);
        assert_eq!(inside(), address);
        works(lan);
        // Off its bridge is as good as gone.
        lan.host().run(&["ip", "link", "set", &device_of(lan.host(), "front0"), "nomaster"]).ok();
        is_named(engine, &expected);
        is_mended(engine, &expected);
        assert_eq!(inside(), address);
        // It is the container's for good.
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        is_silent(engine);
    });
}

#[test]
fn packet_filter_changed_port_missing_and_port_without_owner() {
    with_web(|lan, engine| {
        let host = lan.host();
        let table = mark(host);
        let address = engine.inspect("web", "{{.NetworkSettings.Networks.front.IPAddress}}");
        let nft =
            |words: &str| drop(host.run(&["nft", &words.replace("TABLE", &format!("inet {table}"))]).ok());
        let filter = "packet filter";
        for (change, kind) in [
            ("flush chain TABLE postrouting", "packet-filter-changed"),
            ("insert rule TABLE ours drop", "packet-filter-changed"),
            ("delete element TABLE bridges { \"front0\" }", "packet-filter-changed"),
            (&format!("delete element TABLE ports4 {{ tcp . 8080 : {address} . 80 }}"), "port-missing"),
            (&format!("add element TABLE ports4 {{ tcp . 8099 : {address} . 80 }}"), "port-without-owner"),
        ] {
            named_and_mended(engine, || nft(change), &[(kind, filter)]);
            works(lan);
        }
        assert!(!lan.away().gets_page(HOST[0], 8099));
        // Tables of others are theirs.
        host.run(&["nft", "add table inet somebodys"]).ok();
        is_silent(engine);
        host.run(&["nft", "delete table inet somebodys"]).ok();
    });
}

#[test]
fn namespace_without_owner() {
    with_web(|_, engine| {
        let pin = state(engine, "netns/stray");
        let make = || {
            fs::create_dir_all(pin.parent().unwrap()).unwrap();
            fs::write(&pin, "").unwrap();
            Run::of(Command::new("mount").args(["--bind", "/proc/self/ns/net"]).arg(&pin)).ok();
        };
        named_and_mended(engine, make, &[("namespace-without-owner", "netns/stray")]);
        assert!(!pin.exists());
        fs::remove_dir(pin.parent().unwrap()).unwrap();
    });
}

#[test]
fn name_record_wrong() {
    with_web(|_, engine| {
        let id = engine.inspect("web", "{{.Id}}");
        let record = state(engine, "netd").join(format!("container-{id}.json"));
        let expected = [("name-record-wrong", id.as_str())];
        named_and_mended(engine, || fs::remove_file(&record).unwrap(), &expected);
        let right = fs::read(&record).unwrap();
        named_and_mended(engine, || fs::write(&record, "{}").unwrap(), &expected);
        assert_eq!(fs::read(&record).unwrap(), right);
        let stray = record.with_file_name(format!("container-{}.json", super::NOBODY));
        named_and_mended(
            engine,
            || fs::write(&stray, &right).unwrap(),
            &[("name-record-wrong", super::NOBODY)],
        );
        assert!(!stray.exists());
    });
}
