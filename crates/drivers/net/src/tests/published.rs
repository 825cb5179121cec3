//! Published ports: from the world, the host itself and other containers, over both families.

use super::*;
use crate::firewall::{self, Anchor, BridgeRules, PortRule, Rules};
use crate::{Element, Elements, sysctl};
use std::net::UdpSocket;

/// A host between two bridges with a container on each, and the world.
struct Published {
    host: Namespace,
    world: Namespace,
    container: Namespace,
    neighbour: Namespace,
    other: Namespace,
    rules: Rules,
}

fn published(ports: Vec<PortRule>) -> Option<Published> {
    let host = namespace()?;
    let plain = |name: &str, addresses: &[&str]| ensure(&host, &config(name, addresses)).unwrap();
    let (b0, b1) =
        (plain("b0", &["10.99.0.1/24", "fd00:99::1/64"]), plain("b1", &["10.98.0.1/24", "fd00:98::1/64"]));
    let up0 = plain("up0", &["203.0.113.1/24", "2001:db8::1/64"]);
    let on = |bridge: &Bridge, outer: &str, addresses: [&str; 2], gateways: &[&str]| {
        let inside = Namespace::make(Settings { ipv6: true }).unwrap();
        attach(&host, bridge, &inside, outer, &addresses, gateways).unwrap();
        inside
    };
    let container = on(&b0, "veth1", ["10.99.0.2/24", "fd00:99::2/64"], &["10.99.0.1", "fd00:99::1"]);
    let neighbour = on(&b0, "veth2", ["10.99.0.3/24", "fd00:99::3/64"], &["10.99.0.1", "fd00:99::1"]);
    let other = on(&b1, "veth3", ["10.98.0.2/24", "fd00:98::2/64"], &["10.98.0.1", "fd00:98::1"]);
    let world = on(&up0, "uplink", ["203.0.113.2/24", "2001:db8::2/64"], &[]);
    let bridge = |name: &str, subnets: [&str; 2]| BridgeRules {
        bridge: name.into(),
        subnets: subnets.map(net).into(),
        masquerade: true,
        internal: false,
        hairpin: true,
    };
    let rules = Rules {
        table: "test".into(),
        bridges: vec![
            bridge("b0", ["10.99.0.0/24", "fd00:99::/64"]),
            bridge("b1", ["10.98.0.0/24", "fd00:98::/64"]),
        ],
        ports,
    };
    host.run(|| {
        sysctl::write("ipv4/ip_forward", "1")?;
        sysctl::write("ipv6/conf/all/forwarding", "1")?;
        sysctl::write("ipv4/conf/b0/route_localnet", "1")?;
        firewall::write(&rules)
    })
    .unwrap();
    Some(Published { host, world, container, neighbour, other, rules })
}

fn rule(host: &str, first: u16, last: u16, target_port: u16) -> PortRule {
    let host: IpAddr = host.parse().unwrap();
    let target = if host.is_ipv4() { "10.99.0.2" } else { "fd00:99::2" };
    PortRule { host, protocol: 6, first, last, target: target.parse().unwrap(), target_port }
}

/// Connects to `address` and answers whom the container's listener at `port` saw.
fn seen(from: &Namespace, container: &Namespace, address: &str, port: u16) -> Option<String> {
    let listener = container.run(|| Ok(TcpListener::bind(("::", port)).unwrap())).unwrap();
    set_socket_timeout(&listener, Timeout::Recv, Some(Duration::from_secs(1))).unwrap();
    let target: SocketAddr = address.parse().unwrap();
    let connected =
        from.run(|| Ok(TcpStream::connect_timeout(&target, Duration::from_millis(500)).ok())).unwrap();
    connected?.write_all(b"x").unwrap();
    let (_, peer) = listener.accept().ok()?;
    Some(peer.ip().to_canonical().to_string())
}

#[test]
fn a_port_is_reached_from_everywhere_and_sees_who_comes() {
    let ports = vec![rule("0.0.0.0", 8080, 8080, 80), rule("::", 8080, 8080, 80)];
    let Some(site) = published(ports) else { return };
    let Published { host, world, container, neighbour, other, .. } = &site;
    for (name, from, address, expected) in [
        ("the world", world, "203.0.113.1:8080", "203.0.113.2"),
        ("the world, IPv6", world, "[2001:db8::1]:8080", "2001:db8::2"),
        ("the host", host, "203.0.113.1:8080", "203.0.113.1"),
        ("the host, IPv6", host, "[2001:db8::1]:8080", "2001:db8::1"),
        ("loopback", host, "127.0.0.1:8080", "10.99.0.1"),
        ("another network", other, "203.0.113.1:8080", "10.98.0.2"),
        ("another network's gateway", other, "10.98.0.1:8080", "10.98.0.2"),
    ] {
        assert_eq!(seen(from, container, address, 80).as_deref(), Some(expected), "{name}");
    }
    host.with_socket(|socket| link::reflect(socket, "veth1")).unwrap();
    for (name, from, address, expected) in [
        ("itself", container, "10.99.0.1:8080", "10.99.0.1"),
        ("itself, IPv6", container, "[fd00:99::1]:8080", "fd00:99::1"),
        ("a neighbour", neighbour, "203.0.113.1:8080", "10.99.0.1"),
        ("a neighbour, IPv6", neighbour, "[2001:db8::1]:8080", "fd00:99::1"),
    ] {
        assert_eq!(seen(from, container, address, 80).as_deref(), Some(expected), "{name}");
    }
    // The kernel sends nothing from ::1 to another device.
    assert_eq!(seen(host, container, "[::1]:8080", 80), None);
    assert_eq!(seen(world, container, "203.0.113.1:8081", 80), None);
    assert_eq!(seen(other, container, "10.99.0.2:80", 80), None, "networks are apart");
}

#[test]
fn loopbacks_port_is_not_on_the_wire() {
    let Some(site) = published(vec![rule("127.0.0.1", 8080, 8080, 80)]) else { return };
    let Published { host, world, container, .. } = &site;
    assert_eq!(seen(host, container, "127.0.0.1:8080", 80).as_deref(), Some("10.99.0.1"));
    assert_eq!(seen(host, container, "203.0.113.1:8080", 80), None);
    // A neighbour that writes the address on its packets.
    let route = std::process::Command::new("ip");
    let forge = |mut ip: std::process::Command| {
        ip.args(["route", "add", "127.0.0.1/32", "via", "203.0.113.1", "table", "7"]).status().unwrap();
        let mut rule = std::process::Command::new("ip");
        rule.args(["rule", "add", "pref", "0", "lookup", "7"]).status().unwrap();
        sysctl::write("ipv4/conf/all/route_localnet", "1")
    };
    world.run(|| forge(route)).unwrap();
    assert_eq!(seen(world, container, "127.0.0.1:8080", 80), None);
}

#[test]
fn ports_come_and_go_as_elements() {
    let Some(site) = published(Vec::new()) else { return };
    let Published { host, world, container, .. } = &site;
    let mut elements = host.run(|| Elements::open("test")).unwrap();
    let ask = |port: u16, inner: u16| seen(world, container, &format!("203.0.113.1:{port}"), inner).is_some();
    for (rule, port, inner) in [
        (rule("0.0.0.0", 8080, 8080, 80), 8080, 80),
        (rule("203.0.113.1", 8080, 8080, 80), 8080, 80),
        (rule("0.0.0.0", 2000, 62_000, 2000), 31_000, 31_000),
        (rule("203.0.113.1", 2000, 62_000, 2000), 31_000, 31_000),
        (rule("0.0.0.0", 3000, 5999, 4000), 5000, 6000),
    ] {
        assert!(!ask(port, inner));
        elements.add(rule.map(), &rule.elements()).unwrap();
        assert!(ask(port, inner), "{rule:?}");
        elements.remove(rule.map(), &rule.elements()).unwrap();
        elements.remove(rule.map(), &rule.elements()).unwrap();
        assert!(!ask(port, inner), "{rule:?}");
    }
    let rule = rule("0.0.0.0", 8080, 8080, 80);
    elements.add(rule.map(), &rule.elements()).unwrap();
    let taken = PortRule { target_port: 81, ..rule };
    assert!(elements.add(taken.map(), &taken.elements()).unwrap_err().is_exists());
    let absent = elements.add("nothing", &[Element::new().key(&[1])]).unwrap_err();
    assert!(absent.is_absent(), "{}", errors::chain(&absent));
}

#[test]
fn datagrams_go_both_ways() {
    let Some(site) = published(vec![PortRule { protocol: 17, ..rule("0.0.0.0", 5353, 5353, 53) }]) else {
        return;
    };
    let Published { world, container, .. } = &site;
    let inside = container.run(|| Ok(UdpSocket::bind("10.99.0.2:53").unwrap())).unwrap();
    let outside = world.run(|| Ok(UdpSocket::bind("203.0.113.2:0").unwrap())).unwrap();
    for socket in [&inside, &outside] {
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    }
    outside.send_to(b"ask", "203.0.113.1:5353").unwrap();
    let mut buffer = [0; 8];
    let (length, peer) = inside.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], peer), (&b"ask"[..], outside.local_addr().unwrap()));
    inside.send_to(b"answer", peer).unwrap();
    let (length, peer) = outside.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], peer.to_string().as_str()), (&b"answer"[..], "203.0.113.1:5353"));
}

#[test]
fn connections_outlive_a_flush_of_the_rules() {
    let Some(site) = published(vec![rule("0.0.0.0", 8080, 8080, 80)]) else { return };
    let Published { host, world, container, .. } = &site;
    let nft = |script: &str| {
        let mut nft = std::process::Command::new("nft");
        nft.arg(script);
        host.run(|| Ok(nft.output().unwrap())).unwrap()
    };
    let listener = container.run(|| Ok(TcpListener::bind("10.99.0.2:80").unwrap())).unwrap();
    let anchor = host.run(|| Anchor::cast("test")).unwrap();
    for (source, address) in [(world, "203.0.113.1:8080"), (host, "127.0.0.1:8080")] {
        let mut client = source.run(|| Ok(TcpStream::connect(address).unwrap())).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        for socket in [&client, &server] {
            socket.set_read_timeout(Some(LIMIT)).unwrap();
        }
        assert!(nft("flush ruleset").status.success());
        let mut said = [0; 4];
        client.write_all(b"ping").unwrap();
        server.read_exact(&mut said).unwrap();
        server.write_all(b"pong").unwrap();
        client.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"pong", "{address}, and no table is there");
        host.run(|| firewall::write(&site.rules)).unwrap();
    }
    assert!(!nft("delete table inet test-anchor").status.success(), "it is somebody's");
    drop(anchor);
    assert!(!nft("list table inet test-anchor").status.success(), "it goes with its owner");
}
