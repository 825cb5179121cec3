//! Networks on a device of the host's that only some kernels have: ipvlan, and VLANs below macvlan and ipvlan.

use crate::{SYSTEMD, needs};
use tests::degraded::{SERVE, SLEEP, pings, run};
use tests::lan::{AWAY, HOST, Lan};
use tests::{Settings, TestEngine, wait_until, with_engine_of};

fn with_lan(test: impl FnOnce(&Lan, &TestEngine)) {
    needs(&[SYSTEMD]);
    let lan = Lan::new();
    let settings = Settings { network: Some(lan.host().pid()), ..Settings::default() };
    with_engine_of(settings, |engine| test(&lan, engine));
    lan.is_as_before();
}

#[track_caller]
fn create(engine: &TestEngine, name: &str, driver: &str, options: &[&str]) {
    engine.docker(&[&["network", "create", "-d", driver], options, &[name]].concat()).ok();
}

fn address(engine: &TestEngine, name: &str, network: &str, field: &str) -> String {
    engine.inspect(name, &format!("{{{{(index .NetworkSettings.Networks \"{network}\").{field}}}}}"))
}

/// Two containers reach each other by name, the other host one of them, and it the other host; the host itself does not.
#[track_caller]
fn works(lan: &Lan, engine: &TestEngine, network: &str, other_host: &str) {
    run(engine, "web", &["--network", network], &SERVE);
    run(engine, "near", &["--network", network], &SLEEP);
    let at = address(engine, "web", network, "IPAddress");
    pings(engine, "near", "web");
    pings(engine, "near", &at);
    pings(engine, "near", other_host);
    wait_until("another host reaches it", || lan.away().gets_page(&at, 80));
    assert!(!lan.host().gets_page(&at, 80), "the host is apart on its own wire");
    engine.kill_daemon();
    engine.restart_daemon(&[]);
    pings(engine, "near", "web");
}

#[track_caller]
fn remove(engine: &TestEngine, network: &str) {
    engine.docker(&["rm", "-f", "web", "near"]).ok();
    engine.docker(&["network", "rm", network]).ok();
}

#[test]
fn ipvlan_shares_the_ethernet_of_its_parent() {
    with_lan(|lan, engine| {
        let range = ["--subnet", "198.51.100.0/24", "--ip-range", "198.51.100.64/26", "--gateway", AWAY[0]];
        create(engine, "two", "ipvlan", &[&["-o", "parent=wire"], &range[..]].concat());
        works(lan, engine, "two", AWAY[0]);
        let inside = engine.docker(&["exec", "web", "cat", "/sys/class/net/eth0/address"]).line();
        let shown = lan.host().run(&["ip", "-o", "link", "show", "wire"]).ok();
        assert!(shown.contains(&inside), "{shown}: {inside}");
        remove(engine, "two");
    });
}

#[test]
fn ipvlan_routes_without_a_gateway() {
    with_lan(|lan, engine| {
        lan.away().run(&["ip", "route", "add", "10.77.0.0/24", "via", HOST[0]]).ok();
        for mode in ["ipvlan_mode=l3", "ipvlan_mode=l3s"] {
            create(engine, "three", "ipvlan", &["-o", "parent=wire", "-o", mode, "--subnet", "10.77.0.0/24"]);
            works(lan, engine, "three", AWAY[0]);
            assert_eq!(address(engine, "web", "three", "Gateway"), "");
            remove(engine, "three");
        }
    });
}

#[test]
fn a_vlan_is_made_for_the_networks_on_it_and_goes_with_the_last() {
    with_lan(|lan, engine| {
        let away = lan.away();
        away.run(&["ip", "link", "add", "link", "wire", "name", "wire.10", "type", "vlan", "id", "10"]).ok();
        away.run(&["ip", "address", "add", "192.0.2.1/24", "dev", "wire.10"]).ok();
        away.run(&["ip", "link", "set", "wire.10", "up"]).ok();
        let vlan = || lan.host().run(&["ip", "-d", "link", "show", "wire.10"]);
        for driver in ["macvlan", "ipvlan"] {
            let range = ["--subnet", "192.0.2.0/24", "--gateway", "192.0.2.1"];
            create(engine, "tagged", driver, &[&["-o", "parent=wire.10"], &range[..]].concat());
            let made = vlan().ok();
            assert!(made.contains("vlan protocol 802.1Q id 10") && made.contains("wire.10@wire"), "{made}");
            create(engine, "other", driver, &["-o", "parent=wire.10", "--subnet", "10.78.0.0/24"]);
            works(lan, engine, "tagged", "192.0.2.1");
            // What is deleted comes back with the next container.
            engine.docker(&["rm", "-f", "near"]).ok();
            engine.docker(&["network", "rm", "other"]).ok();
            assert_eq!(vlan().code, 0, "another network is on it");
            remove(engine, "tagged");
            assert_ne!(vlan().code, 0);
        }
    });
}

#[test]
fn a_parent_that_was_there_stays() {
    with_lan(|lan, engine| {
        let host = lan.host();
        host.run(&["ip", "link", "add", "link", "wire", "name", "wire.20", "type", "vlan", "id", "20"]).ok();
        // Two dots, and no VLAN at all.
        host.run(&["ip", "link", "add", "lan.west.1", "type", "dummy"]).ok();
        for device in ["wire.20", "lan.west.1"] {
            host.run(&["ip", "link", "set", device, "up"]).ok();
            create(engine, "on", "ipvlan", &["-o", &format!("parent={device}"), "--subnet", "10.79.0.0/24"]);
            run(engine, "web", &["--network", "on"], &SLEEP);
            run(engine, "near", &["--network", "on"], &SLEEP);
            pings(engine, "near", "web");
            remove(engine, "on");
            host.run(&["ip", "link", "show", device]).ok();
            host.run(&["ip", "link", "delete", device]).ok();
        }
    });
}

#[test]
fn a_vlan_that_can_not_be_is_refused_and_not_left_behind() {
    with_lan(|lan, engine| {
        let create = |parent: &str| engine.docker(&["network", "create", "-d", "macvlan", "-o", parent, "n"]);
        create("parent=wire.4095").fails(1, "vlan id must be between 1-4094, received: 4095");
        create("parent=wire.x").fails(1, "invalid subinterface vlan name wire.x");
        create("parent=nowhere.5").fails(1, "stands on the device nowhere, which this host does not have");
        lan.host().run(&["ip", "link", "add", "down0", "type", "dummy"]).ok();
        create("parent=down0.5").fails(1, "down0.5");
        assert_ne!(lan.host().run(&["ip", "link", "show", "down0.5"]).code, 0);
        lan.host().run(&["ip", "link", "delete", "down0"]).ok();
    });
}
