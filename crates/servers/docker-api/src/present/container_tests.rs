//! An inspected container has all of Docker's keys, and no other.

use super::*;
use containers::{ExitRecord, ImageUse, MountPoint, MountPointKind, Record, SCHEMA, State};
use engine::container::{Files, Sizes};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const ID: &str = "07acb847dcd3ebdddd3ca28c71a8be9fb63607bc263d8c4f17bbccb834895d0e";

fn record(state: State) -> Record {
    let mut spec = ContainerSpec { image: "busybox".into(), ..ContainerSpec::default() };
    spec.process.command = Some(vec!["sleep".into(), "1".into()]);
    spec.network.endpoints = [("bridge".to_owned(), spec::EndpointRequest::default())].into();
    spec.network.exposed.extend([spec::ExposedPort { port: 80, protocol: spec::PortProtocol::Tcp }]);
    let volume = MountPointKind::Volume { name: "v".into(), driver: "local".into(), anonymous: false };
    let mount = |kind, source: &str, target: &str, read_only| MountPoint {
        kind,
        source: source.into(),
        target: target.into(),
        read_only,
        propagation: None,
        mode: String::new(),
    };
    Record {
        schema: SCHEMA,
        id: ID.parse().unwrap(),
        name: "web".parse().unwrap(),
        created_at: 1_700_000_000_500_000_000,
        spec,
        image: ImageUse { id: "sha256:aa".into(), manifest: None, platform: "linux/amd64".into() },
        mounts: vec![
            mount(MountPointKind::Bind, "/tmp", "/t", true),
            mount(volume, "/volumes/v/_data", "/v", false),
            mount(MountPointKind::Tmpfs, "", "/m", false),
        ],
        runtime: "libcontainer".into(),
        state,
        stopped_by_user: false,
        restart_count: 2,
        endpoints: BTreeMap::new(),
    }
}

fn inspected(state: State, sizes: Option<Sizes>) -> Value {
    let found = Inspection {
        record: Arc::new(record(state)),
        removing: false,
        log_path: Some("/c/x-json.log".into()),
        files: Files {
            hosts: "/c/hosts".into(),
            hostname: "/c/hostname".into(),
            resolv_conf: "/c/resolv.conf".into(),
        },
        execs: Vec::new(),
        layers: BTreeMap::from([("UpperDir".into(), "/u".into())]),
        storage_driver: "overlay2",
        apparmor_profile: String::new(),
        links: Vec::new(),
        sizes,
    };
    serde_json::to_value(inspect(&Host { name: "host", cgroup_v2: true }, &found)).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_keys_are_dockers() {
    // Read off Docker 28.5.2 for a container that never ran.
    let shown = inspected(State::Created { failure: None }, None);
    let expected = "AppArmorProfile Args Config Created Driver ExecIDs GraphDriver HostConfig HostnamePath HostsPath Id \
        Image LogPath MountLabel Mounts Name NetworkSettings Path Platform ProcessLabel ResolvConfPath RestartCount State";
    assert_eq!(keys(&shown), expected.split_whitespace().collect::<Vec<_>>());
    let expected = "Dead Error ExitCode FinishedAt OOMKilled Paused Pid Restarting Running StartedAt Status";
    assert_eq!(keys(&shown["State"]), expected.split_whitespace().collect::<Vec<_>>());
    let expected = "Bridge EndpointID Gateway GlobalIPv6Address GlobalIPv6PrefixLen HairpinMode IPAddress IPPrefixLen \
        IPv6Gateway LinkLocalIPv6Address LinkLocalIPv6PrefixLen MacAddress Networks Ports SandboxID SandboxKey \
        SecondaryIPAddresses SecondaryIPv6Addresses";
    assert_eq!(keys(&shown["NetworkSettings"]), expected.split_whitespace().collect::<Vec<_>>());
    let expected = "Aliases DNSNames DriverOpts EndpointID Gateway GlobalIPv6Address GlobalIPv6PrefixLen GwPriority \
        IPAMConfig IPAddress IPPrefixLen IPv6Gateway Links MacAddress NetworkID";
    assert_eq!(
        keys(&shown["NetworkSettings"]["Networks"]["bridge"]),
        expected.split_whitespace().collect::<Vec<_>>()
    );
}

#[test]
fn the_values_are_the_records() {
    let exit = ExitRecord {
        code: 3,
        started_at: 1_700_000_001_000_000_000,
        finished_at: 1_700_000_002_000_000_000,
        oom_killed: false,
        error: String::new(),
    };
    let shown = inspected(State::Exited { exit }, Some(Sizes { writable: 5, total: 7 }));
    assert_eq!(shown["Name"], "/web");
    assert_eq!(shown["Created"], "2023-11-14T22:13:20.5Z");
    assert_eq!((&shown["Path"], &shown["Args"]), (&json!("sleep"), &json!(["1"])));
    assert_eq!(shown["State"]["ExitCode"], 3);
    assert_eq!(shown["Config"]["Hostname"], ID[..12]);
    assert_eq!((&shown["SizeRw"], &shown["SizeRootFs"]), (&json!(5), &json!(7)));
    assert_eq!(shown["HostConfig"]["CgroupnsMode"], "private");
    assert_eq!(shown["HostConfig"]["ReadonlyPaths"].as_array().unwrap().len(), 5);
    assert_eq!(shown["NetworkSettings"]["Ports"], json!({}));
    assert_eq!(
        shown["Mounts"],
        json!([
            {"Type": "bind", "Source": "/tmp", "Destination": "/t", "Mode": "", "RW": false, "Propagation": "rprivate"},
            {"Type": "volume", "Name": "v", "Source": "/volumes/v/_data", "Destination": "/v", "Driver": "local",
                "Mode": "", "RW": true, "Propagation": ""},
            {"Type": "tmpfs", "Source": "", "Destination": "/m", "Mode": "", "RW": true, "Propagation": ""},
        ])
    );
}

#[test]
fn a_running_container_shows_its_exposed_ports() {
    let shown = inspected(State::Running { pid: 42, started_at: 1 }, None);
    assert_eq!(shown["NetworkSettings"]["Ports"], json!({"80/tcp": null}));
    assert_eq!(shown["NetworkSettings"]["SandboxKey"], "/proc/42/ns/net");
}

#[test]
fn clients_models_take_it() {
    let shown = inspected(State::Running { pid: 42, started_at: 1 }, None);
    let parsed: bollard_stubs::models::ContainerInspectResponse = serde_json::from_value(shown).unwrap();
    assert_eq!(parsed.state.unwrap().pid, Some(42));
}
