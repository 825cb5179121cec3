//! What can't be: each is said clearly, and leaves nothing.

use super::branches::ip;
use super::several::{named, with_option, with_range};
use super::*;
use spec::{ExposedPort, PortBinding, PortProtocol};

fn asking(change: impl FnOnce(&mut EndpointRequest)) -> EndpointRequest {
    let mut request = EndpointRequest::default();
    change(&mut request);
    request
}

#[test]
fn what_an_attachment_can_not_have_is_refused() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        networks.set_up_forwarding().await;
        let mut web = with_range("web", "10.91.0.0/29");
        web.ranges[0].auxiliary = [("printer".to_owned(), "10.91.0.6".parse().unwrap())].into();
        networks.create(NewNetwork { enable_ipv6: Some(false), ..web }).await.unwrap();
        networks.create(NewNetwork { config_only: true, ..named("plan") }).await.unwrap();
        let held = networks.sandbox().await.unwrap();
        let (id, wanted) = (container(1), wanting("10.91.0.3"));
        let endpoint = networks.connect(&held, only(&id, "web", &wanted)).await.unwrap();
        let before = (devices(), networks.endpoints(&networks.find("web").unwrap().id).len());
        let address = |text: &str| asking(|one| one.ipv4 = Some(text.to_owned()));
        let mac = |text: &str| asking(|one| one.mac_address = Some(text.to_owned()));
        for (network, request, class, text) in [
            ("web", address("10.92.0.3"), Class::Invalid, "it is not a free host address of 10.91.0.0/29"),
            ("web", address("10.91.0.7"), Class::Invalid, "it is not a free host address of 10.91.0.0/29"),
            ("web", address("10.91.0.1"), Class::Conflict, "10.91.0.1 is already in use on the network web"),
            ("web", address("10.91.0.6"), Class::Conflict, "10.91.0.6 is already in use on the network web"),
            ("web", address("10.91.0.3"), Class::Conflict, "10.91.0.3 is already in use on the network web"),
            ("web", address("10.91.0"), Class::Invalid, "invalid IP address '10.91.0'"),
            ("web", address("fd00::1"), Class::Invalid, "invalid IP address 'fd00::1'"),
            (
                "web",
                asking(|one| one.ipv6 = Some("fd00::9".into())),
                Class::Invalid,
                "has no addresses to choose from",
            ),
            ("none", address("10.91.0.4"), Class::Invalid, "has no addresses to choose from"),
            ("web", mac("zz:00:00:00:00:01"), Class::Invalid, "zz:00:00:00:00:01"),
            ("web", mac("01:00:5e:00:00:01"), Class::Invalid, "01:00:5e:00:00:01"),
            ("plan", EndpointRequest::default(), Class::Denied, "on configuration-only network"),
            ("nope", EndpointRequest::default(), Class::NotFound, "network nope not found"),
        ] {
            let sandbox = networks.sandbox().await.unwrap();
            let other = container(2);
            let refused = networks.connect(&sandbox, only(&other, network, &request)).await.unwrap_err();
            let said = errors::chain(&refused);
            assert!(said.contains(text), "{text}: {said}");
            assert_eq!(refused.class(), class, "{said}");
        }
        // All that are left, and then none.
        let mut all = vec![(held, endpoint)];
        for number in 2..=5 {
            let request = EndpointRequest::default();
            let sandbox = networks.sandbox().await.unwrap();
            let made = networks.connect(&sandbox, only(&container(number), "web", &request)).await;
            match made {
                Ok(made) => all.push((sandbox, made)),
                Err(error) => {
                    assert_eq!(error.to_string(), "the network web has no free address left in 10.91.0.0/29");
                }
            }
        }
        assert_eq!(all.len(), 4, "six host addresses without the gateway's and the printer's");
        for (_, endpoint) in all.drain(..).skip(1) {
            networks.release(&endpoint);
        }
        assert_eq!(networks.endpoints(&networks.find("web").unwrap().id).len(), before.1);
    });
}

#[test]
fn what_the_host_does_not_give_is_named() {
    on_a_host(|store| async move {
        ip("link add foreign type bridge");
        ip("link add far type veth peer name near");
        ip("addr add 10.95.0.1/16 dev far");
        ip("link set near up");
        ip("link set far up");
        ip("route add 10.96.0.0/16 via 10.95.0.2");
        let pool = crate::AddressPool { base: "10.97.0.0/23".parse().unwrap(), size: 24 };
        let networks = Networks::open(Config { further_pools: vec![pool], ..config() }, store).await.unwrap();
        networks.set_up_forwarding().await;
        for name in ["a", "b"] {
            networks.create(named(name)).await.unwrap();
        }
        let before = (devices(), networks.list());
        let dual = |mtu| NewNetwork { enable_ipv6: Some(true), ..with_option("n", "driver.mtu", mtu) };
        let auxiliary = |text: &str| {
            let mut wanted = with_range("n", "10.88.0.0/24");
            wanted.ranges[0].auxiliary = [("x".to_owned(), text.parse().unwrap())].into();
            wanted
        };
        for (wanted, class, text) in [
            (named("c"), Class::Unavailable, "no free subnet is left in the address pools 10.97.0.0/23"),
            (
                with_range("n", "10.95.7.0/24"),
                Class::Conflict,
                "overlaps the route 10.95.0.0/16 by the device far",
            ),
            (
                with_range("n", "10.96.7.0/24"),
                Class::Conflict,
                "overlaps the route 10.96.0.0/16 by the device far",
            ),
            (
                with_option("n", "bridge.name", "foreign"),
                Class::Conflict,
                "foreign exists already and is not this engine's bridge",
            ),
            (with_option("n", "bridge.name", "a/b"), Class::Invalid, "'a/b' can't name a network device"),
            (with_option("n", "bridge.name", "sixteen-letters-"), Class::Invalid, "1 to 15 letters"),
            (with_option("n", "driver.mtu", "67"), Class::Invalid, "expected is 68 to 65535 bytes"),
            (with_option("n", "driver.mtu", "65536"), Class::Invalid, "expected is 68 to 65535 bytes"),
            (dual("1279"), Class::Invalid, "expected is 1280 to 65535 bytes"),
            (auxiliary("10.89.0.1"), Class::Invalid, "invalid auxiliary address 10.89.0.1"),
            (NewNetwork { name: "x".repeat(256), ..named("") }, Class::Invalid, "longer than 255 bytes"),
            (
                NewNetwork { config_from: "plan".into(), ..named("n") },
                Class::NotFound,
                "configuration network \"plan\" does not exist",
            ),
        ] {
            let wanted = if wanted.ranges.is_empty() && !text.contains("pools") {
                NewNetwork { ranges: with_range("", "10.99.0.0/24").ranges, ..wanted }
            } else {
                wanted
            };
            let wanted =
                if text.contains("plan") { NewNetwork { ranges: Vec::new(), ..wanted } } else { wanted };
            let refused = networks.create(wanted).await.unwrap_err();
            let said = errors::chain(&refused);
            assert!(said.contains(text), "{text}: {said}");
            assert_eq!(refused.class(), class, "{said}");
        }
        assert_eq!((devices(), networks.list()), before);
    });
}

#[test]
fn a_configuration_is_taken_over_and_stays_while_it_is_used() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        let plan =
            NewNetwork { config_only: true, enable_ipv6: Some(false), ..with_range("plan", "10.83.0.0/24") };
        let plan =
            networks.create(NewNetwork { labels: [("a".into(), "b".into())].into(), ..plan }).await.unwrap();
        assert_eq!((plan.driver.as_str(), plan.config_only), ("null", true));
        let from = |name: &str| NewNetwork { config_from: "plan".into(), ..named(name) };
        for (wanted, text) in [
            (NewNetwork { config_only: true, ..from("n") }, "cannot depend on another configuration network"),
            (
                NewNetwork { ranges: with_range("", "10.84.0.0/24").ranges, ..from("n") },
                "user specified configurations",
            ),
            (
                NewNetwork { options: [("a".into(), "b".into())].into(), ..from("n") },
                "network driver options are not",
            ),
            (
                NewNetwork { internal: true, config_only: true, ..named("n") },
                "can only contain network specific fields",
            ),
        ] {
            let refused = networks.create(wanted).await.unwrap_err();
            assert!(refused.to_string().contains(text), "{refused}");
            assert_eq!(refused.class(), Class::Denied);
        }
        let made = networks.create(from("made")).await.unwrap();
        assert_eq!((made.ipam.config, made.labels, made.enable_ipv6), (plan.ipam.config, plan.labels, false));
        let remove = async |name: &str| networks.remove(name, |_| String::new()).await;
        let error = remove("plan").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "error while removing network: configuration network \"plan\" is in use"
        );
        remove("made").await.unwrap();
        remove("plan").await.unwrap();
    });
}

#[test]
fn a_port_that_a_program_has_is_refused_and_the_ports_of_before_stay() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        let (_sandbox, mut endpoint) = connected(&networks, 1, &EndpointRequest::default()).await.unwrap();
        let binding = |port: u16, host: u16| PortBinding {
            container: ExposedPort { port, protocol: PortProtocol::Tcp }.into(),
            host_ip: None,
            host_port: Some(host),
            host_port_end: None,
        };
        networks.publish(&mut endpoint, &[binding(80, 8080)], |_| String::new()).await.unwrap();
        let listener = std::net::TcpListener::bind("0.0.0.0:8081").unwrap();
        let both = [binding(80, 8080), binding(81, 8081)];
        let name_of = |_: &Endpoint| String::new();
        let refused = networks.republish(vec![endpoint.clone()], &both, name_of).await.unwrap_err();
        assert_eq!(refused.class(), Class::Conflict);
        assert_eq!(networks.endpoints(&endpoint.network_id), [endpoint.clone()]);
        drop(listener);
        let after = networks.republish(vec![endpoint], &both, name_of).await.unwrap();
        assert_eq!(
            after[0].ports.iter().map(|port| (port.first, port.last)).collect::<Vec<_>>(),
            [(8080, 8081)]
        );
        let one = networks.republish(after, &both[1..], name_of).await.unwrap();
        assert_eq!(one[0].ports.iter().map(|port| port.first).collect::<Vec<_>>(), [8081]);
        networks.release(&one[0]);
    });
}
