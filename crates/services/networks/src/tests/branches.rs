//! Networks on a device of the host: macvlan and ipvlan.

use super::*;
use std::net::{TcpListener, TcpStream};
use std::process::Command;

pub(super) fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "ip {arguments}");
}

/// A device of the host with an address of a LAN, and the LAN's other end.
fn lan() {
    ip("link add lan0 type veth peer name lan1");
    ip("addr add 10.77.0.1/24 dev lan0");
    ip("link set lan0 up");
    ip("link set lan1 up");
}

fn on(driver: &str, name: &str, subnet: &str, options: &[(&str, &str)]) -> NewNetwork {
    let range = NewRange {
        subnet: subnet.parse().unwrap(),
        ip_range: None,
        gateway: Some("10.77.0.1".parse().unwrap()).filter(|_| subnet.starts_with("10.77.0.")),
        auxiliary: Default::default(),
    };
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    NewNetwork {
        name: name.into(),
        driver: driver.into(),
        ranges: vec![range],
        options,
        ..NewNetwork::default()
    }
}

pub(super) async fn remove(networks: &Arc<Networks>, name: &str) -> Result<Network> {
    networks.remove(name, |endpoint| endpoint.container.short().to_owned()).await
}

pub(super) async fn joined(networks: &Networks, number: u8, network: &str) -> (Sandbox, Endpoint) {
    let sandbox = networks.sandbox().await.unwrap();
    let request = EndpointRequest::default();
    let endpoint = networks.connect(&sandbox, only(&container(number), network, &request)).await.unwrap();
    (sandbox, endpoint)
}

/// Whether one reaches what the other listens at.
pub(super) fn reaches(from: Option<&Sandbox>, to: &(Sandbox, Endpoint)) -> bool {
    let address = to.1.ipv4.unwrap().address;
    let listen = || Ok(TcpListener::bind((address, 0)).unwrap());
    let listener = to.0.namespace().unwrap().run(listen).unwrap();
    let target = listener.local_addr().unwrap();
    let connect = || Ok(TcpStream::connect_timeout(&target, Duration::from_millis(500)).is_ok());
    from.map_or_else(|| connect().unwrap(), |from| from.namespace().unwrap().run(connect).unwrap())
}

#[test]
fn containers_stand_on_a_device_of_the_host_and_leave_it_as_it_was() {
    on_a_host(|store| async move {
        lan();
        let networks = Networks::open(config(), Arc::clone(&store)).await.unwrap();
        networks.set_up_forwarding().await;
        let before = devices();
        let lan = on("macvlan", "lan", "10.77.0.0/24", &[("parent", "lan0")]);
        let made = networks.create(lan).await.unwrap();
        assert!(!made.enable_ipv6, "the LAN's routers say what there is of IPv6");
        networks.create(on("macvlan", "more", "10.78.0.0/24", &[("parent", "lan0")])).await.unwrap();
        let (one, other) = (joined(&networks, 1, "lan").await, joined(&networks, 2, "lan").await);
        assert_eq!(one.1.ipv4.unwrap().gateway, Some("10.77.0.1".parse().unwrap()));
        assert!(one.1.mac.is_some() && one.1.host_device.is_none());
        assert_eq!(devices(), before, "there is nothing of them on the host");
        assert!(reaches(Some(&one.0), &other));
        assert!(!reaches(None, &other), "as with Docker");

        networks.disconnect(&one.0, &one.1).await.unwrap();
        let inside = |sandbox: &Sandbox| {
            sandbox.namespace().unwrap().run(|| link::list(&mut Socket::open()?, None)).unwrap().len()
        };
        assert_eq!((inside(&one.0), inside(&other.0)), (1, 2));
        let alone =
            on("macvlan", "alone", "10.79.0.0/24", &[("parent", "lan0"), ("macvlan_mode", "passthru")]);
        let error = networks.create(alone).await.unwrap_err().to_string();
        assert!(error.ends_with("is already using parent interface lan0"), "{error}");
        networks.release(&other.1);
        for name in ["lan", "more"] {
            remove(&networks, name).await.unwrap();
        }
        assert_eq!(devices(), before);
    });
}

#[test]
fn without_a_parent_they_are_among_themselves_and_the_device_comes_back() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), Arc::clone(&store)).await.unwrap();
        networks.set_up_forwarding().await;
        let before = devices();
        let made = networks.create(on("macvlan", "island", "10.80.0.0/24", &[])).await.unwrap();
        let parent = format!("dm-{}", made.id.short());
        assert!(devices().contains(&parent));
        drop(networks);
        ip(&format!("link del {parent}"));
        let networks = Networks::open(config(), Arc::clone(&store)).await.unwrap();
        let (one, other) = (joined(&networks, 1, "island").await, joined(&networks, 2, "island").await);
        assert_eq!(one.1.ipv4.unwrap().gateway, None);
        assert!(reaches(Some(&one.0), &other));
        assert!(!reaches(None, &other));
        networks.release(&one.1);
        networks.release(&other.1);
        remove(&networks, "island").await.unwrap();
        assert_eq!(devices(), before);
    });
}

#[test]
fn a_parent_that_is_there_is_taken_whatever_its_name_looks_like() {
    on_a_host(|store| async move {
        for name in ["lan.x", "lan.4095", "lan.10"] {
            ip(&format!("link add {name} type veth peer name peer"));
            ip(&format!("link set {name} up"));
            ip("link set peer up");
            let networks = Networks::open(config(), Arc::clone(&store)).await.unwrap();
            networks.create(on("macvlan", "n", "10.83.0.0/24", &[("parent", name)])).await.unwrap();
            let (one, other) = (joined(&networks, 1, "n").await, joined(&networks, 2, "n").await);
            assert!(reaches(Some(&one.0), &other), "{name}");
            networks.release(&one.1);
            networks.release(&other.1);
            remove(&networks, "n").await.unwrap();
            assert!(devices().contains(name), "it is somebody else's");
            ip(&format!("link del {name}"));
        }
    });
}

#[test]
fn what_a_host_lacks_is_named() {
    on_a_host(|store| async move {
        lan();
        let networks = Networks::open(config(), store).await.unwrap();
        let before = devices();
        for (driver, options, text) in [
            (
                "macvlan",
                &[("parent", "eth77")][..],
                "stands on the device eth77, which this host does not have",
            ),
            (
                "macvlan",
                &[("parent", "eth77.5")],
                "stands on the device eth77, which this host does not have",
            ),
            (
                "macvlan",
                &[("parent", "lan0.x")],
                "invalid subinterface vlan name lan0.x, example formatting is eth0.10",
            ),
            ("macvlan", &[("parent", "lan0.4095")], "vlan id must be between 1-4094, received: 4095"),
            ("macvlan", &[("parent", "lo")], "loopback interface is not a valid macvlan parent link"),
            ("macvlan", &[("macvlan_mode", "x")], "expected is bridge, private, vepa or passthru"),
            ("ipvlan", &[("ipvlan_mode", "l4")], "expected is l2, l3 or l3s"),
        ] {
            let error = networks.create(on(driver, "n", "10.81.0.0/24", options)).await.unwrap_err();
            // A kernel without VLANs has nothing to look for a parent for.
            let said = error.to_string();
            assert!(said.contains(text) || said.contains("its module 8021q is missing"), "{said}");
        }
        for (driver, parent, module) in [("ipvlan", "lan0", "ipvlan"), ("macvlan", "lan0.10", "8021q")] {
            let made = networks.create(on(driver, "n", "10.81.0.0/24", &[("parent", parent)])).await;
            match made {
                Ok(_) => {
                    let both = (joined(&networks, 1, "n").await, joined(&networks, 2, "n").await);
                    assert!(reaches(Some(&both.0.0), &both.1));
                    networks.release(&both.0.1);
                    networks.release(&both.1.1);
                    remove(&networks, "n").await.unwrap();
                }
                Err(error) => {
                    assert_eq!(error.class(), Class::Unsupported);
                    assert!(
                        error.to_string().contains(&format!("its module {module} is missing")),
                        "{error}"
                    );
                }
            }
        }
        assert_eq!(devices(), before);
    });
}
