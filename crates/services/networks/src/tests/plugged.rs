//! Networks of the driver `cni`, by Debian's plugins and by scripts that do what real ones do only when things go wrong.

use super::branches::{joined, reaches, remove};
use super::*;
use serde_json::{Value, json};
use spec::{ExposedPort, PortBinding, PortProtocol};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

/// A host's configurations and plugins.
struct Plugs {
    dir: tempfile::TempDir,
}

impl Plugs {
    fn new() -> Self {
        let plugs = Self { dir: tempfile::tempdir().unwrap() };
        for part in ["conf", "bin"] {
            std::fs::create_dir(plugs.path(part)).unwrap();
        }
        plugs
    }

    fn path(&self, part: &str) -> PathBuf {
        self.dir.path().join(part)
    }

    fn config(&self) -> Config {
        Config {
            namespaces: self.path("netns"),
            plugin_networks: self.path("conf"),
            plugins: vec![self.path("bin"), "/usr/lib/cni".into()],
            ..config()
        }
    }

    fn write(&self, name: &str, plugins: &[Value]) {
        let list = json!({"cniVersion": "1.0.0", "name": name, "plugins": plugins});
        std::fs::write(self.path("conf").join(format!("{name}.conflist")), list.to_string()).unwrap();
    }

    /// Debian's bridge with addresses of 10.66.0.0/24, and the plugins that go with it.
    fn write_bridge(&self, name: &str, capabilities: &Value, others: &[Value]) {
        let bridge = json!({
            "type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true,
            "capabilities": capabilities,
            "ipam": {
                "type": "host-local", "dataDir": self.path("leases"),
                "ranges": [[{"subnet": "10.66.0.0/24"}], [{"subnet": "fd66::/64"}]],
            },
        });
        self.write(name, &[&[bridge], others].concat());
    }

    /// A plugin that is a script: what it was told to do stands in [`Plugs::told`].
    fn script(&self, name: &str, text: &str) {
        let told = self.path("told");
        let script = format!("#!/bin/sh\necho $CNI_COMMAND $CNI_IFNAME >> {}\n{text}\n", told.display());
        let path = self.path("bin").join(name);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn told(&self) -> String {
        std::fs::read_to_string(self.path("told")).unwrap_or_default()
    }

    /// What host-local has given to whom: nothing but its lock if all was taken back.
    fn leases(&self, network: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path("leases").join(network)).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains("66")).collect()
    }

    /// The files that keep namespaces.
    fn pins(&self) -> usize {
        std::fs::read_dir(self.path("netns")).into_iter().flatten().count()
    }
}

/// The rules of other programs than this engine.
fn foreign_rules() -> String {
    let output = Command::new("iptables-save").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rules = text.lines().filter(|line| line.starts_with("-A") && line.contains("10.66."));
    rules.collect::<Vec<_>>().join("\n")
}

fn of(conf: &str, name: &str) -> NewNetwork {
    NewNetwork {
        name: name.to_owned(),
        driver: "cni".to_owned(),
        options: [("conf".to_owned(), conf.to_owned())].into(),
        ..NewNetwork::default()
    }
}

async fn records(store: &Arc<dyn StateStore>) -> usize {
    store.list("plugged/").await.unwrap().entries.len()
}

#[test]
fn debians_plugins_attach_containers_and_leave_nothing() {
    on_a_host(|store| async move {
        let plugs = Plugs::new();
        plugs.write_bridge("lan", &json!({}), &[]);
        let networks = Networks::open(plugs.config(), Arc::clone(&store)).await.unwrap();
        let made = networks.create(of("lan", "web")).await.unwrap();
        assert_eq!((made.driver.as_str(), made.ipam.config.len()), ("cni", 0));
        let (one, other) = (joined(&networks, 1, "web").await, joined(&networks, 2, "web").await);
        let ipv4 = one.1.ipv4.unwrap();
        assert_eq!((ipv4.address.to_string().as_str(), ipv4.prefix), ("10.66.0.2", 24));
        assert_eq!(ipv4.gateway, Some("10.66.0.1".parse().unwrap()));
        assert_eq!(one.1.ipv6.unwrap().address.to_string(), "fd66::2");
        let eth0 = one.0.namespace().unwrap().with_socket(|socket| link::get(socket, "eth0")).unwrap();
        assert_eq!(eth0.mac, one.1.mac.map(Mac::octets));
        assert!(reaches(Some(&one.0), &other) && reaches(None, &other));
        assert_eq!((records(&store).await, plugs.pins(), plugs.leases("lan").len()), (2, 2, 4));
        assert_ne!(foreign_rules(), "", "they are masqueraded");
        let error = remove(&networks, "web").await.unwrap_err();
        assert!(matches!(error, Error::InUse { .. }), "{error}");

        networks.disconnect(&one.0, &one.1).await.unwrap();
        let inside = one.0.namespace().unwrap().run(|| link::list(&mut Socket::open()?, None)).unwrap();
        assert_eq!(inside.len(), 1, "loopback");
        assert!(reaches(None, &other));
        let request = EndpointRequest::default();
        let again = networks.connect(&one.0, only(&container(1), "web", &request)).await.unwrap();
        // Whose namespace is gone, and who has told of it twice.
        drop(one.0);
        networks.release(&again);
        networks.release(&other.1);
        networks.release(&other.1);
        remove(&networks, "web").await.unwrap();
        assert_eq!((records(&store).await, plugs.pins()), (0, 0));
        assert_eq!((plugs.leases("lan"), foreign_rules()), (Vec::new(), String::new()));
    });
}

#[test]
fn a_container_that_comes_again_at_once_gets_what_it_had() {
    on_a_host(|store| async move {
        let plugs = Plugs::new();
        plugs.write_bridge("lan", &json!({"ips": true}), &[]);
        let networks = Networks::open(plugs.config(), Arc::clone(&store)).await.unwrap();
        networks.create(of("lan", "web")).await.unwrap();
        for _ in 0..3 {
            let sandbox = networks.sandbox().await.unwrap();
            let request = EndpointRequest { ipv6: Some("fd66::77".into()), ..wanting("10.66.0.77") };
            let endpoint = networks.connect(&sandbox, only(&container(1), "web", &request)).await.unwrap();
            assert_eq!(endpoint.ipv4.unwrap().address.to_string(), "10.66.0.77");
            assert_eq!(endpoint.ipv6.unwrap().address.to_string(), "fd66::77");
            let other = networks.sandbox().await.unwrap();
            let taken = networks.connect(&other, only(&container(2), "web", &request)).await.unwrap_err();
            assert!(
                taken.to_string().contains("failed to ADD") && taken.class() == Class::Unavailable,
                "{taken}"
            );
            assert_eq!((records(&store).await, plugs.pins(), plugs.leases("lan").len()), (1, 1, 2));
            networks.release(&endpoint);
        }
        networks.unplugged(&container(1)).await;
        assert_eq!((records(&store).await, plugs.pins(), plugs.leases("lan").len()), (0, 0, 0));
    });
}

#[test]
fn what_plugins_would_not_hear_of_is_refused() {
    on_a_host(|store| async move {
        let plugs = Plugs::new();
        plugs.write_bridge("lan", &json!({}), &[]);
        plugs.write("odd", &[json!({"type": "nowhere"})]);
        let networks = Networks::open(plugs.config(), store).await.unwrap();
        let range = NewRange {
            subnet: "10.1.0.0/24".parse().unwrap(),
            ip_range: None,
            gateway: None,
            auxiliary: Default::default(),
        };
        let lan = || of("lan", "web");
        let none = NewNetwork { options: Default::default(), ..lan() };
        let unknown = [("conf".to_owned(), "lan".to_owned()), ("parent".to_owned(), "eth0".to_owned())];
        for (wanted, class, text) in [
            (of("wan", "web"), Class::NotFound, "no CNI configuration \"wan\" in "),
            (of("wan", "web"), Class::NotFound, "where there are lan, odd"),
            (
                of("odd", "web"),
                Class::Unsupported,
                "the CNI plugin \"nowhere\" of the network odd is not in /",
            ),
            (none, Class::Invalid, "-o conf=NAME"),
            (NewNetwork { options: unknown.into(), ..lan() }, Class::Invalid, "no option \"parent\""),
            (
                NewNetwork { ranges: vec![range], ..lan() },
                Class::Invalid,
                "the subnet 10.1.0.0/24 can't be asked",
            ),
            (NewNetwork { internal: true, ..lan() }, Class::Invalid, "to be internal can't be asked"),
            (NewNetwork { enable_ipv6: Some(true), ..lan() }, Class::Invalid, "IPv6 can't be asked"),
        ] {
            let error = networks.create(wanted).await.unwrap_err();
            assert!(error.class() == class && error.to_string().contains(text), "{error}");
        }
        networks.create(lan()).await.unwrap();
        let sandbox = networks.sandbox().await.unwrap();
        let mac =
            EndpointRequest { mac_address: Some("02:00:00:00:00:07".into()), ..EndpointRequest::default() };
        let (plain, bindings) = (EndpointRequest::default(), [binding(8080, 80)]);
        for (request, bindings, text) in [
            (&wanting("10.66.0.9"), &[][..], "has the capability ips"),
            (&mac, &[], "has the capability mac"),
            (&plain, &bindings, "has the capability portMappings, which publishing a port needs"),
        ] {
            let id = container(1);
            let connection = Connection { bindings, ..only(&id, "web", request) };
            let error = networks.connect(&sandbox, connection).await.unwrap_err();
            assert!(error.class() == Class::Unsupported && error.to_string().contains(text), "{error}");
        }
        let refused = networks.connect(&Sandbox::host(), only(&container(1), "web", &plain)).await;
        assert!(matches!(refused, Err(Error::HostNamespace { .. })));
    });
}

fn binding(host: u16, inside: u16) -> PortBinding {
    let container = ExposedPort { port: inside, protocol: PortProtocol::Tcp }.into();
    PortBinding { container, host_ip: None, host_port: Some(host), host_port_end: None }
}

#[test]
fn plugins_publish_ports_from_the_start_on() {
    on_a_host(|store| async move {
        let plugs = Plugs::new();
        let others = [
            json!({"type": "portmap", "capabilities": {"portMappings": true}}),
            json!({"type": "tuning", "capabilities": {"mac": true}}),
        ];
        plugs.write_bridge("lan", &json!({}), &others);
        let networks = Networks::open(plugs.config(), store).await.unwrap();
        networks.create(of("lan", "web")).await.unwrap();
        let sandbox = networks.sandbox().await.unwrap();
        let mac = "02:00:00:00:00:07";
        let request = EndpointRequest { mac_address: Some(mac.into()), ..EndpointRequest::default() };
        let (id, names, bindings) = (container(1), ["first".to_owned()], [binding(8080, 80)]);
        let connection = Connection { names: &names, bindings: &bindings, ..only(&id, "web", &request) };
        let endpoint = networks.connect(&sandbox, connection).await.unwrap();
        assert_eq!(endpoint.mac.unwrap().to_string(), mac);
        let hosts: Vec<_> = endpoint.ports.iter().map(|one| (one.host.to_string(), one.first)).collect();
        assert_eq!(hosts, [("0.0.0.0".to_owned(), 8080), ("::".to_owned(), 8080)]);
        assert_eq!(endpoint.port_rules().count(), 0, "they are not this engine's to lead");

        let inside = || Ok(TcpListener::bind("0.0.0.0:80").unwrap());
        let _listener = sandbox.namespace().unwrap().run(inside).unwrap();
        let target = (IpAddr::from([10, 66, 0, 1]), 8080).into();
        TcpStream::connect_timeout(&target, Duration::from_secs(5)).unwrap();

        let second = networks.sandbox().await.unwrap();
        let (id, plain) = (container(2), EndpointRequest::default());
        let connection = Connection { bindings: &bindings, ..only(&id, "web", &plain) };
        let error = networks.connect(&second, connection).await.unwrap_err().to_string();
        assert_eq!(error, "Bind for 0.0.0.0:8080 failed: port is already allocated by container first");

        let called = |_: &Endpoint| String::new();
        let same = networks.republish(vec![endpoint.clone()], &bindings, called).await.unwrap();
        assert_eq!(same[0].ports, endpoint.ports);
        let more = [binding(8080, 80), binding(8081, 81)];
        for changed in [&more[..], &more[1..], &[]] {
            let error = networks.republish(vec![endpoint.clone()], changed, called).await.unwrap_err();
            assert!(error.to_string().ends_with("publish ports when a container starts, not while it runs"));
        }
        networks.release(&endpoint);
        remove(&networks, "web").await.unwrap();
        assert_eq!(foreign_rules(), "");
    });
}

#[test]
fn a_start_takes_back_what_no_running_container_has() {
    on_a_host(|store| async move {
        let plugs = Plugs::new();
        plugs.write_bridge("lan", &json!({}), &[]);
        let networks = Networks::open(plugs.config(), Arc::clone(&store)).await.unwrap();
        networks.create(of("lan", "web")).await.unwrap();
        let (held, stray) = (joined(&networks, 1, "web").await, joined(&networks, 2, "web").await);
        drop((networks, stray.0));
        // The configuration that it was made by is in the record.
        std::fs::remove_file(plugs.path("conf").join("lan.conflist")).unwrap();
        let pin = plugs.path("netns").join(stray.1.id.as_str());
        let mut plugin = Command::new("sleep").arg("600").env("CNI_NETNS", &pin).spawn().unwrap();

        let networks = Networks::open(plugs.config(), Arc::clone(&store)).await.unwrap();
        networks.adopt(vec![held.1.clone()]).await.unwrap();
        networks.unplugged(&container(2)).await;
        assert!(plugin.try_wait().unwrap().is_some(), "what the last daemon left at work");
        assert_eq!((records(&store).await, plugs.pins(), plugs.leases("lan").len()), (1, 1, 2));
        assert!(reaches(None, &held));
        networks.purge().await.unwrap();
        assert_eq!((records(&store).await, plugs.pins(), foreign_rules()), (0, 0, String::new()));
        assert!(!plugs.path("netns").exists());
    });
}

#[test]
fn who_does_not_wait_for_plugins_leaves_nothing() {
    on_a_host(|store| async move {
        let plugs = Plugs::new();
        let go = plugs.path("go");
        plugs.script("slow", &format!("while ! [ -e {} ]; do sleep 0.01; done; echo '{{}}'", go.display()));
        plugs.write("lan", &[json!({"type": "slow"})]);
        let networks = Networks::open(plugs.config(), Arc::clone(&store)).await.unwrap();
        networks.create(of("lan", "web")).await.unwrap();
        let sandbox = networks.sandbox().await.unwrap();
        let (this, used) = (Arc::clone(&networks), Arc::new(sandbox));
        let waiting = tokio::spawn({
            let used = Arc::clone(&used);
            async move {
                let (id, request) = (container(1), EndpointRequest::default());
                this.connect(&used, only(&id, "web", &request)).await
            }
        });
        assert!(eventually(|| plugs.told() == "ADD eth0\n").await);
        // Other networks go on meanwhile, and come and go.
        let error = remove(&networks, "web").await.unwrap_err();
        assert!(matches!(error, Error::InUse { .. }), "{error}");
        networks.create(NewNetwork { name: "own".into(), ..NewNetwork::default() }).await.unwrap();
        let (_sandbox, other) = joined(&networks, 2, "own").await;
        networks.release(&other);
        remove(&networks, "own").await.unwrap();
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        std::fs::write(go, "").unwrap();
        remove_once_unused(&networks).await;
        assert_eq!(plugs.told(), "ADD eth0\nDEL eth0\n");
        assert_eq!((records(&store).await, plugs.pins()), (0, 0));
    });
}

async fn remove_once_unused(networks: &Arc<Networks>) {
    let deadline = Instant::now() + LIMIT;
    while let Err(error) = remove(networks, "web").await {
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[test]
fn what_plugins_could_not_take_back_is_tried_again() {
    on_a_host(|store| async move {
        let plugs = Plugs::new();
        let well = plugs.path("well");
        let words = "{\"code\": 11, \"msg\": \"try again\"}";
        let text = format!(
            "[ $CNI_COMMAND != DEL ] || [ -e {} ] || {{ echo '{words}'; exit 1; }}; echo '{{}}'",
            well.display()
        );
        plugs.script("ill", &text);
        plugs.write("lan", &[json!({"type": "ill"})]);
        let networks = Networks::open(plugs.config(), Arc::clone(&store)).await.unwrap();
        networks.create(of("lan", "web")).await.unwrap();
        let (sandbox, endpoint) = joined(&networks, 1, "web").await;
        let error = networks.disconnect(&sandbox, &endpoint).await.unwrap_err().to_string();
        assert_eq!(error, "the CNI plugin ill of the network lan failed to DEL: try again");
        assert_eq!(networks.endpoints(&endpoint.network_id).len(), 1, "it is as it was");
        networks.release(&endpoint);
        networks.unplugged(&container(1)).await;
        assert_eq!((records(&store).await, plugs.pins()), (1, 1));
        std::fs::write(well, "").unwrap();
        remove(&networks, "web").await.unwrap();
        assert_eq!((records(&store).await, plugs.pins()), (0, 0));
    });
}
