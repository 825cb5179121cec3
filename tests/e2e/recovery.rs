//! What breaks in a network comes back by itself: bridges, addresses, links, the packet filter, forwarding.
//!
//! The times that docs/networks.md promises are here: each is waited for no longer.

use std::time::Duration;
use tests::lan::{HOST, Lan};
use tests::{Settings, TestEngine, wait_within, with_private_engine};

/// Within which what broke works again, on a host that has other things to do too; the looks at it, some processes each, included.
const RECOVERY: Duration = Duration::from_secs(5);

/// An engine on a host of the test's own, with two containers on `front`: `web`, published at 8080, and `near`.
fn with_web(test: impl FnOnce(&Lan, &TestEngine)) {
    let lan = Lan::new();
    let settings = Settings { network: Some(lan.host().pid()), ..Settings::default() };
    with_private_engine(settings, |engine| {
        engine.docker(&["network", "create", "-o", "com.docker.network.bridge.name=front0", "front"]).ok();
        let serve = ["busybox", "sh", "-c", "while true; do echo page | nc -l -p 80; done"];
        let run = ["run", "-d", "--name", "web", "--network", "front", "-p", "8080:80"];
        engine.docker(&[&run[..], &serve].concat()).ok();
        engine.docker(&["run", "-d", "--name", "near", "--network", "front", "busybox", "sleep", "600"]).ok();
        works(&lan, engine, "at first");
        test(&lan, engine);
    });
    lan.is_as_before();
}

/// Names, neighbours, the world, and the port from another host, over both families.
#[track_caller]
fn works(lan: &Lan, engine: &TestEngine, when: &str) {
    let inside = "ping -4 -c 1 -W 1 web && ping -6 -c 1 -W 1 web && ping -c 1 -W 1 198.51.100.2 && ping -c 1 -W 1 fd51::2";
    wait_within(RECOVERY, &format!("{when}: containers reach what they did"), || {
        engine.docker(&["exec", "near", "sh", "-c", inside]).code == 0
    });
    for address in HOST {
        wait_within(RECOVERY, &format!("{when}: {address}:8080 from another host"), || opens(lan, address));
    }
}

/// Whether another host gets the page.
fn opens(lan: &Lan, address: &str) -> bool {
    lan.away().run(&["curl", "-s", "-g", "-m", "1", "--http0.9", &page(address)]).stdout == "page\n"
}

fn page(address: &str) -> String {
    if address.contains(':') {
        format!("http://[{address}]:8080/")
    } else {
        format!("http://{address}:8080/")
    }
}

#[test]
fn bridges_come_back_with_what_was_on_them() {
    with_web(|lan, engine| {
        let host = lan.host();
        host.run(&["ip", "link", "delete", "front0"]).ok();
        works(lan, engine, "the bridge was deleted");
        host.run(&["ip", "link", "set", "front0", "down"]).ok();
        works(lan, engine, "the bridge was put down");
        host.run(&["ip", "address", "flush", "dev", "front0"]).ok();
        works(lan, engine, "its addresses were removed");
        let device = host.run(&["ip", "-brief", "link", "show", "master", "front0"]).ok();
        let device = device.split('@').next().unwrap().to_owned();
        host.run(&["ip", "link", "set", &device, "down"]).ok();
        host.run(&["ip", "link", "set", &device, "up"]).ok();
        works(lan, engine, "a link was cut and restored");
        engine.kill_daemon();
        host.run(&["ip", "link", "delete", "front0"]).ok();
        engine.restart_daemon(&[]);
        works(lan, engine, "the bridge was deleted while no daemon ran");
    });
}

#[test]
fn a_policy_that_drops_what_is_forwarded_lets_containers_pass() {
    with_web(|lan, engine| {
        let host = lan.host();
        for program in ["iptables", "ip6tables"] {
            host.run(&[program, "-P", "FORWARD", "DROP"]).ok();
        }
        works(lan, engine, "another engine has come");
        let shown = host.run(&["iptables", "-S", "FORWARD"]).ok();
        assert!(shown.contains("-m mark --mark 0x40000000/0x40000000"), "{shown}");
        // Its owner's own rules hold: ours is the last.
        host.run(&["iptables", "-I", "FORWARD", "-s", "198.51.100.2", "-j", "DROP"]).ok();
        let refused = lan.away().run(&["curl", "-s", "-m", "0.5", "--http0.9", &page(HOST[0])]);
        assert_eq!(refused.stdout, "");
        host.run(&["iptables", "-D", "FORWARD", "1"]).ok();
        // What comes to stand behind it holds as soon as it is heard of.
        let appended = ["FORWARD", "-d", "198.51.100.2", "-j", "DROP"];
        host.run(&[&["iptables", "-A"], &appended[..]].concat()).ok();
        wait_within(RECOVERY, "a rule that was appended holds", || {
            engine.docker(&["exec", "near", "ping", "-c", "1", "-W", "1", "198.51.100.2"]).code != 0
        });
        host.run(&[&["iptables", "-D"], &appended[..]].concat()).ok();
        host.run(&["iptables", "-F", "FORWARD"]).ok();
        works(lan, engine, "its rules were flushed");
        engine.docker(&["network", "create", "later"]).ok();
        engine
            .docker(&["run", "--rm", "--network", "later", "busybox", "ping", "-c", "1", "198.51.100.2"])
            .ok();
        engine.docker(&["network", "rm", "later"]).ok();
        host.run(&["nft", "delete", "table", "ip", "filter"]).ok();
        host.run(&["nft", "delete", "table", "ip6", "filter"]).ok();
    });
}

#[test]
fn the_packet_filter_comes_back() {
    with_web(|lan, engine| {
        let host = lan.host();
        host.run(&["nft", "flush", "ruleset"]).ok();
        works(lan, engine, "the rules were flushed");
        engine.kill_daemon();
        host.run(&["nft", "flush", "ruleset"]).ok();
        for address in HOST {
            wait_within(RECOVERY, &format!("netd has written the table again: {address}"), || {
                opens(lan, address)
            });
        }
        host.run(&["iptables", "-P", "INPUT", "DROP"]).ok();
        wait_within(RECOVERY, "netd has published ports follow the host's firewall", || !opens(lan, HOST[0]));
        host.run(&["nft", "delete", "table", "ip", "filter"]).ok();
        engine.restart_daemon(&[]);
        works(lan, engine, "the rules were flushed while no daemon ran");
        engine.kill_daemon();
        host.run(&["sysctl", "-qw", "net.ipv4.ip_forward=0"]).ok();
        engine.restart_daemon(&[]);
        works(lan, engine, "forwarding was turned off while no daemon ran");
    });
}
