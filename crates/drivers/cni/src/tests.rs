//! Plugins that are scripts, for what real ones do only when they fail.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

struct Plugins {
    dir: tempfile::TempDir,
}

impl Plugins {
    fn new(plugins: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, script) in plugins {
            let path = dir.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\ncd {}\n{script}\n", dir.path().display())).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { dir }
    }

    fn places(&self, limit: Duration) -> Places {
        Places { plugins: vec![self.dir.path().to_owned()], limit }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

fn configuration(plugins: &[Value]) -> Configuration {
    Configuration { name: "lan".into(), version: "1.0.0".into(), unchecked: false, plugins: plugins.to_vec() }
}

const NO_WISHES: &Wishes = &Wishes { ports: Vec::new(), addresses: Vec::new(), mac: None };

fn attachment() -> Attachment<'static> {
    let namespace = Some(Path::new("/proc/1/ns/net"));
    Attachment { container: "c1", namespace, device: "eth0", wishes: NO_WISHES }
}

const LIMIT: Duration = Duration::from_secs(20);
const NOTE: &str =
    "echo $CNI_COMMAND $CNI_CONTAINERID $CNI_NETNS $CNI_IFNAME >> log; cat >> log; echo >> log";

#[test]
fn plugins_are_told_by_environment_and_input_and_each_gets_the_result_of_the_one_before() {
    let first = format!("{NOTE}; echo '{{\"ips\": [{{\"address\": \"10.1.0.2/24\"}}]}}'");
    let plugins = Plugins::new(&[("one", &first), ("two", &format!("{NOTE}; echo '{{}}'"))]);
    let list = [
        json!({"type": "one", "capabilities": {"mac": true}}),
        json!({"type": "two", "capabilities": {"portMappings": true, "ips": false}}),
    ];
    let configuration = configuration(&list);
    assert!(configuration.can("portMappings") && !configuration.can("ips"));
    let mapping = PortMapping { host_address: None, host: 8080, container: 80, protocol: "tcp".to_owned() };
    let addresses = vec!["10.1.0.2".parse().unwrap()];
    let wishes = Wishes { ports: vec![mapping], addresses, mac: Some("02:00:00:00:00:01".into()) };
    let attachment = || Attachment { wishes: &wishes, ..attachment() };
    let made = attach(&plugins.places(LIMIT), &configuration, &attachment()).unwrap();
    assert_eq!(made.raw, json!({}), "the last one's word");
    let log = plugins.log();
    assert!(
        log.starts_with("ADD c1 /proc/1/ns/net eth0\n{\"cniVersion\":\"1.0.0\",\"name\":\"lan\""),
        "{log}"
    );
    assert!(log.contains("\"prevResult\":{\"ips\":[{\"address\":\"10.1.0.2/24\"}]}"), "{log}");
    assert!(
        log.contains("\"runtimeConfig\":{\"portMappings\":[{\"containerPort\":80,\"hostPort\":8080"),
        "{log}"
    );
    assert!(log.contains("\"runtimeConfig\":{\"mac\":\"02:00:00:00:00:01\"}"), "{log}");
    assert!(!log.contains("\"ips\":[\"10"), "no plugin has the capability: {log}");
    let gone = Attachment { namespace: None, ..attachment() };
    check(&plugins.places(LIMIT), &configuration, &attachment(), &made.raw).unwrap();
    detach(&plugins.places(LIMIT), &configuration, &gone, Some(&made.raw)).unwrap();
    assert!(plugins.log().contains("DEL c1 eth0\n"), "{}", plugins.log());
}

#[test]
fn a_failure_is_told_in_the_plugins_words_and_taken_back() {
    let fails = "[ $CNI_COMMAND = DEL ] && exit 0; echo '{\"code\": 7, \"msg\": \"no room\", \"details\": \"in 10/8\"}'; exit 1";
    let mumbles = "echo oh dear >&2; exit 3";
    let one = format!("{NOTE}; [ $CNI_COMMAND = DEL ] || echo '{{}}'");
    let plugins = Plugins::new(&[("one", &one), ("fails", fails), ("mumbles", mumbles), ("mute", NOTE)]);
    let list = |kind: &str| configuration(&[json!({"type": "one"}), json!({"type": kind})]);
    let said =
        |kind: &str| attach(&plugins.places(LIMIT), &list(kind), &attachment()).unwrap_err().to_string();
    assert_eq!(said("fails"), "the CNI plugin fails of the network lan failed to ADD: no room; in 10/8");
    detach(&plugins.places(LIMIT), &list("fails"), &attachment(), None).unwrap();
    assert!(plugins.log().contains("DEL c1"), "the first is asked to take it back");
    let other = configuration(&[json!({"type": "one", "ipam": {"type": "nowhere"}})]);
    let missing = check_installed(&plugins.places(LIMIT), &other).unwrap_err().to_string();
    assert!(missing.starts_with("the CNI plugin \"nowhere\" of the network lan is not in /"), "{missing}");
    assert!(said("mumbles").ends_with("failed to ADD: oh dear"));
    // Without a result nobody knows what there is.
    assert!(said("mute").starts_with("the result of the CNI network lan makes no sense: mute: "));
    assert!(said("missing").starts_with("the CNI plugin \"missing\" of the network lan is not in /"));
}

#[test]
fn a_plugin_that_is_stuck_is_killed_with_its_children() {
    let plugins = Plugins::new(&[("stuck", "sleep 1000 & echo $! > child; wait")]);
    let began = Instant::now();
    let places = plugins.places(Duration::from_millis(300));
    let error = attach(&places, &configuration(&[json!({"type": "stuck"})]), &attachment()).unwrap_err();
    assert!(matches!(error, Error::Slow { .. }), "{error}");
    assert!(began.elapsed() < LIMIT);
    let child = std::fs::read_to_string(plugins.dir.path().join("child")).unwrap();
    let over = || {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        status.is_empty() || status.contains(") Z ")
    };
    while !over() {
        assert!(began.elapsed() < LIMIT, "its child lives");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Two namespaces by name, which play a host and a container.
struct Namespaces(String);

impl Namespaces {
    fn make() -> Self {
        let own = Self(format!("cni-test-{}", std::process::id()));
        for name in [own.host(), own.container()] {
            run_ip(&["netns", "add", &name]);
        }
        own
    }

    fn host(&self) -> String {
        format!("{}-h", self.0)
    }

    fn container(&self) -> String {
        format!("{}-c", self.0)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in [self.host(), self.container()] {
            let _ = std::process::Command::new("ip").args(["netns", "del", &name]).status();
        }
    }
}

fn run_ip(arguments: &[&str]) -> String {
    let output = std::process::Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn debians_bridge_attaches_checks_and_leaves_nothing() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: network namespaces are made by root");
    }
    let namespaces = Namespaces::make();
    let host = namespaces.host();
    let enter = format!("exec ip netns exec {host} /usr/lib/cni/bridge");
    let plugins = Plugins::new(&[("bridge", &enter), ("host-local", "exec /usr/lib/cni/host-local")]);
    let leases = plugins.dir.path().join("leases");
    let bridge = json!({
        "type": "bridge", "bridge": "cni0", "isGateway": true,
        "ipam": {
            "type": "host-local", "dataDir": leases, "routes": [{"dst": "0.0.0.0/0"}],
            "ranges": [[{"subnet": "10.66.0.0/24"}]],
        },
    });
    let (configuration, places) = (configuration(&[bridge]), plugins.places(LIMIT));
    let file = Path::new("/run/netns").join(namespaces.container());
    let what = Attachment { namespace: Some(&file), ..attachment() };
    let made = attach(&places, &configuration, &what).unwrap();
    assert_eq!(made.addresses[0].address.to_string(), "10.66.0.2/24");
    assert_eq!(made.addresses[0].gateway.unwrap().to_string(), "10.66.0.1");
    assert!(made.defaults.len() == 1 && made.mac.is_some());
    let routes = run_ip(&["-n", &namespaces.container(), "route"]);
    assert!(routes.contains("default via 10.66.0.1 dev eth0"), "{routes}");
    check(&places, &configuration, &what, &made.raw).unwrap();
    run_ip(&["-n", &namespaces.container(), "addr", "flush", "dev", "eth0"]);
    let said = check(&places, &configuration, &what, &made.raw).unwrap_err().to_string();
    assert!(said.contains("failed to CHECK"), "{said}");
    let again = attach(&places, &configuration, &what).unwrap_err().to_string();
    assert!(again.contains("failed to ADD"), "{again}");
    detach(&places, &configuration, &what, None).unwrap();

    // The namespace may be gone before its attachment is.
    let second =
        attach(&places, &configuration, &Attachment { container: "c2", device: "eth1", ..what }).unwrap();
    run_ip(&["netns", "del", &namespaces.container()]);
    for (container, device, result) in [("c1", "eth0", &made.raw), ("c2", "eth1", &second.raw)] {
        let gone = Attachment { container, device, namespace: None, wishes: NO_WISHES };
        detach(&places, &configuration, &gone, Some(result)).unwrap();
    }
    let left = std::fs::read_dir(leases.join("lan")).unwrap().flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("10.")).collect();
    assert!(left.is_empty(), "{left:?}");
}
