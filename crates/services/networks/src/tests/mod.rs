//! The service against the kernel, in network namespaces of the tests' own.

mod audits;
mod bad_input;
mod branches;
mod plugged;
mod several;

use super::*;
use errors::{Class, Classified};
use ids::ContainerId;
use net::{Namespace, Settings, Socket, link};
use spec::{EndpointRequest, NetworkMode};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::StateStore;

const LIMIT: Duration = Duration::from_secs(20);

/// Runs a test in a network namespace that plays the host; skips, and says so, where none can be made.
fn on_a_host<F: Future<Output = ()>>(test: impl FnOnce(Arc<dyn StateStore>) -> F + Send) {
    let host = match Namespace::make(Settings { ipv6: true }) {
        Ok(host) => host,
        Err(error) => return eprintln!("skipped: {}", errors::chain(&error)),
    };
    // Every thread of the runtime is a child of the thread in the namespace, and so in it too.
    let outcome = host.run(|| {
        let dir = tempfile::tempdir().unwrap();
        let store = store::open_redb(&dir.path().join("state.redb")).unwrap();
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2).enable_all().build().unwrap().block_on(test(store));
        Ok(())
    });
    outcome.unwrap();
}

fn config() -> Config {
    Config { prepared: 2, ..Config::private(Path::new("/tests")) }
}

fn container(number: u8) -> ContainerId {
    ContainerId::from_bytes([number; 32])
}

async fn connected(
    networks: &Networks,
    number: u8,
    request: &EndpointRequest,
) -> Result<(Sandbox, Endpoint)> {
    let sandbox = networks.sandbox().await?;
    let names = [format!("name{number}")];
    let id = container(number);
    let connection = Connection { names: &names, ..only(&id, "bridge", request) };
    let endpoint = networks.connect(&sandbox, connection).await?;
    Ok((sandbox, endpoint))
}

/// A container's only network.
fn only<'a>(container: &'a ContainerId, network: &'a str, request: &'a EndpointRequest) -> Connection<'a> {
    Connection { container, network, names: &[], request, number: 0, routed: true, bindings: &[] }
}

fn devices() -> BTreeSet<String> {
    link::list(&mut Socket::open().unwrap(), None).unwrap().into_iter().map(|link| link.name).collect()
}

/// Everything a container could leave on the host: devices, addresses, rules, descriptors of namespaces.
fn traces() -> (BTreeSet<String>, Vec<net::address::Address>, String, usize) {
    // Link-local addresses of bridge ports come and go by the kernel's own clock.
    let mut addresses = net::address::list(&mut Socket::open().unwrap()).unwrap();
    addresses.retain(|entry| entry.address.addr().is_ipv4());
    let rules = std::process::Command::new("nft").args(["list", "ruleset"]).output();
    let rules = rules.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let namespaces = descriptors.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let namespaces = namespaces.filter(|target| target.to_string_lossy().starts_with("net:")).count();
    (devices(), addresses, rules, namespaces)
}

fn wanting(ipv4: &str) -> EndpointRequest {
    EndpointRequest { ipv4: Some(ipv4.to_owned()), ..EndpointRequest::default() }
}

async fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if holds() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    false
}

#[test]
fn the_predefined_networks_look_like_dockers_and_keep_their_ids() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), Arc::clone(&store)).await.unwrap();
        let names: Vec<String> = networks.list().into_iter().map(|network| network.name).collect();
        assert_eq!(names, ["bridge", "host", "none"]);
        let bridge = networks.find("bridge").unwrap();
        assert_eq!(bridge.ipam.config[0].subnet.to_string(), "172.16.0.0/16");
        assert_eq!(bridge.ipam.config[0].gateway.unwrap(), networks.host_gateway().unwrap());
        assert_eq!(bridge.options["com.docker.network.bridge.name"], config().bridge);
        assert_eq!(bridge.options["com.docker.network.driver.mtu"], "1500");
        assert_eq!(networks.find(&bridge.id.as_str()[..12]).unwrap(), bridge);
        assert_eq!(networks.find(bridge.id.as_str()).unwrap(), bridge);
        for unknown in ["", "nope", "bridge2"] {
            assert_eq!(networks.find(unknown).unwrap_err().class(), Class::NotFound, "{unknown}");
        }
        let before = networks.list();
        drop(networks);
        let again = Networks::open(config(), store).await.unwrap();
        assert_eq!(again.list(), before);
    });
}

#[test]
fn modes_mean_networks() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        let name = |mode| networks.resolve(&mode).unwrap().map(|network| network.name);
        assert_eq!(name(NetworkMode::Default).as_deref(), Some("bridge"));
        assert_eq!(name(NetworkMode::Host).as_deref(), Some("host"));
        assert_eq!(name(NetworkMode::None).as_deref(), Some("none"));
        assert_eq!(name(NetworkMode::Named("host".into())).as_deref(), Some("host"));
        assert_eq!(name(NetworkMode::Container("x".into())), None);
        assert!(networks.resolve(&NetworkMode::Named("nope".into())).is_err());
    });
}

#[test]
fn a_container_gets_a_device_an_address_and_its_names() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        let request = EndpointRequest {
            aliases: vec!["db".into(), "name1".into()],
            mac_address: Some("02:42:ac:10:00:09".into()),
            ..wanting("172.16.0.9")
        };
        let (sandbox, endpoint) = connected(&networks, 1, &request).await.unwrap();
        assert_eq!(endpoint.ipv4.unwrap().address.to_string(), "172.16.0.9");
        assert_eq!(endpoint.ipv4.unwrap().prefix, 16);
        assert_eq!(endpoint.ipv4.unwrap().gateway, networks.host_gateway());
        assert_eq!(endpoint.dns_names, ["name1", "db"]);
        assert!(devices().contains(endpoint.host_device.as_deref().unwrap()));
        let inner = sandbox.namespace().unwrap();
        let eth0 = inner.with_socket(|socket| link::get(socket, "eth0")).unwrap();
        assert_eq!(eth0.mac, endpoint.mac.map(Mac::octets));
        assert_eq!(networks.endpoints(&endpoint.network_id), std::slice::from_ref(&endpoint));
        let text = serde_json::to_string(&endpoint).unwrap();
        assert_eq!(serde_json::from_str::<Endpoint>(&text).unwrap(), endpoint);
        networks.release(&endpoint);
        assert!(networks.endpoints(&endpoint.network_id).is_empty());
    });
}

#[test]
fn host_and_none_have_endpoints_without_devices() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        let before = devices();
        let nothing = EndpointRequest::default();
        for (name, sandbox) in [("host", Sandbox::host()), ("none", networks.sandbox().await.unwrap())] {
            let endpoint = networks.connect(&sandbox, only(&container(1), name, &nothing)).await.unwrap();
            assert_eq!((endpoint.ipv4, endpoint.mac, &endpoint.host_device), (None, None, &None));
            networks.release(&endpoint);
            let refused = networks.connect(&sandbox, only(&container(1), name, &wanting("172.16.0.7"))).await;
            assert_eq!(refused.unwrap_err().class(), Class::Invalid);
        }
        assert_eq!(devices(), before);
        let refused = networks.connect(&Sandbox::host(), only(&container(1), "bridge", &nothing)).await;
        assert!(matches!(refused, Err(Error::HostNamespace { .. })));
    });
}

#[test]
fn impossible_wishes_are_refused_and_cost_nothing() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        let (_sandbox, held) = connected(&networks, 1, &wanting("172.16.0.50")).await.unwrap();
        let before = devices();
        for (request, class) in [
            (wanting("172.16.0.50"), Class::Conflict),
            (wanting("172.17.0.1"), Class::Invalid),
            (wanting("172.16.0.1"), Class::Conflict),
            (wanting("fd00::1"), Class::Invalid),
            (wanting("x"), Class::Invalid),
            (EndpointRequest { ipv6: Some("fd00::5".into()), ..EndpointRequest::default() }, Class::Invalid),
            (
                EndpointRequest {
                    mac_address: Some("01:00:5e:00:00:01".into()),
                    ..EndpointRequest::default()
                },
                Class::Invalid,
            ),
        ] {
            let refused = connected(&networks, 2, &request).await.unwrap_err();
            assert_eq!(refused.class(), class, "{refused}");
        }
        assert_eq!(devices(), before);
        assert_eq!(networks.endpoints(&held.network_id), [held]);
    });
}

#[test]
fn a_future_that_is_dropped_leaves_no_address_and_no_device() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        let (_sandbox, first) = connected(&networks, 1, &EndpointRequest::default()).await.unwrap();
        let sandbox = networks.sandbox().await.unwrap();
        let (request, id) = (wanting("172.16.9.9"), container(2));
        let mut connecting = Box::pin(networks.connect(&sandbox, only(&id, "bridge", &request)));
        // The first poll sends the work to the kernel.
        assert!(futures_util::poll!(&mut connecting).is_pending());
        drop(connecting);
        drop(sandbox);
        let deadline = Instant::now() + LIMIT;
        let second = loop {
            match connected(&networks, 2, &request).await {
                Ok((_sandbox, endpoint)) => break endpoint,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        networks.release(&second);
        let known = BTreeSet::from([config().bridge, first.host_device.unwrap(), "lo".to_owned()]);
        assert!(eventually(|| devices() == known).await, "{:?}", devices());
    });
}

#[test]
fn two_hundred_containers_leave_the_host_as_it_was() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        // The first one waits for the rules, and the pool shall be full on both occasions.
        let (_kept, _) = connected(&networks, 0, &EndpointRequest::default()).await.unwrap();
        assert!(eventually(|| networks.prepared() == config().prepared).await);
        let before = traces();
        let mut addresses = HashSet::new();
        for round in 0..20 {
            let requests = (0..10).map(|number| {
                let networks = Arc::clone(&networks);
                tokio::spawn(async move {
                    connected(&networks, number, &EndpointRequest::default()).await.unwrap()
                })
            });
            for task in requests.collect::<Vec<_>>() {
                let (sandbox, endpoint) = task.await.unwrap();
                assert!(addresses.insert(endpoint.ipv4.unwrap().address), "round {round}");
                networks.release(&endpoint);
                networks.release(&endpoint);
                drop(sandbox);
            }
        }
        assert!(eventually(|| traces() == before).await, "{:?} {before:?}", traces());
        let bridge = networks.find("bridge").unwrap();
        assert_eq!(networks.endpoints(&bridge.id).len(), 1);
    });
}

#[test]
fn a_device_whose_namespace_somebody_else_holds_is_deleted() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        let (_still_held, endpoint) = connected(&networks, 1, &EndpointRequest::default()).await.unwrap();
        networks.release(&endpoint);
        let device = endpoint.host_device.unwrap();
        assert!(eventually(|| !devices().contains(&device)).await);
    });
}

#[test]
fn a_restart_takes_over_what_runs_and_removes_strays() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), Arc::clone(&store)).await.unwrap();
        let (_held, running) = connected(&networks, 1, &EndpointRequest::default()).await.unwrap();
        let (_stray_held, stray) = connected(&networks, 2, &EndpointRequest::default()).await.unwrap();
        let (gone_held, gone) = connected(&networks, 3, &EndpointRequest::default()).await.unwrap();
        networks.release(&gone);
        let device = gone.host_device.clone().unwrap();
        assert!(eventually(|| !devices().contains(&device)).await);
        drop((gone_held, networks));

        let networks = Networks::open(config(), store).await.unwrap();
        let lost = networks.adopt(vec![running.clone(), gone.clone()]).await.unwrap();
        assert_eq!(lost, std::slice::from_ref(&gone));
        networks.release(&gone);
        assert_eq!(networks.endpoints(&running.network_id), std::slice::from_ref(&running));
        let taken = connected(&networks, 4, &wanting(&running.ipv4.unwrap().address.to_string())).await;
        assert_eq!(taken.unwrap_err().class(), Class::Conflict);
        let stray = stray.host_device.unwrap();
        assert!(eventually(|| !devices().contains(&stray)).await);
        assert!(devices().contains(running.host_device.as_deref().unwrap()));
    });
}

#[test]
fn a_bridge_that_somebody_deletes_is_made_again() {
    on_a_host(|store| async move {
        let networks = Networks::open(config(), store).await.unwrap();
        let (_one, _) = connected(&networks, 1, &EndpointRequest::default()).await.unwrap();
        link::delete(&mut Socket::open().unwrap(), &config().bridge).unwrap();
        let (_two, endpoint) = connected(&networks, 2, &EndpointRequest::default()).await.unwrap();
        assert!(devices().contains(&config().bridge));
        assert!(devices().contains(endpoint.host_device.as_deref().unwrap()));
    });
}

#[test]
fn engines_on_one_host_never_share_a_range() {
    on_a_host(|store| async move {
        let directory = tempfile::tempdir().unwrap();
        let mut opening = Vec::new();
        for number in 0..6 {
            let store: Arc<dyn StateStore> = match number {
                0 => Arc::clone(&store),
                _ => store::open_redb(&directory.path().join(format!("{number}.redb"))).unwrap(),
            };
            let config = match number {
                0 => Config { prepared: 0, ..Config::host() },
                _ => Config { prepared: 0, ..Config::private(&directory.path().join(number.to_string())) },
            };
            opening.push(tokio::spawn(Networks::open(config, store)));
        }
        let mut subnets = HashSet::new();
        let mut engines = Vec::new();
        for task in opening {
            let networks = task.await.unwrap().unwrap();
            assert!(subnets.insert(networks.find("bridge").unwrap().ipam.config[0].subnet));
            engines.push(networks);
        }
        assert!(subnets.contains(&"172.20.0.0/16".parse().unwrap()));
        for networks in engines {
            networks.purge().await.unwrap();
        }
        assert_eq!(devices(), BTreeSet::from(["lo".to_owned()]));
    });
}

#[test]
fn a_purge_leaves_nothing() {
    on_a_host(|store| async move {
        let before = devices();
        let networks = Networks::open(config(), store).await.unwrap();
        let (_held, _) = connected(&networks, 1, &EndpointRequest::default()).await.unwrap();
        networks.purge().await.unwrap();
        assert_eq!(devices(), before);
        networks.purge().await.unwrap();
        let listed = std::process::Command::new("nft").args(["list", "tables"]).output();
        let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        assert!(!listed.unwrap_or_default().contains(&config().table));
    });
}

#[test]
fn a_configured_range_that_the_host_uses_is_refused_by_name() {
    on_a_host(|store| async move {
        let first = Networks::open(config(), store).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let other = store::open_redb(&directory.path().join("x")).unwrap();
        let wanted = Config {
            preferred_subnet: Some("172.16.4.0/24".parse().unwrap()),
            subnet_is_fixed: true,
            ..Config::private(directory.path())
        };
        let refused = Networks::open(wanted.clone(), other).await.unwrap_err();
        assert_eq!(refused.class(), Class::Conflict);
        assert!(refused.to_string().contains(&config().bridge), "{refused}");
        assert!(!devices().contains(&wanted.bridge));
        drop(first);
    });
}

#[test]
fn both_families_work_where_they_are_configured() {
    on_a_host(|store| async move {
        let config = Config { ipv6: Some("fd00:beef::/64".parse().unwrap()), ..config() };
        let networks = Networks::open(config, store).await.unwrap();
        assert!(networks.find("bridge").unwrap().enable_ipv6);
        let (_sandbox, endpoint) = connected(&networks, 1, &EndpointRequest::default()).await.unwrap();
        let ipv6 = endpoint.ipv6.unwrap();
        assert_eq!(ipv6.address.to_string(), "fd00:beef::2");
        assert_eq!(ipv6.gateway.unwrap().to_string(), "fd00:beef::1");
    });
}
