//! From texts to settings: what is refused and how that is said, who is stronger, what changes.

use super::*;
use serde_json::json;

const SEED: &str = r#"# container-runtime.yaml
runtime:
  root_dir: "/var/lib/container-runtime"
  state_dir: "/run/container-runtime"
  max_containers: 1000
  default_runtime: "runc"

network:
  default_bridge: "ctr0"
  ip_range: "172.20.0.0/16"
  dns_server: "172.20.0.1"

storage:
  driver: "overlay2"
  root: "/var/lib/container-runtime/storage"

registry:
  default: "localhost:5000"
  mirrors:
    - "https://registry-1.docker.io"
"#;

fn read(text: &str) -> Result<Effective, String> {
    let layer = from_file("f.yaml", text, false).map_err(|problems| problems_text(&problems))?;
    Effective::of([layer]).map_err(|problems| problems_text(&problems))
}

fn environment(pairs: &[(&str, &str)]) -> Result<Layer, String> {
    let pairs = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    from_environment(pairs).map_err(|problems| problems_text(&problems))
}

fn path(text: &str) -> KeyPath {
    KeyPath::parse(text).unwrap()
}

#[test]
fn the_example_is_read_with_its_meaning() {
    let settings = read(SEED).unwrap().settings;
    assert_eq!(settings.runtime.max_containers, 1000);
    assert_eq!(settings.network.dns_server, Some("172.20.0.1".parse().unwrap()));
    assert_eq!(settings.storage_root(), "/var/lib/container-runtime/storage");
    assert_eq!(settings.registry.default, "localhost:5000");
    assert_eq!(settings.registry.mirrors["docker.io"], ["https://registry-1.docker.io"]);
    assert_eq!(reference().matches(SEED.trim_end()).count(), 1, "the page shows it");
}

#[test]
fn json_is_read_too_and_nothing_means_the_defaults() {
    assert_eq!(read(r#"{"network": {"mtu": 1400}}"#).unwrap().settings.network.mtu, Some(1400));
    for text in ["", "# words\n", "network:\n", "network: {}\nmetrics:\n", "registry:\n  mirrors:\n"] {
        assert_eq!(read(text).unwrap().settings, Settings::default(), "{text:?}");
    }
}

#[test]
fn mistakes_are_pointed_at() {
    for (text, said) in [
        (
            "runtime:\n  root_dri: /x\n",
            "f.yaml:2:3: runtime.root_dri: there is no such key: did you mean runtime.root_dir?",
        ),
        ("netwrok:\n  mtu: 1\n", "f.yaml:1:1: netwrok: there is no such key: did you mean network?"),
        (
            "network:\n  ip-range: 10.0.0.0/8\n",
            "f.yaml:2:3: network.ip-range: there is no such key: did you mean network.ip_range?",
        ),
        (
            "runtime:\n  ip_range: 10.0.0.0/8\n",
            "f.yaml:2:3: runtime.ip_range: there is no such key: did you mean network.ip_range?",
        ),
        ("dns:\n  zzz: 1\n", "f.yaml:2:3: dns.zzz: there is no such key: dns has servers, search, options"),
        (
            "zzz: 1\n",
            "f.yaml:1:1: zzz: there is no such key: the sections are runtime, network, storage, registry, dns, logging, state, metrics",
        ),
        ("metrics:\n  x: 1\n", "f.yaml:2:3: metrics.x: there is no such key: metrics has none yet"),
        (
            "network:\n  - a\n",
            "f.yaml:2:3: network: it is a section: write keys below it, default_bridge, ip_range, dns_server, ipv6, bypass_firewall, idle_namespaces, mtu, cni",
        ),
        (
            "- a\n",
            "f.yaml:1:1: the settings are a section: write keys below it, runtime, network, storage, registry, dns, logging, state, metrics",
        ),
        (
            "runtime:\n  max_containers: many\n",
            "f.yaml:2:19: runtime.max_containers: 'many' is not allowed, it must be a whole number, 0 or more",
        ),
        (
            "runtime:\n  max_containers: [1]\n",
            "f.yaml:2:19: runtime.max_containers: it is a list, and must be a whole number, 0 or more",
        ),
        (
            "runtime:\n  labels: x\n",
            "f.yaml:2:11: runtime.labels: it is 'x', and must be a list, each a text",
        ),
        (
            "dns:\n  servers:\n    - 192.0.2.1\n    - x\n",
            "f.yaml:4:7: dns.servers: 'x' is not allowed, it must be an IP address, as 192.0.2.1",
        ),
        (
            "logging:\n  options: x\n",
            "f.yaml:2:12: logging.options: it is 'x', and must be names, each with a text",
        ),
        (
            "registry:\n  mirrors: x\n",
            "f.yaml:2:12: registry.mirrors: it is 'x', and must be a list of URLs, or such lists by registry",
        ),
        (
            "runtime:\n  default_runtime:\n",
            "f.yaml:2:3: runtime.default_runtime: it is empty: write a value, or take the line out",
        ),
        (
            "runtime:\n  autostart:\n",
            "f.yaml:2:3: runtime.autostart: it is empty: write a value, or take the line out",
        ),
        ("a: 1\na: 2\n", "f.yaml:2:1: 'a' is there twice, first in line 1"),
    ] {
        assert_eq!(read(text).unwrap_err(), said, "{text}");
    }
    let two = read("network:\n  mtu: x\n  ipv6: y\n").unwrap_err();
    assert_eq!(two.lines().count(), 2, "all of them are named: {two}");
}

#[test]
fn keys_that_do_not_go_together_are_refused() {
    for (text, said) in [
        (
            "runtime: {default_runtime: runx}",
            "f.yaml:1:28: runtime.default_runtime: 'runx' is no runtime here, there are libcontainer, runc, crun and what runtime.runtimes names: did you mean runc?",
        ),
        (
            "runtime: {runtimes: {x: {path: y, shim: z}}}",
            "runtime.runtimes: x has a path and a shim: it can be one of them",
        ),
        (
            "network: {default_bridge: a-very-long-name}",
            "f.yaml:1:27: network.default_bridge: 'a-very-long-name' can't be a device's name: 1 to 15 bytes, no slash, colon or white space",
        ),
        (
            "network: {mtu: 1000}",
            "f.yaml:1:16: network.mtu: 1000 is too little for IPv6, which needs 1280: raise it, or set network.ipv6 to false",
        ),
        (
            "network: {ip_range: 10.1.0.0/16, dns_server: 10.1.255.255}",
            "f.yaml:1:46: network.dns_server: 10.1.255.255 is nobody's address in network.ip_range 10.1.0.0/16: the gateway there is 10.1.0.1",
        ),
        (
            "storage: {root: /var/lib/container-runtime/volumes/x}",
            "f.yaml:1:17: storage.root: /var/lib/container-runtime/volumes/x is where the engine has its volumes: take another directory",
        ),
        (
            "dns: {servers: [127.0.0.53]}",
            "f.yaml:1:16: dns.servers: 127.0.0.53 is in each container the container itself: name an address of this host",
        ),
        (
            "state: {etcd: {certificate: /c}}",
            "f.yaml:1:29: state.etcd.key: it is missing: state.etcd.certificate needs it",
        ),
        (
            "state: {etcd: {key: /k}}",
            "f.yaml:1:21: state.etcd.certificate: it is missing: state.etcd.key needs it",
        ),
        (
            "storage: {root: /var/lib/container-runtime/state.redb}",
            "f.yaml:1:17: storage.root: /var/lib/container-runtime/state.redb is where the engine has its state.redb: take another directory",
        ),
        ("storage: {root: /}", "f.yaml:1:17: storage.root: / belongs to the host: take a directory below it"),
        (
            "storage: {gc: {interval: 0}}",
            "f.yaml:1:26: storage.gc.interval: '0' is not allowed, it must be a whole number of seconds, 1 or more",
        ),
        (
            "registry: {serve: {token: true}}",
            "f.yaml:1:27: registry.serve.token: there are no users who could get tokens: name a file of them in registry.serve.htpasswd",
        ),
        (
            "registry: {serve: {tls: {key: /k}}}",
            "f.yaml:1:31: registry.serve.tls.certificate: it is missing: registry.serve.tls.key needs it",
        ),
        (
            "registry: {default: https://x.example}",
            "f.yaml:1:21: registry.default: 'https://x.example' is no registry: write host or host:port, as localhost:5000",
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), said, "{text}");
    }
    assert!(read("runtime: {default_runtime: mine, runtimes: {mine: {path: /x}}}").is_ok());
    assert!(read("network: {dns_server: 127.0.0.11}").is_ok());
    assert!(read("network: {mtu: 1000, ipv6: false}").is_ok());
}

#[test]
fn flag_environment_file_drop_in_default() {
    let drop_in = from_file(
        "d/1.yaml",
        "runtime: {max_containers: 1, idle_shims: 1, labels: [a]}\nlogging: {options: {a: x, b: x}}",
        true,
    );
    let file = from_file(
        "f.yaml",
        "runtime: {max_containers: 2, cgroup_parent: /f, labels: [b]}\nlogging: {options: {b: y}}",
        false,
    );
    let environment = environment(&[
        ("CONTAINER_RUNTIME_RUNTIME__MAX_CONTAINERS", "3"),
        ("CONTAINER_RUNTIME_RUNTIME__CGROUP_PARENT", "/e"),
        ("CONTAINER_RUNTIME_DNS__SERVERS", "192.0.2.1,192.0.2.2"),
        ("CONTAINER_RUNTIME_INJECT", "what is no setting"),
        ("OTHER__X", "y"),
    ]);
    let flags = from_flags([("runtime.max_containers", "4".to_owned(), "--max")]);
    let layers = [drop_in.unwrap(), file.unwrap(), environment.unwrap(), flags.unwrap()];
    let effective = Effective::of(layers).unwrap();
    let runtime = &effective.settings.runtime;
    assert_eq!((runtime.max_containers, runtime.cgroup_parent.as_str(), runtime.idle_shims), (4, "/e", 1));
    assert_eq!(runtime.labels, ["b"], "lists are taken whole");
    assert_eq!(json!(effective.settings.logging.options), json!({"a": "x", "b": "y"}), "maps by name");
    assert_eq!(effective.settings.dns.servers.len(), 2);
    for (key, origin) in [
        ("runtime.max_containers", "flag --max"),
        ("runtime.cgroup_parent", "environment CONTAINER_RUNTIME_RUNTIME__CGROUP_PARENT"),
        ("runtime.labels", "f.yaml:1:57"),
        ("runtime.idle_shims", "d/1.yaml:1:42"),
        ("runtime.autostart", "default"),
    ] {
        assert_eq!(effective.get(&path(key)).unwrap().origin.to_string(), origin);
    }
}

#[test]
fn variables_that_name_nothing_are_mistakes() {
    assert_eq!(
        environment(&[("CONTAINER_RUNTIME_NETWORK__IP_RNAGE", "10.0.0.0/8")]).unwrap_err(),
        "environment CONTAINER_RUNTIME_NETWORK__IP_RNAGE: network.ip_rnage: there is no such key: did you mean network.ip_range?"
    );
    assert_eq!(
        environment(&[("CONTAINER_RUNTIME_NETWORK__MTU", "x")]).unwrap_err(),
        "environment CONTAINER_RUNTIME_NETWORK__MTU: network.mtu: 'x' is not allowed, it must be a whole number from 68 to 65535"
    );
    let said = environment(&[("CONTAINER_RUNTIME_STORAGE__GC", "x")]).unwrap_err();
    assert!(
        said.ends_with("it is a section: name one of its keys, partials_after, interval, images"),
        "{said}"
    );
}

#[test]
fn null_takes_a_weaker_source_back() {
    let drop_in = from_file(
        "d",
        "network: {ip_range: 10.0.0.0/8}\nruntime: {labels: [a]}\nlogging: {options: {a: x, b: x, c: x}}\nregistry: {mirrors: {h: [m]}}",
        true,
    )
    .unwrap();
    let file = "network: {ip_range: null}\nruntime: {labels: }\nlogging: {options: {a: null}}\nregistry: {mirrors: {h: }}";
    let file = from_file("f", file, false).unwrap();
    let environment = environment(&[("CONTAINER_RUNTIME_LOGGING__OPTIONS__B", "")]).unwrap();
    let settings = Effective::of([drop_in, file, environment]).unwrap().settings;
    assert_eq!(json!(settings.logging.options), json!({"c": "x"}));
    assert!(settings.registry.mirrors.is_empty(), "{:?}", settings.registry.mirrors);
    assert_eq!(settings.network.ip_range, None);
    assert!(settings.runtime.labels.is_empty());
}

#[test]
fn changes_are_named_and_those_that_need_a_restart_wait() {
    let old = read("runtime: {max_containers: 1, idle_shims: 1}\nregistry: {mirrors: [a]}").unwrap();
    let new =
        read("runtime: {max_containers: 2, idle_shims: 2}\nregistry: {mirrors: {docker.io: [b], x: [c]}}")
            .unwrap();
    let changes: Vec<_> =
        new.changes_from(&old).into_iter().map(|one| format!("{} {}", one.path, one.change)).collect();
    assert_eq!(
        changes,
        [
            "registry.mirrors.\"docker.io\" at once, for new transfers",
            "registry.mirrors.x at once, for new transfers",
            "runtime.idle_shims when the daemon is restarted",
            "runtime.max_containers at once",
        ]
    );
    let held = new.held_to(&old).unwrap();
    assert_eq!((held.settings.runtime.max_containers, held.settings.runtime.idle_shims), (2, 1));
    let pending: Vec<_> = new.changes_from(&held).into_iter().map(|one| one.path.to_string()).collect();
    assert_eq!(pending, ["runtime.idle_shims"]);
    assert!(new.changes_from(&new).is_empty());
    assert_eq!(new.tree()["registry"]["mirrors"], json!({"docker.io": ["b"], "x": ["c"]}));
}

#[test]
fn what_docker_says_is_said_in_our_words() {
    let text = r#"{
        "data-root": "/data", "bip": "10.9.0.1/16", "debug": true, "registry-mirrors": ["https://m.example"],
        "exec-opts": ["native.cgroupdriver=systemd", "other=1"], "log-opts": {"max-size": "10m"},
        "runtimes": {"kata": {"runtimeType": "io.containerd.kata.v2"}, "y": {"path": "/y", "runtimeArgs": ["-d"]}},
        "storage-driver": "btrfs", "hosts": ["fd://"], "nonsense": 1, "dns": ["192.0.2.1"]
    }"#;
    let imported = import_daemon_json(text).unwrap();
    let mut file = String::new();
    for (path, value) in &imported.values {
        file = edit(&file, path, value).unwrap();
    }
    let settings = read(&file).unwrap().settings;
    assert_eq!(settings.runtime.root_dir.to_str(), Some("/data"));
    assert_eq!(settings.network.ip_range, Some("10.9.0.0/16".parse().unwrap()));
    assert_eq!(settings.logging.level, LogLevel::Debug);
    assert_eq!(settings.registry.mirrors["docker.io"], ["https://m.example"]);
    assert_eq!(settings.runtime.cgroup_driver, CgroupDriver::Systemd);
    assert_eq!(settings.logging.options["max-size"], "10m");
    assert_eq!(settings.runtime.runtimes["kata"].shim.as_deref(), Some("io.containerd.kata.v2"));
    assert_eq!(settings.runtime.runtimes["y"].args, ["-d"]);
    assert_eq!(settings.dns.servers.len(), 1);
    let left: Vec<_> = imported.left_out.iter().map(|(key, why)| format!("{key}: {why}")).collect();
    assert_eq!(
        left,
        [
            "exec-opts: there is nothing like other=1 here",
            "storage-driver: btrfs is not there, overlay2 is",
            "hosts: give the daemon --host",
            "nonsense: there is nothing like it here",
        ]
    );
    assert!(import_daemon_json("[]").is_err());
}
