//! Published ports, from the host and from containers, over both families.

use crate::names::{kill, netd};
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use tests::registry::free_port;
use tests::{TestEngine, eventually, wait_until, with_engine};

const SERVE: &str = "while true; do echo page | nc -l -p 80; done";

fn serve(engine: &TestEngine, name: &str, options: &[&str]) {
    let run = ["run", "-d", "--name", name];
    engine.docker(&[&run[..], options, &["busybox", "sh", "-c", SERVE]].concat()).ok();
}

/// What is read at an address of the host, once somebody listens behind it.
fn page(address: &str) -> String {
    eventually("an answer", || {
        let target = address.parse().unwrap();
        let mut stream = TcpStream::connect_timeout(&target, Duration::from_millis(500)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok().filter(|length| *length > 0)?;
        Some(text)
    })
}

fn refused(address: &str) -> bool {
    TcpStream::connect_timeout(&address.parse().unwrap(), Duration::from_millis(500)).is_err()
}

/// The only port of the host that leads to the container's port 80 over IPv4.
fn port(engine: &TestEngine, name: &str) -> String {
    let bound = engine.docker(&["port", name, "80/tcp"]).ok();
    bound.lines().find_map(|line| line.strip_prefix("0.0.0.0:")).expect("it is published").to_owned()
}

#[test]
fn a_port_leads_to_the_container_while_it_runs_whatever_becomes_of_the_daemon() {
    with_engine(|engine| {
        serve(engine, "web", &["-p", "80"]);
        let host = port(engine, "web");
        let gateway = engine.inspect("web", "{{.NetworkSettings.Networks.bridge.Gateway}}");
        let gateway6 = engine.inspect("web", "{{.NetworkSettings.Networks.bridge.IPv6Gateway}}");
        let everywhere = ["127.0.0.1", &gateway, &format!("[{gateway6}]"), "[::1]"];
        let everywhere = everywhere.map(|address| format!("{address}:{host}"));
        for address in &everywhere {
            assert_eq!(page(address), "page\n", "{address}");
        }
        let carried = engine.inspect("web", "{{json .NetworkSettings.Carried}}");
        assert_eq!(carried, format!("[\"[::1]:{host}/tcp\"]"));
        let fetch = format!("nc -w 5 {gateway} {host} </dev/null");
        assert_eq!(engine.docker(&["run", "--rm", "busybox", "sh", "-c", &fetch]).ok(), "page\n");
        engine.kill_daemon();
        for address in &everywhere {
            assert_eq!(page(address), "page\n", "{address} without a daemon");
        }
        engine.restart_daemon(&[]);
        for address in &everywhere {
            assert_eq!(page(address), "page\n", "{address} with the next one");
        }
        assert_eq!(port(engine, "web"), host);
        engine.docker(&["restart", "-t", "0", "web"]).ok();
        let host = port(engine, "web");
        let again = [format!("127.0.0.1:{host}"), format!("[::1]:{host}")];
        for address in &again {
            assert_eq!(page(address), "page\n", "{address} after a restart");
        }
        engine.docker(&["rm", "-f", "web"]).ok();
        for address in &again {
            assert!(refused(address), "{address} goes with the container");
        }
    });
}

#[test]
fn what_the_kernel_does_not_translate_is_carried_whatever_becomes_of_netd() {
    with_engine(|engine| {
        serve(engine, "web", &["-p", "[::1]:18081:80"]);
        assert_eq!(page("[::1]:18081"), "page\n");
        let before = netd(engine).unwrap();
        kill(before);
        wait_until("another netd", || netd(engine).is_some_and(|now| now != before));
        assert_eq!(page("[::1]:18081"), "page\n", "by the next one");
        let listener = TcpListener::bind("[::1]:18082").unwrap();
        let taken = engine.docker(&["run", "--rm", "-p", "[::1]:18082:80", "busybox", "true"]);
        taken.fails(125, &format!("(pid {})", std::process::id()));
        drop(listener);
        engine.docker(&["rm", "-f", "web"]).ok();
        assert!(refused("[::1]:18081"));
    });
}

#[test]
fn what_is_published_is_shown_as_docker_shows_it() {
    with_engine(|engine| {
        let options =
            ["-p", "127.0.0.1:18080:80", "-p", "18000-18002:18000-18002/udp", "-p", "[::1]:18081:81"];
        serve(engine, "web", &[&options[..], &["--expose", "99", "-P"]].concat());
        let ports = engine.docker(&["port", "web"]).ok();
        let fixed: Vec<&str> = ports.lines().filter(|line| !line.starts_with("99/")).collect();
        let udp =
            |n: u16| [format!("1800{n}/udp -> 0.0.0.0:1800{n}"), format!("1800{n}/udp -> [::]:1800{n}")];
        let expected = ["80/tcp -> 127.0.0.1:18080", "81/tcp -> [::1]:18081"].map(str::to_owned);
        let expected: Vec<String> = expected.into_iter().chain((0..3).flat_map(udp)).collect();
        assert_eq!(fixed, expected);
        assert_eq!(ports.lines().filter(|line| line.starts_with("99/tcp -> ")).count(), 2);
        let listed = engine.docker(&["ps", "--format", "{{.Ports}}"]).ok();
        assert!(listed.contains("0.0.0.0:18000-18002->18000-18002/udp"), "{listed}");
        assert_eq!(page("127.0.0.1:18080"), "page\n");
        engine.docker(&["rm", "-f", "web"]).ok();
    });
}

#[test]
fn a_port_that_is_taken_is_refused_by_the_name_of_who_has_it() {
    with_engine(|engine| {
        serve(engine, "web", &["-p", "80"]);
        let host = port(engine, "web");
        let again = engine.docker(&["run", "--rm", "-p", &format!("{host}:80"), "busybox", "true"]);
        again.fails(
            125,
            &format!("Bind for 0.0.0.0:{host} failed: port is already allocated by container web"),
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let taken = engine.docker(&["run", "--rm", "-p", &format!("{own}:80"), "busybox", "true"]);
        taken.fails(125, &format!("(pid {})", std::process::id()));
        let foreign = engine.docker(&["run", "--rm", "-p", "203.0.113.77:80:80", "busybox", "true"]);
        foreign.fails(125, "failed to bind host port for 203.0.113.77:80");
        // Nothing of the refused is left: the same port at once for the next.
        drop(listener);
        engine.docker(&["run", "--rm", "-p", &format!("{own}:80"), "busybox", "true"]).ok();
        engine.docker(&["rm", "-f", "web"]).ok();
    });
}

#[test]
fn a_wide_range_is_one_element() {
    with_engine(|engine| {
        // Above the ports that are given to whom asks for none, so that nobody of this host has one.
        serve(engine, "wide", &["-p", "61000-65535:61000-65535"]);
        let address = engine.inspect("wide", "{{.NetworkSettings.Networks.bridge.IPAddress}}");
        let listed = std::process::Command::new("nft").args(["list", "ruleset"]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert!(listed.contains(&format!("tcp . 61000-65535 : {address}")), "{listed}");
        engine.docker(&["rm", "-f", "wide"]).ok();
    });
}

#[test]
fn ports_come_and_go_while_the_container_runs_and_lead_by_the_network_that_is_left() {
    with_engine(|engine| {
        let own = |arguments: &[&str]| engine.cr(arguments);
        engine.docker(&["network", "create", "left"]).ok();
        engine.docker(&["network", "create", "zone"]).ok();
        serve(engine, "web", &["--network", "left", "-p", "80"]);
        let chosen = port(engine, "web");
        let other = free_port();
        let publish = format!("127.0.0.1:{other}:80");
        own(&["update", "--publish-add", &publish, "web"]).ok();
        let fixed = format!("127.0.0.1:{other}");
        assert_eq!(page(&fixed), "page\n");
        assert_eq!(page(&format!("127.0.0.1:{chosen}")), "page\n", "the one of before");
        serve(engine, "other", &[]);
        let taken = own(&["update", "--publish-add", &publish, "other"]);
        taken.fails(1, &format!("Bind for {fixed} failed: port is already allocated by container web"));
        assert_eq!(engine.docker(&["port", "other"]).ok(), "");

        // Another network that leads out comes, and goes again.
        engine.docker(&["network", "connect", "--gw-priority", "5", "zone", "web"]).ok();
        assert_eq!(page(&fixed), "page\n");
        let leads = || engine.inspect("web", "{{range $n, $e := .NetworkSettings.Networks}}{{$n}} {{end}}");
        assert_eq!(leads(), "left zone");
        let target = engine.inspect("web", "{{.NetworkSettings.Networks.zone.IPAddress}}");
        let rules = || {
            String::from_utf8(
                std::process::Command::new("nft").args(["list", "ruleset"]).output().unwrap().stdout,
            )
            .unwrap()
        };
        assert!(rules().contains(&format!(". {other} : {target}")), "{}", rules());
        engine.docker(&["network", "disconnect", "zone", "web"]).ok();
        assert_eq!((page(&fixed), port(engine, "web")), ("page\n".to_owned(), chosen));
        assert!(!rules().contains(&target));

        engine.restart_daemon(&[]);
        own(&["update", "--publish-rm", &publish, "web"]).ok();
        assert!(refused(&fixed));
        let none = own(&["update", "--publish-rm", &publish, "web"]);
        none.fails(1, &format!("the container does not publish 127.0.0.1:{other}:80/tcp"));
        engine.docker(&["stop", "-t", "0", "web"]).ok();
        own(&["update", "--publish-add", &publish, "--publish-rm", "80/tcp", "web"]).ok();
        engine.docker(&["start", "web"]).ok();
        assert_eq!(engine.docker(&["port", "web"]).ok(), format!("80/tcp -> {fixed}\n"));
        engine.docker(&["rm", "-f", "web", "other"]).ok();
        engine.docker(&["network", "rm", "left", "zone"]).ok();
    });
}

#[test]
fn a_container_that_serves_names_has_port_53_of_the_host_and_its_own_gateway() {
    let lan = tests::lan::Lan::new();
    let settings = tests::Settings { network: Some(lan.host().pid()), ..tests::Settings::default() };
    tests::with_private_engine(settings, |engine| {
        // netd listens at the gateway already.
        engine.sleeper("other", &[]);
        let serve = ["busybox", "nc", "-ll", "-p", "53", "-e", "echo", "served"];
        let run = ["run", "-d", "--name", "names", "-p", "53:53/tcp", "-p", "53:53/udp", "--expose", "53"];
        engine.docker(&[&run[..], &serve].concat()).ok();
        let curl = ["curl", "-s", "-m", "2", "telnet://198.51.100.1:53"];
        tests::wait_until("the port leads to the container", || lan.away().run(&curl).stdout == "served\n");
        // Its gateway still answers it with names, not with itself.
        let found = engine.shell("names", "nslookup -type=a other");
        assert!(found.contains(&engine.address("other", "bridge")), "{found}");
    });
}
