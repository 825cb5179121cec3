//! The packet filter, between a container and an address in a namespace that plays the world.

use super::*;
use crate::firewall::{self, BridgeRules, Others, Outline, PortRule, Rules, Trouble};
use crate::{Error, sysctl};

const WORLD: &str = "203.0.113.2";

/// A site whose host forwards, and the world behind its other bridge.
fn site_and_world() -> Option<(Site, Namespace)> {
    let site = Site::new("b0", &["10.99.0.1/24"])?;
    let outside = ensure(&site.host, &config("up0", &["203.0.113.1/24"])).unwrap();
    let world = Namespace::make(Settings { ipv6: true }).unwrap();
    attach(&site.host, &outside, &world, "uplink", &["203.0.113.2/24"], &[]).unwrap();
    site.host.run(|| sysctl::write("ipv4/ip_forward", "1")).unwrap();
    Some((site, world))
}

fn rules(masquerade: bool) -> Rules {
    let bridge = BridgeRules {
        bridge: "b0".into(),
        subnets: vec![net("10.99.0.0/24")],
        masquerade,
        internal: false,
        hairpin: true,
    };
    Rules { table: "test".into(), bridges: vec![bridge], ports: Vec::new() }
}

/// Writes the rules; false where this host has no nftables, which the test says and ends.
fn write(site: &Site, rules: &Rules) -> bool {
    match site.host.run(|| firewall::write(rules)) {
        Ok(_) => true,
        Err(error @ (Error::NoNft | Error::Nft { .. })) => {
            eprintln!("skipped: {}", errors::chain(&error));
            false
        }
        Err(error) => panic!("{}", errors::chain(&error)),
    }
}

#[test]
fn a_container_reaches_the_world_under_the_hosts_address() {
    let Some((site, world)) = site_and_world() else { return };
    let container = site.container("veth1", &["10.99.0.2/24"], &["10.99.0.1"]);
    assert_eq!(reach(&container, &world, WORLD), None, "the world has no route back");
    if !write(&site, &rules(true)) {
        return;
    }
    assert_eq!(reach(&container, &world, WORLD), Some("203.0.113.1".parse().unwrap()));
    assert!(write(&site, &rules(true)), "writing it again replaces it");
    assert_eq!(reach(&container, &world, WORLD), Some("203.0.113.1".parse().unwrap()));
    site.host.run(|| firewall::remove("test")).unwrap();
    site.host.run(|| firewall::remove("test")).unwrap();
    assert_eq!(reach(&container, &world, WORLD), None);
}

#[test]
fn what_somebody_changes_in_the_table_is_seen() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    let port = |host: &str, first, last, target_port| PortRule {
        host: host.parse().unwrap(),
        protocol: 6,
        first,
        last,
        target: "10.99.0.2".parse().unwrap(),
        target_port,
    };
    let ports = vec![
        port("0.0.0.0", 8080, 8080, 80),
        port("10.99.0.1", 1000, 1099, 2000),
        port("0.0.0.0", 5000, 5999, 5000),
        port("10.99.0.1", 443, 443, 443),
    ];
    let rules = Rules { ports, ..rules(true) };
    let present = || site.host.run(|| Outline::present("test")).unwrap();
    if !write(&site, &rules) {
        return;
    }
    let expected = Outline::of(&rules).unwrap();
    assert_eq!(present(), Some(expected.clone()));
    for change in [
        "delete element inet test ports4 { tcp . 8080 : 10.99.0.2 . 80 }",
        "add element inet test ranges4 { udp . 7000-7999 : 10.99.0.3 }",
        "flush chain inet test postrouting",
        "add rule inet test ours accept",
        "flush set inet test bridges",
        "flush set inet test homes4",
    ] {
        let changed = site.host.run(|| {
            let status = std::process::Command::new("nft").arg(change).status();
            Ok(status.is_ok_and(|status| status.success()))
        });
        assert!(changed.unwrap(), "{change}");
        assert_ne!(present(), Some(expected.clone()), "{change}");
        assert!(write(&site, &rules));
        assert_eq!(present(), Some(expected.clone()));
    }
    site.host.run(|| firewall::remove("test")).unwrap();
    assert_eq!(present(), None);
}

#[test]
fn the_world_reaches_no_container_but_the_host_does() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    let outside = ensure(&site.host, &config("up0", &["203.0.113.1/24"])).unwrap();
    let world = Namespace::make(Settings { ipv6: true }).unwrap();
    attach(&site.host, &outside, &world, "uplink", &["203.0.113.2/24"], &["203.0.113.1"]).unwrap();
    site.host.run(|| sysctl::write("ipv4/ip_forward", "1")).unwrap();
    let container = site.container("veth1", &["10.99.0.2/24"], &["10.99.0.1"]);
    assert!(reach(&world, &container, "10.99.0.2").is_some(), "without a filter it is just routed");
    if !write(&site, &rules(false)) {
        return;
    }
    assert_eq!(reach(&world, &container, "10.99.0.2"), None);
    assert!(reach(&container, &world, WORLD).is_some(), "answers to the container's own connections pass");
    assert!(reach(&site.host, &container, "10.99.0.2").is_some());
}

fn others_look(site: &Site, others: &mut Others, anew: bool) -> Trouble {
    let others = std::sync::Mutex::new(others);
    site.host.run(|| others.lock().unwrap().look(anew)).unwrap()
}

#[test]
fn a_foreign_chain_that_drops_by_policy_lets_containers_pass() {
    let Some((site, world)) = site_and_world() else { return };
    let container = site.container("veth1", &["10.99.0.2/24"], &["10.99.0.1"]);
    let mut foreign = std::process::Command::new("nft");
    foreign.arg("add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }");
    let added = site.host.run(|| Ok(foreign.status().is_ok_and(|status| status.success())));
    if !added.unwrap() {
        eprintln!("skipped: nft is not installed, or this kernel has no nf_tables");
        return;
    }
    let mut others = Others::new("test", true);
    site.host.run(|| firewall::write(&rules(true))).unwrap();
    assert_eq!(others_look(&site, &mut others, true), Trouble::default());
    assert_eq!(reach(&container, &world, WORLD), Some("203.0.113.1".parse().unwrap()));
    let rules_of = |chain: &str| {
        let mut list = std::process::Command::new("nft");
        list.args(["list", "chain"]).args(chain.split(' '));
        let listed = site.host.run(|| Ok(list.output().unwrap().stdout)).unwrap();
        String::from_utf8(listed).unwrap().matches("comment \"test\"").count()
    };
    assert_eq!(others_look(&site, &mut others, false), Trouble::default());
    assert_eq!(rules_of("ip filter FORWARD"), 1, "once is enough");
    site.host.run(|| firewall::remove("test")).unwrap();
    assert_eq!(rules_of("ip filter FORWARD"), 0);
    assert_eq!(reach(&container, &world, WORLD), None);
}

#[test]
fn bridges_are_apart_and_an_internal_one_has_no_way_out() {
    let Some((site, world)) = site_and_world() else { return };
    let inside = site.container("veth1", &["10.99.0.2/24"], &["10.99.0.1"]);
    let other = ensure(&site.host, &config("b1", &["10.98.0.1/24"])).unwrap();
    let neighbour = Namespace::make(Settings { ipv6: true }).unwrap();
    attach(&site.host, &other, &neighbour, "veth2", &["10.98.0.2/24"], &["10.98.0.1"]).unwrap();
    if !write(&site, &rules(true)) {
        return;
    }
    let change = |act: &(dyn Fn() -> crate::Result<()> + Sync)| site.host.run(act).unwrap();
    let second = |internal: bool| BridgeRules {
        bridge: "b1".into(),
        subnets: vec![net("10.98.0.0/24")],
        masquerade: !internal,
        internal,
        hairpin: true,
    };
    change(&|| firewall::add("test", &second(false)));
    assert_eq!(reach(&inside, &neighbour, "10.98.0.2"), None, "networks are apart");
    assert_eq!(reach(&neighbour, &world, WORLD), Some("203.0.113.1".parse().unwrap()));
    change(&|| firewall::forget("test", &second(true)));
    change(&|| firewall::add("test", &second(true)));
    assert_eq!(reach(&neighbour, &world, WORLD), None, "there is no way out");
    assert!(reach(&site.host, &neighbour, "10.98.0.2").is_some());
    change(&|| firewall::forget("test", &second(true)));
    change(&|| firewall::forget("test", &second(true)));
}
