//! What follows from which facts.

use super::facts::{Barred, Facts, Led, Listening, Way};
use super::gather::listening;
use super::judge::judge;
use super::place::split;
use net::Chosen;
use spec::{ExposedPort, PortProtocol};

fn facts(way: Way) -> Facts {
    Facts {
        from: "container app".into(),
        to: "port 80/tcp of container web".into(),
        stopped: None,
        way,
        address: Some("172.17.0.2".parse().unwrap()),
        route: Some(Some(Chosen { device: "eth0".into(), gateway: None })),
        listening: Listening::Yes,
        names: vec!["web".into(), "0123456789ab".into()],
        shut: Vec::new(),
    }
}

fn shared() -> Way {
    Way::Shared { network: "front".into(), talk: true }
}

/// The verdict, and what stops it with what to do.
#[track_caller]
fn stopped(facts: &Facts, finding: &str, next: &str) {
    let report = judge(facts);
    let last = report.steps.last().unwrap();
    assert!(!report.reachable && !last.passes, "{report:?}");
    assert_eq!(report.steps.iter().filter(|step| !step.passes).count(), 1, "{report:?}");
    assert!(last.finding.contains(finding), "{report:?}");
    assert!(report.next.as_deref().unwrap().contains(next), "{report:?}");
    assert!(report.verdict.contains("does not reach"), "{report:?}");
}

#[test]
fn neighbours_reach_each_other() {
    let report = judge(&facts(shared()));
    let said: Vec<&str> = report.steps.iter().map(|step| step.finding.as_str()).collect();
    let expected = [
        "Both are on the network front, whose containers reach each other.",
        "There it is found by the names web, 0123456789ab.",
        "Its kernel sends packets for 172.17.0.2 by the device eth0.",
        "A program listens on the port.",
    ];
    assert_eq!(said, expected);
    assert_eq!(report.verdict, "container app reaches port 80/tcp of container web.");
    assert!(report.reachable && report.next.is_none());
}

#[test]
fn what_stops_a_packet_is_named_with_what_to_do() {
    let apart = Way::Apart { from: vec!["back".into()], to: vec!["front".into()], published: None };
    stopped(&facts(apart), "no network in common", "docker network connect front app");
    let talk = Way::Shared { network: "front".into(), talk: false };
    stopped(&facts(talk), "enable_icc=false", "docker network create");
    let internal = Way::Out { network: Some("back".into()), internal: true, masquerade: false };
    stopped(&facts(internal), "back is internal", "docker network connect");
    stopped(&facts(Way::Hidden { network: "lan".into() }), "do not see each other", "bridge network");
    stopped(&facts(Way::ToHost { network: None }), "loopback only", "docker network connect");
    let published = Some("host:8080/tcp".to_owned());
    stopped(&facts(Way::Unpublished { published }), "published at host:8080/tcp", "use host:8080/tcp");
    stopped(&facts(Way::Unpublished { published: None }), "not published", "--publish");
    stopped(&Facts { stopped: Some("web".into()), ..facts(shared()) }, "not running", "docker start web");
    stopped(&Facts { route: Some(None), ..facts(shared()) }, "no route", "ip route");
    let nobody = |others| Facts { listening: Listening::No(others), ..facts(shared()) };
    stopped(&nobody(vec![8080]), "there are some on 8080", "port that it listens on");
    stopped(&nobody(Vec::new()), "nor on any other", "start the program");
    let local = Listening::Elsewhere(vec!["127.0.0.1".parse().unwrap()]);
    stopped(&Facts { listening: local, ..facts(shared()) }, "only at 127.0.0.1", "0.0.0.0");
}

#[test]
fn published_ports_lead_those_who_come_so_far() {
    let led = |barred| {
        let host = "0.0.0.0:8080".parse().unwrap();
        Way::Published(Led { host, container: "web".into(), port: 80, barred })
    };
    let report = judge(&facts(led(None)));
    assert!(report.reachable);
    assert!(
        report.steps[0].finding.contains("0.0.0.0:8080 is published: it leads to port 80 of container web")
    );
    stopped(&facts(led(Some(Barred::Loopback))), "on loopback only", "publish it");
    stopped(&facts(led(Some(Barred::Internal("back".into())))), "back is internal", "network connect");
    let shut = vec!["ip filter FORWARD".to_owned()];
    stopped(&Facts { shut, ..facts(led(None)) }, "chain ip filter FORWARD", "nft list chain");
}

#[test]
fn where_the_other_end_is_not_to_be_seen_nothing_is_promised() {
    let way = Way::Out { network: Some("bridge".into()), internal: false, masquerade: true };
    let report = judge(&Facts { to: "the world".into(), listening: Listening::Unknown, ..facts(way) });
    assert_eq!(report.verdict, "container app can send to the world.");
    assert!(report.steps[0].finding.contains("under the host's address (masquerade)"));
}

#[test]
fn who_is_one_machine_needs_no_route() {
    let own = "127.0.0.1".parse().ok();
    let report = judge(&Facts { address: own, route: None, ..facts(Way::Same) });
    assert!(report.reachable && report.steps.len() == 2, "{report:?}");
}

#[test]
fn who_listens_where_is_told_apart() {
    let all: Vec<_> =
        ["0.0.0.0:80", "127.0.0.1:81", "[::]:82", "127.0.0.11:53"].map(|text| text.parse().unwrap()).into();
    let at = |port| listening(&all, "10.0.0.2".parse().ok(), port);
    assert_eq!((at(80), at(82)), (Listening::Yes, Listening::Yes));
    assert_eq!(at(81), Listening::Elsewhere(vec!["127.0.0.1".parse().unwrap()]));
    assert_eq!(at(53), Listening::No(vec![80, 81, 82]), "netd is not the container's");
    assert_eq!(listening(&all, None, 81), Listening::Yes);
}

#[test]
fn places_are_read() {
    let port = |port, protocol| Some(ExposedPort { port, protocol });
    assert_eq!(split("web").unwrap(), ("web", None));
    assert_eq!(split("web:53/udp").unwrap(), ("web", port(53, PortProtocol::Udp)));
    assert_eq!(split("fd00::2").unwrap(), ("fd00::2", None));
    assert_eq!(split("[fd00::2]:80").unwrap(), ("fd00::2", port(80, PortProtocol::Tcp)));
    for bad in ["", ":80", "web:", "web:0", "web:80/icmp", "[fd00::2]80"] {
        assert!(split(bad).is_err(), "{bad}");
    }
}
