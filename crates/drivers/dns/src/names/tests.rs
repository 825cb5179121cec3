//! Who sees whom under which name.

use super::*;
use crate::message::{kind, test_query};
use netd_protocol as protocol;
use std::net::IpAddr;

fn network(id: &str, name: &str, last: u8) -> protocol::Network {
    let gateways = vec![IpAddr::from([10, last, 0, 1]), format!("fd00:{last}::1").parse().unwrap()];
    protocol::Network { id: id.into(), name: name.into(), gateways, internal: false, bridge: None }
}

fn endpoint(network: &str, address: &str, names: &[&str]) -> protocol::Endpoint {
    protocol::Endpoint {
        network: network.into(),
        addresses: vec![address.parse().unwrap()],
        names: names.iter().map(ToString::to_string).collect(),
    }
}

fn container(id: &str, endpoints: Vec<protocol::Endpoint>) -> protocol::Container {
    protocol::Container { id: id.into(), endpoints, ..protocol::Container::default() }
}

fn two_networks() -> Directory {
    let mut directory = Directory::default();
    directory.put_network(network("n1", "front", 1));
    directory.put_network(network("n2", "back.end", 2));
    directory
}

/// What a container gets for a name; none: nobody has it.
fn ask(container: &Container, name: &str, kind: u16, turn: usize) -> Option<Vec<String>> {
    let mut got = Vec::new();
    let view = container.view();
    let found = view.addresses(&test_query(name).0.name, kind, turn, |address| got.push(address.to_string()));
    (found == Found::Name).then_some(got)
}

fn a(container: &Container, name: &str) -> Option<Vec<String>> {
    ask(container, name, kind::A, 0)
}

fn only(address: &str) -> Option<Vec<String>> {
    Some(vec![address.to_owned()])
}

#[test]
fn a_container_sees_the_names_of_its_networks_and_no_others() {
    let mut directory = two_networks();
    let (web, _) =
        directory.put_container(container("w", vec![endpoint("n1", "10.1.0.2", &["web", "WWW.local"])]));
    let (db, _) = directory.put_container(container("d", vec![endpoint("n2", "10.2.0.2", &["db"])]));
    let ends = vec![endpoint("n1", "10.1.0.3", &["app"]), endpoint("n2", "10.2.0.3", &["app"])];
    let (app, _) = directory.put_container(container("a", ends));
    for name in ["web", "WEB", "web.front", "www.local", "www.local.front", "w", "w.front"] {
        assert_eq!(a(&app, name), only("10.1.0.2"), "{name}");
        assert_eq!(a(&db, name), None, "{name}");
    }
    assert_eq!((a(&app, "db.back.end"), a(&web, "db")), (only("10.2.0.2"), None));
    assert_eq!((a(&web, "app"), a(&db, "app")), (only("10.1.0.3"), only("10.2.0.3")));
    assert_eq!(ask(&app, "web", kind::AAAA, 0), Some(vec![]), "there is the name, and no such address");
}

#[test]
fn a_service_has_all_addresses_in_turn() {
    let mut directory = two_networks();
    let mut last = None;
    for number in 2..5 {
        let end = endpoint("n1", &format!("10.1.0.{number}"), &["svc", "svc"]);
        last = Some(directory.put_container(container(&number.to_string(), vec![end])).0);
    }
    let last = last.unwrap();
    assert_eq!(ask(&last, "svc", kind::A, 4).unwrap(), ["10.1.0.3", "10.1.0.4", "10.1.0.2"]);
    directory.remove_container("3");
    assert_eq!(a(&last, "svc").unwrap(), ["10.1.0.2", "10.1.0.4"]);
}

#[test]
fn a_changed_record_replaces_the_old_one() {
    let mut directory = two_networks();
    let (web, _) = directory.put_container(container("w", vec![endpoint("n1", "10.1.0.2", &["web", "old"])]));
    let ends = vec![endpoint("n1", "10.1.0.9", &["web"]), endpoint("n2", "10.2.0.2", &["web2"])];
    let (same, warnings) = directory.put_container(container("w", ends));
    assert!(std::sync::Arc::ptr_eq(&web, &same) && warnings.is_empty());
    assert_eq!((a(&web, "web"), a(&web, "old"), a(&web, "web2")), (only("10.1.0.9"), None, only("10.2.0.2")));
    directory.remove_network("n2");
    assert_eq!((a(&web, "web"), a(&web, "web2")), (only("10.1.0.9"), None));
    directory.remove_container("w");
    assert_eq!(directory.counts(), (1, 0));
    assert_eq!(std::sync::Arc::strong_count(&web), 2, "nothing but this test holds on to it");
}

#[test]
fn names_of_ones_own_are_nobody_elses() {
    let mut directory = two_networks();
    let (db, _) = directory.put_container(container("dddd", vec![endpoint("n1", "10.1.0.2", &["db"])]));
    let mut record = container("w", vec![endpoint("n1", "10.1.0.3", &["web"])]);
    record.links = vec![protocol::Link { alias: "Database".into(), target: "dddd".into() }];
    let host = |name: &str, addresses: &[&str]| protocol::Host {
        name: name.into(),
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
    };
    record.hosts = vec![host("printer", &["192.0.2.1"]), host("printer", &["2001:db8::1"]), host("me", &[])];
    let (web, _) = directory.put_container(record);
    assert_eq!((a(&web, "database"), a(&db, "database")), (only("10.1.0.2"), None));
    assert_eq!(
        (a(&web, "printer"), ask(&web, "printer", kind::AAAA, 0)),
        (only("192.0.2.1"), only("2001:db8::1"))
    );
    for name in ["me", "host.docker.internal", "gateway.docker.internal"] {
        assert_eq!(a(&web, name), only("10.1.0.1"), "{name}");
        assert_eq!(ask(&web, name, kind::AAAA, 0), only("fd00:1::1"), "{name}");
    }
    assert_eq!(a(&db, "me"), None);
}

#[test]
fn an_address_has_the_first_name_and_the_network() {
    let mut directory = two_networks();
    let (web, _) =
        directory.put_container(container("w", vec![endpoint("n1", "10.1.0.2", &["web", "alias"])]));
    let mut got = Vec::new();
    assert_eq!(
        web.view().name_of("10.1.0.2".parse().unwrap(), |name| got.extend_from_slice(name)),
        Found::Name
    );
    assert_eq!(got, b"\x03web\x05front");
    assert_eq!(web.view().name_of("10.1.0.3".parse().unwrap(), |_| ()), Found::Nothing);
}

#[test]
fn what_cannot_be_is_told_and_the_rest_is_there() {
    let mut directory = two_networks();
    let ends = vec![endpoint("n1", "10.1.0.2", &["a..b", "web"]), endpoint("n9", "10.9.0.2", &["web"])];
    let (web, warnings) = directory.put_container(container("w", ends));
    assert_eq!(warnings, ["there is no network n9", "\"a..b\" can't be a name"]);
    assert_eq!(a(&web, "web"), only("10.1.0.2"));
}
