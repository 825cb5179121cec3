//! Networks that clients make, and containers on several of them.

use super::*;
use ipnet::IpNet;
use net::route;
use std::net::IpAddr;

pub(super) fn named(name: &str) -> NewNetwork {
    NewNetwork { name: name.into(), ..NewNetwork::default() }
}

pub(super) fn with_range(name: &str, subnet: &str) -> NewNetwork {
    let range = NewRange {
        subnet: subnet.parse().unwrap(),
        ip_range: None,
        gateway: None,
        auxiliary: Default::default(),
    };
    NewNetwork { ranges: vec![range], ..named(name) }
}

pub(super) fn with_option(name: &str, option: &str, value: &str) -> NewNetwork {
    let option = (format!("com.docker.network.{option}"), value.to_owned());
    NewNetwork { options: [option].into(), ..named(name) }
}

async fn remove(networks: &Arc<Networks>, name: &str) -> Result<Network> {
    networks.remove(name, |endpoint| endpoint.container.short().to_owned()).await
}

fn rules() -> String {
    let listed = std::process::Command::new("nft").args(["list", "ruleset"]).output().unwrap();
    String::from_utf8(listed.stdout).unwrap()
}

#[test]
fn a_network_is_made_lasts_over_restarts_and_leaves_nothing() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), Arc::clone(&store)).await.unwrap();
        networks.set_up_forwarding().await;
        let before = (devices(), rules());
        let made = networks.create(named("web")).await.unwrap();
        assert_eq!(made.ipam.config[0].subnet.to_string(), "172.17.0.0/20");
        let bridge = format!("br-{}", made.id.short());
        assert!(devices().contains(&bridge) && rules().contains(&bridge));
        assert_eq!(networks.find("web").unwrap(), made);
        drop(networks);
        link::delete(&mut Socket::open().unwrap(), &bridge).unwrap();
        let networks = Networks::open(config(), Arc::clone(&store)).await.unwrap();
        assert_eq!(networks.find(made.id.as_str()).unwrap(), made);
        networks.set_up_forwarding().await;
        assert!(devices().contains(&bridge), "as after a reboot");
        assert_eq!(remove(&networks, "web").await.unwrap(), made);
        assert_eq!((devices(), rules()), before);
        assert_eq!(remove(&networks, "web").await.unwrap_err().class(), Class::NotFound);
        assert!(store::get_as::<Network>(&*store, &predefined::key(&made.id)).await.unwrap().is_none());
    });
}

#[test]
fn networks_that_make_no_sense_leave_nothing() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        networks.create(with_range("taken", "10.77.0.0/24")).await.unwrap();
        let before = (devices(), rules(), networks.list());
        let gateway = |text: &str| {
            let mut wanted = with_range("n", "10.88.0.0/24");
            wanted.ranges[0].gateway = Some(text.parse().unwrap());
            wanted
        };
        let both = NewNetwork {
            ranges: ["10.1.0.0/24", "10.2.0.0/24"].map(|net| with_range("", net).ranges[0].clone()).into(),
            ..named("n")
        };
        for (wanted, class, text) in [
            (named("taken"), Class::Conflict, "network with name taken already exists"),
            (named(""), Class::Invalid, "invalid name: name is empty"),
            (named("a/b"), Class::Invalid, "invalid name: it has a slash or a control character"),
            (named("bridge"), Class::Denied, "operation is not permitted on predefined bridge network"),
            (
                NewNetwork { driver: "host".into(), ..named("n") },
                Class::Denied,
                "only one instance of \"host\"",
            ),
            (NewNetwork { driver: "foo".into(), ..named("n") }, Class::NotFound, "plugin \"foo\" not found"),
            (NewNetwork { enable_ipv4: Some(false), ..named("n") }, Class::Invalid, "IPv4 or IPv6 must be"),
            (with_range("n", "10.77.0.0/25"), Class::Conflict, "overlaps the network taken (10.77.0.0/24)"),
            (with_range("n", "172.16.1.0/24"), Class::Conflict, "overlaps the network bridge"),
            (with_range("n", "10.88.0.7/24"), Class::Invalid, "it should be 10.88.0.0/24"),
            (with_range("n", "10.88.0.0/31"), Class::Invalid, "too small"),
            (gateway("10.99.0.1"), Class::Invalid, "invalid gateway 10.99.0.1: it is not a host address"),
            (gateway("10.88.0.255"), Class::Invalid, "invalid gateway"),
            (both, Class::Invalid, "one subnet of each family"),
            (with_option("n", "bridge.name", &config().bridge), Class::Conflict, "has the bridge"),
            (with_option("n", "bridge.name", "lo"), Class::Conflict, "lo"),
            (with_option("n", "bridge.name", "averyveryverylongname"), Class::Invalid, "averyvery"),
            (with_option("n", "driver.mtu", "abc"), Class::Invalid, "expected is 68 to 65535 bytes"),
            (with_option("n", "bridge.enable_icc", "maybe"), Class::Invalid, "expected is true or false"),
        ] {
            let refused = networks.create(wanted).await.unwrap_err();
            let said = errors::chain(&refused);
            assert!(said.contains(text), "{text}: {said}");
            assert_eq!(refused.class(), class, "{said}");
        }
        assert_eq!((devices(), rules(), networks.list()), before);
    });
}

#[test]
fn a_container_on_several_networks_leaves_by_the_best_of_them() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        for (name, subnet) in [("b", "10.91.0.0/24"), ("a", "10.90.0.0/24")] {
            networks.create(with_range(name, subnet)).await.unwrap();
        }
        let inside = NewNetwork { internal: true, ..with_range("inside", "10.92.0.0/24") };
        networks.create(inside).await.unwrap();
        let (sandbox, id) = (networks.sandbox().await.unwrap(), container(1));
        let mut endpoints = Vec::new();
        for (number, network) in ["b", "inside", "a"].into_iter().enumerate() {
            let request = EndpointRequest::default();
            let connection = Connection { number, routed: false, ..only(&id, network, &request) };
            endpoints.push(networks.connect(&sandbox, connection).await.unwrap());
        }
        let devices: Vec<_> = endpoints.iter().map(|one| one.device.as_deref().unwrap()).collect();
        assert_eq!(devices, ["eth0", "eth1", "eth2"]);
        assert_eq!(endpoints[1].ipv4.unwrap().gateway, None);
        let routed = async |endpoints: &[Endpoint]| {
            networks.route(&sandbox, endpoints).await.unwrap();
            let namespace = sandbox.namespace().unwrap();
            namespace.run(|| route::default_gateways(&mut Socket::open()?)).unwrap()
        };
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(routed(&endpoints).await, [address("10.90.0.1")]);
        endpoints[0].gateway_priority = 1;
        assert_eq!(routed(&endpoints).await, [address("10.91.0.1")]);
        let gone = endpoints.remove(0);
        networks.disconnect(&sandbox, &gone).await.unwrap();
        assert!(!super::devices().contains(gone.host_device.as_deref().unwrap()));
        assert_eq!(routed(&endpoints).await, [address("10.90.0.1")]);
        let used = remove(&networks, "a").await.unwrap_err();
        let shown = format!(
            "network a has active endpoints (name:\"{}\" id:\"{}\")",
            id.short(),
            endpoints[1].id.short()
        );
        assert!(used.to_string().contains(&shown), "{used}");
        remove(&networks, "b").await.unwrap();
    });
}

#[test]
fn a_bridge_that_was_made_and_not_recorded_goes_at_the_next_start() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), Arc::clone(&store)).await.unwrap();
        let made = networks.create(named("web")).await.unwrap();
        drop(networks);
        store.commit(store::Transaction::new().delete(predefined::key(&made.id))).await.unwrap();
        let networks = Networks::open(config(), store).await.unwrap();
        networks.set_up_forwarding().await;
        assert!(!devices().contains(&format!("br-{}", made.id.short())));
    });
}

#[test]
fn both_families_come_from_the_engines_own_prefix() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), Arc::clone(&store)).await.unwrap();
        let dual = NewNetwork { enable_ipv6: Some(true), ..named("dual") };
        let dual = networks.create(dual).await.unwrap();
        let only = NewNetwork { enable_ipv4: Some(false), enable_ipv6: Some(true), ..named("only") };
        let only = networks.create(only).await.unwrap();
        let prefix = create::prefix(&*store).await.unwrap();
        assert_eq!(prefix.network().octets()[0], 0xfd);
        for network in [&dual, &only] {
            assert!(IpNet::V6(prefix).contains(&network.ipam.config.last().unwrap().subnet));
        }
        let (id, request) = (container(1), EndpointRequest::default());
        let (one, other) = (networks.sandbox().await.unwrap(), networks.sandbox().await.unwrap());
        let first = networks.connect(&one, super::only(&id, "dual", &request)).await.unwrap();
        assert!(first.ipv4.is_some() && first.ipv6.is_some());
        let second = networks.connect(&other, super::only(&id, "only", &request)).await.unwrap();
        assert!(second.ipv4.is_none() && second.mac.is_some());
        let namespace = other.namespace().unwrap();
        let gateway = only.ipam.config[0].gateway.unwrap();
        let reached =
            namespace.run(|| Ok(std::net::UdpSocket::bind("[::]:0").unwrap().connect((gateway, 53)).is_ok()));
        assert!(reached.unwrap(), "there is a route, and the address is not tentative");
    });
}

#[test]
fn a_packet_filter_that_is_flushed_comes_back_with_everything() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        networks.create(with_range("web", "10.90.0.0/24")).await.unwrap();
        let (id, request) = (container(1), EndpointRequest::default());
        let sandbox = networks.sandbox().await.unwrap();
        let mut endpoint = networks.connect(&sandbox, super::only(&id, "web", &request)).await.unwrap();
        let port = |host| spec::PortBinding {
            container: spec::ExposedPort { port: 80, protocol: spec::PortProtocol::Tcp }.into(),
            host_ip: None,
            host_port: Some(host),
            host_port_end: None,
        };
        networks.publish(&mut endpoint, &[port(8080)], |_| String::new()).await.unwrap();
        let before = rules();
        assert!(before.contains("8080"), "{before}");
        let flush = || {
            assert!(std::process::Command::new("nft").args(["flush", "ruleset"]).status().unwrap().success())
        };
        for _ in 0..3 {
            flush();
            assert!(eventually(|| rules() == before).await, "{}", rules());
        }
        flush();
        let other = networks.sandbox().await.unwrap();
        let mut second = networks.connect(&other, super::only(&id, "web", &request)).await.unwrap();
        networks.publish(&mut second, &[port(8081)], |_| String::new()).await.unwrap();
        networks.release(&endpoint);
        assert!(eventually(|| rules().contains("8081") && !rules().contains("8080")).await, "{}", rules());
        networks.purge().await.unwrap();
        assert_eq!(rules(), "", "a purge is not taken for a flush");
    });
}
