//! Bridges and devices on them.

use super::*;
use crate::{Error, Reaper, address, route};
use std::os::fd::AsFd;

#[test]
fn a_container_reaches_its_bridge_and_its_neighbour() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    let one = site.container("veth1", &["10.99.0.2/24"], &["10.99.0.1"]);
    let two = site.container("veth2", &["10.99.0.3/24"], &["10.99.0.1"]);
    assert_eq!(reach(&one, &site.host, "10.99.0.1"), Some("10.99.0.2".parse().unwrap()));
    assert_eq!(reach(&one, &two, "10.99.0.3"), Some("10.99.0.2".parse().unwrap()));
    assert_eq!(reach(&site.host, &two, "10.99.0.3"), Some("10.99.0.1".parse().unwrap()));
}

#[test]
fn ipv6_works_alike_and_at_once() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24", "fd99::1/64"]) else { return };
    let both = ["10.99.0.2/24", "fd99::2/64"];
    let container = site.container("veth1", &both, &["10.99.0.1", "fd99::1"]);
    // The bridge's own address may still be looking for duplicates.
    assert!(eventually(|| reach(&container, &site.host, "fd99::1")).is_some());
}

#[test]
fn the_device_inside_is_what_was_asked_for() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    let container = site.container("veth1", &["10.99.0.2/24"], &["10.99.0.1"]);
    let inner = container.with_socket(|socket| link::get(socket, "eth0")).unwrap();
    assert!(inner.up && inner.mtu == 1400);
    assert_eq!(inner.mac.unwrap()[0] & 3, 2);
    let addresses = container.with_socket(address::list).unwrap();
    assert!(addresses.iter().any(|found| found.address == net("10.99.0.2/24")));
    let outer = site.host.with_socket(|socket| link::get(socket, "veth1")).unwrap();
    let bridge = site.host.with_socket(|socket| link::get(socket, "b0")).unwrap();
    assert!(outer.up && outer.mtu == 1400 && outer.master == Some(bridge.index));
    assert_eq!(outer.kind.as_deref(), Some("veth"));
}

#[test]
fn an_attached_device_passes_packets_at_once() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    for number in 2..40 {
        let container = site.container(&format!("veth{number}"), &[&format!("10.99.0.{number}/24")], &[]);
        let began = Instant::now();
        assert!(reach(&container, &site.host, "10.99.0.1").is_some());
        // A lost first packet is sent again after a second.
        assert!(began.elapsed() < Duration::from_millis(900), "container {number}: {:?}", began.elapsed());
    }
}

#[test]
fn a_bridge_is_made_once_and_follows_its_configuration() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    let again = ensure(&site.host, &config("b0", &["10.99.0.1/24"])).unwrap();
    assert_eq!(again, site.bridge);
    let changed = BridgeConfig { mtu: 1300, ..config("b0", &["10.98.0.1/24"]) };
    ensure(&site.host, &changed).unwrap();
    let found = site.host.with_socket(|socket| {
        let bridge = link::get(socket, "b0")?;
        let mut addresses = address::list(socket)?;
        addresses.retain(|entry| entry.index == bridge.index);
        Ok((bridge, addresses))
    });
    let (bridge, addresses) = found.unwrap();
    assert!(bridge.up && bridge.mtu == 1300);
    let addresses: Vec<IpNet> = addresses.into_iter().map(|entry| entry.address).collect();
    assert_eq!(addresses, [net("10.98.0.1/24")]);
}

#[test]
fn somebody_elses_device_is_left_alone() {
    let Some(site) = Site::new("b0", &[]) else { return };
    let other = BridgeConfig { owner: "other".into(), ..config("b0", &[]) };
    assert!(matches!(ensure(&site.host, &other), Err(Error::ForeignDevice { .. })));
    assert!(matches!(ensure(&site.host, &config("lo", &[])), Err(Error::ForeignDevice { .. })));
    let removed = site.host.with_socket(|socket| Bridge::remove(socket, "b0", "other"));
    assert!(matches!(removed, Err(Error::ForeignDevice { .. })));
}

#[test]
fn a_failed_attachment_leaves_no_device() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    let container = Namespace::make(Settings { ipv6: true }).unwrap();
    let before = devices(&site.host);
    let refused = attach(&site.host, &site.bridge, &container, "veth1", &["10.99.0.2/24"], &["10.7.7.7"]);
    let error = refused.unwrap_err();
    assert!(errors::chain(&error).starts_with("route by the gateway 10.7.7.7 on the device eth0"), "{error}");
    assert_eq!(devices(&site.host), before);
}

#[test]
fn a_name_that_is_taken_and_a_bridge_that_is_gone_are_told_apart() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    let _one = site.container("veth1", &["10.99.0.2/24"], &[]);
    let two = Namespace::make(Settings { ipv6: true }).unwrap();
    let taken = attach(&site.host, &site.bridge, &two, "veth1", &["10.99.0.3/24"], &[]).unwrap_err();
    assert!(taken.is_exists() && !taken.is_gone(), "{taken}");
    site.host.with_socket(|socket| Bridge::remove(socket, "b0", "test")).unwrap();
    assert_eq!(devices(&site.host), ["lo"]);
    let gone = attach(&site.host, &site.bridge, &two, "veth2", &["10.99.0.3/24"], &[]).unwrap_err();
    assert!(gone.is_gone() && !gone.is_exists(), "{}", errors::chain(&gone));
    site.host.with_socket(|socket| Bridge::remove(socket, "b0", "test")).unwrap();
}

#[test]
fn a_bridge_that_is_full_is_called_so() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    let container = Namespace::make(Settings { ipv6: false }).unwrap();
    let names: Vec<_> = (0..1023).map(|number| (format!("o{number}"), format!("i{number}"))).collect();
    let filled = site.host.with_socket(|socket| {
        let index = link::get(socket, "b0")?.index;
        let veth = |(outer, inner): &(String, String)| {
            let [outer, inner] = [outer, inner].map(|name| link::VethEnd { name, mac: None });
            link::new_veth(("b0", index), outer, inner, container.as_fd(), 1400)
        };
        names.chunks(64).try_for_each(|chunk| socket.batch(chunk.iter().map(veth).collect()))
    });
    filled.unwrap();
    let refused = attach(&site.host, &site.bridge, &container, "one-more", &["10.99.0.2/24"], &[]);
    assert!(matches!(refused.unwrap_err(), Error::BridgeFull { bridge } if bridge == "b0"));
    assert_eq!(devices(&site.host).len(), 2 + names.len());
}

#[test]
fn a_device_goes_with_its_namespace() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    drop(site.container("veth1", &["10.99.0.2/24"], &[]));
    assert!(eventually(|| (!devices(&site.host).contains(&"veth1".into())).then_some(())).is_some());
}

#[test]
fn a_device_that_is_seen_off_is_cut_off_at_once_and_deleted_in_the_end() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    let held = site.container("veth1", &["10.99.0.2/24"], &["10.99.0.1"]);
    assert!(reach(&held, &site.host, "10.99.0.1").is_some());
    let reaper = site.host.run(Reaper::start).unwrap();
    reaper.reap("veth1");
    reaper.reap("veth-unknown");
    assert!(eventually(|| reach(&held, &site.host, "10.99.0.1").is_none().then_some(())).is_some());
    assert!(eventually(|| (!devices(&site.host).contains(&"veth1".into())).then_some(())).is_some());
}

#[test]
fn what_a_host_uses_is_known_with_its_user() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24"]) else { return };
    let used = site.host.with_socket(|socket| route::occupied(socket, Some("other"))).unwrap();
    let texts: Vec<String> = used.iter().map(ToString::to_string).collect();
    assert!(texts.contains(&"the route 10.99.0.0/24 by the device b0".into()), "{texts:?}");
    assert!(texts.contains(&"the address 10.99.0.1/24 of the device b0".into()), "{texts:?}");
    let own = site.host.with_socket(|socket| route::occupied(socket, Some("b0"))).unwrap();
    assert!(own.iter().all(|occupied| !occupied.to_string().contains("b0")), "{own:?}");
    assert_eq!(site.host.with_socket(route::default_mtu).unwrap(), None);
    let container = site.container("veth1", &["10.99.0.2/24"], &["10.99.0.1"]);
    assert_eq!(container.with_socket(route::default_mtu).unwrap(), Some(1400));
}

#[test]
fn ports_of_an_isolated_bridge_reach_the_bridge_alone() {
    let Some(host) = namespace() else { return };
    let wanted = BridgeConfig { isolated: true, ..config("b0", &["10.99.0.1/24"]) };
    let bridge = ensure(&host, &wanted).unwrap();
    let site = Site { host, bridge };
    let one = site.container("veth1", &["10.99.0.2/24"], &[]);
    let other = site.container("veth2", &["10.99.0.3/24"], &[]);
    assert_eq!(reach(&one, &other, "10.99.0.3"), None);
    assert!(reach(&site.host, &other, "10.99.0.3").is_some());
}

#[test]
fn default_routes_are_replaced_as_a_whole() {
    let Some(site) = Site::new("b0", &["10.99.0.1/24", "fd00:99::1/64"]) else { return };
    let container = site.container("veth1", &["10.99.0.2/24", "fd00:99::2/64"], &["10.99.0.1"]);
    let gateways = |wanted: &[&str]| {
        let wanted: Vec<route::DefaultRoute<'_>> = wanted
            .iter()
            .map(|text| route::DefaultRoute {
                device: "eth0",
                gateway: Some(text.parse().unwrap()),
                v4: !text.contains(':'),
            })
            .collect();
        route::set_defaults(&container, &wanted).unwrap();
        container.run(|| route::default_gateways(&mut Socket::open()?)).unwrap()
    };
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    assert_eq!(gateways(&["10.99.0.9", "fd00:99::1"]), [address("10.99.0.9"), address("fd00:99::1")]);
    // Of two the kernel makes one with two ways.
    let second = ["-6", "route", "append", "default", "via", "fd00:99::7", "dev", "eth0"];
    let added =
        container.run(|| Ok(std::process::Command::new("ip").args(second).status().unwrap().success()));
    assert!(added.unwrap());
    let both = container.run(|| route::default_gateways(&mut Socket::open()?)).unwrap();
    assert_eq!(both, ["10.99.0.9", "fd00:99::1", "fd00:99::7"].map(address));
    assert_eq!(gateways(&["fd00:99::9"]), [address("fd00:99::9")]);
    assert_eq!(gateways(&[]), [] as [IpAddr; 0]);
}
