//! Docker's JSON in, the engine's description, Docker's JSON out. The expected texts were read off Docker 28.5.

use super::*;
use crate::http::body;
use crate::wire::ports::PortMap;
use serde_json::{Value, json};

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn spec(body: &Value) -> Result<ContainerSpec, Refused> {
    let text = serde_json::to_vec(body).unwrap();
    container_spec(body::decode::<ContainerConfig>(&text).unwrap())
}

fn refusal(host: &Value) -> String {
    spec(&json!({"Image": "i", "HostConfig": host})).unwrap_err().to_string()
}

/// What a client sends for `docker create` with most flags, in the words in which Docker answers `inspect`.
fn full() -> Value {
    parse(
        r#"{
        "Hostname": "hh", "Domainname": "dd", "User": "1:2",
        "AttachStdin": true, "AttachStdout": true, "AttachStderr": true,
        "ExposedPorts": {"53/udp": {}, "80/tcp": {}},
        "Tty": true, "OpenStdin": true, "StdinOnce": true, "Env": ["A=b"], "Cmd": ["sh", "-c", "sleep 1"],
        "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 2000000000, "Retries": 4},
        "Image": "busybox", "Volumes": {"/data": {}}, "WorkingDir": "/tmp", "Entrypoint": ["/bin/x"],
        "OnBuild": null, "Labels": {"x": "y"}, "StopSignal": "INT", "StopTimeout": 3, "Shell": ["/bin/sh", "-c"]
    }"#,
    )
}

fn full_host() -> Value {
    parse(
        r#"{
        "Binds": ["/tmp:/t:ro", "vol1:/v"], "ContainerIDFile": "",
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}}, "NetworkMode": "bridge",
        "PortBindings": {
            "53/udp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
            "80/tcp": [{"HostIp": "", "HostPort": "8080"}, {"HostIp": "", "HostPort": "9000-9010"}]
        },
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}, "AutoRemove": false,
        "VolumeDriver": "local", "VolumesFrom": ["other:ro"], "ConsoleSize": [24, 80],
        "Annotations": {"a": "b"},
        "CapAdd": ["CAP_NET_ADMIN"], "CapDrop": ["ALL"], "CgroupnsMode": "private",
        "Dns": ["1.1.1.1"], "DnsOptions": ["ndots:1"], "DnsSearch": ["example.org"],
        "ExtraHosts": ["a:1.2.3.4"], "GroupAdd": ["5"], "IpcMode": "shareable", "Cgroup": "", "Links": ["a:b"],
        "OomScoreAdj": 10, "PidMode": "host", "Privileged": false, "PublishAllPorts": true, "ReadonlyRootfs": true,
        "SecurityOpt": ["no-new-privileges", "seccomp=unconfined", "apparmor=p", "label=disable"],
        "StorageOpt": {"size": "1G"}, "Tmpfs": {"/x": "size=2m,ro"},
        "UTSMode": "", "UsernsMode": "host", "ShmSize": 1048576, "Sysctls": {"net.ipv4.ip_forward": "1"},
        "Runtime": "crun", "Isolation": "", "CpuShares": 5, "Memory": 67108864, "NanoCpus": 500000000,
        "CgroupParent": "/p", "BlkioWeight": 100, "BlkioWeightDevice": [{"Path": "/dev/sda", "Weight": 10}],
        "BlkioDeviceReadBps": [{"Path": "/dev/sda", "Rate": 1}], "BlkioDeviceWriteBps": [{"Path": "/dev/sda", "Rate": 2}],
        "BlkioDeviceReadIOps": [{"Path": "/dev/sda", "Rate": 3}],
        "BlkioDeviceWriteIOps": [{"Path": "/dev/sda", "Rate": 4}],
        "CpuPeriod": 1, "CpuQuota": 2, "CpuRealtimePeriod": 3, "CpuRealtimeRuntime": 4,
        "CpusetCpus": "0-1", "CpusetMems": "0",
        "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/nn", "CgroupPermissions": "rwm"}],
        "DeviceCgroupRules": ["c 42:* rmw"], "DeviceRequests": null,
        "MemoryReservation": 1, "MemorySwap": -1, "MemorySwappiness": 60, "OomKillDisable": true, "PidsLimit": 10,
        "Ulimits": [{"Name": "nofile", "Hard": 20, "Soft": 10}],
        "CpuCount": 0, "CpuPercent": 0, "IOMaximumIOps": 0, "IOMaximumBandwidth": 0,
        "Mounts": [
            {"Type": "tmpfs", "Target": "/tm",
                "TmpfsOptions": {"SizeBytes": 1048576, "Mode": 448, "Options": [["noexec"], ["uid", "1"]]}},
            {"Type": "bind", "Source": "/tmp", "Target": "/b", "ReadOnly": true,
                "BindOptions": {"Propagation": "rslave", "NonRecursive": true}},
            {"Type": "volume", "Target": "/an"},
            {"Type": "volume", "Source": "v2", "Target": "/v2", "VolumeOptions": {"NoCopy": true,
                "Labels": {"l": "m"}, "Subpath": "s", "DriverConfig": {"Name": "local", "Options": {"o": "p"}}}}
        ],
        "MaskedPaths": ["/proc/kcore"], "ReadonlyPaths": [], "Init": true
    }"#,
    )
}

#[test]
fn every_property_survives_the_way_in_and_out() {
    let mut body = full();
    body["HostConfig"] = full_host();
    let spec = spec(&body).unwrap();
    assert_eq!(serde_json::to_value(wire_config(&spec)).unwrap(), full());
    assert_eq!(serde_json::to_value(wire_host_config(&spec, "crun", true)).unwrap(), full_host());
}

#[test]
fn every_property_of_the_host_config_is_known() {
    // The generated model knows all 70 of the API's document; `KernelMemoryTCP` is gone for good and skipped if zero.
    let model = serde_json::to_value(wire_host_config(&ContainerSpec::default(), "r", false)).unwrap();
    let parsed: bollard_stubs::models::HostConfig = serde_json::from_value(full_host()).unwrap();
    let known = full_host();
    for key in serde_json::to_value(parsed).unwrap().as_object().unwrap().keys() {
        assert!(known.get(key).is_some() || model.get(key).is_some(), "{key}");
    }
}

#[test]
fn a_container_without_wishes_shows_dockers_defaults() {
    let spec = spec(&json!({"Image": "busybox", "Cmd": ["true"]})).unwrap();
    let host = serde_json::to_value(wire_host_config(&spec, "runc", false)).unwrap();
    let expected = parse(
        r#"{
        "Binds": null, "ContainerIDFile": "", "LogConfig": {"Type": "", "Config": {}},
        "NetworkMode": "bridge", "PortBindings": {}, "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": false, "VolumeDriver": "", "VolumesFrom": null, "ConsoleSize": [0, 0], "CapAdd": null,
        "CapDrop": null, "CgroupnsMode": "host", "Dns": [], "DnsOptions": [], "DnsSearch": [],
        "ExtraHosts": null, "GroupAdd": null, "IpcMode": "private", "Cgroup": "", "Links": null,
        "OomScoreAdj": 0, "PidMode": "", "Privileged": false, "PublishAllPorts": false,
        "ReadonlyRootfs": false, "SecurityOpt": null, "UTSMode": "", "UsernsMode": "", "ShmSize": 67108864,
        "Runtime": "runc", "Isolation": "", "CpuShares": 0, "Memory": 0, "NanoCpus": 0, "CgroupParent": "",
        "BlkioWeight": 0, "BlkioWeightDevice": [], "BlkioDeviceReadBps": [], "BlkioDeviceWriteBps": [],
        "BlkioDeviceReadIOps": [], "BlkioDeviceWriteIOps": [], "CpuPeriod": 0, "CpuQuota": 0,
        "CpuRealtimePeriod": 0, "CpuRealtimeRuntime": 0, "CpusetCpus": "", "CpusetMems": "", "Devices": [],
        "DeviceCgroupRules": null, "DeviceRequests": null, "MemoryReservation": 0, "MemorySwap": 0,
        "MemorySwappiness": null, "OomKillDisable": false, "PidsLimit": null, "Ulimits": [],
        "CpuCount": 0, "CpuPercent": 0, "IOMaximumIOps": 0, "IOMaximumBandwidth": 0, "MaskedPaths": null,
        "ReadonlyPaths": null
    }"#,
    );
    assert_eq!(host, expected);
    let config = serde_json::to_value(wire_config(&spec)).unwrap();
    let expected = json!({
        "Hostname": "", "Domainname": "", "User": "", "AttachStdin": false, "AttachStdout": false,
        "AttachStderr": false, "Tty": false, "OpenStdin": false, "StdinOnce": false, "Env": [],
        "Cmd": ["true"], "Image": "busybox", "Volumes": null, "WorkingDir": "", "Entrypoint": null,
        "OnBuild": null, "Labels": {},
    });
    assert_eq!(config, expected);
}

#[test]
fn go_is_lenient_and_so_are_we() {
    let spec = spec(&json!({
        "image": "i", "Cmd": "echo hi", "Entrypoint": null, "Unknown": {"a": 1},
        "HostConfig": {"Memory": null, "PortBindings": {"80/tcp": null}, "CapAdd": "net_raw", "binds": null},
    }))
    .unwrap();
    assert_eq!(spec.image, "i");
    assert_eq!(spec.process.command, Some(vec!["echo hi".into()]));
    assert_eq!(spec.process.entrypoint, None);
    assert_eq!(spec.security.cap_add, ["CAP_NET_RAW"]);
    assert_eq!((spec.network.exposed.iter().count(), spec.network.published.len()), (1, 0));
}

#[test]
fn wrong_types_are_named_by_their_path() {
    let error = |text: &str| errors::chain(&body::decode::<ContainerConfig>(text.as_bytes()).unwrap_err());
    assert_eq!(
        error(r#"{"HostConfig":{"Memory":"a"}}"#),
        "invalid JSON: field 'HostConfig.Memory': invalid type: string \"a\", expected i64"
    );
    assert!(error(r#"{"Image":1}"#).contains("'Image'"));
    assert!(error(r#"{"HostConfig":{"Mounts":[{"Target":1}]}}"#).contains("'HostConfig.Mounts[0].Target'"));
    assert!(error(r#"{"Cmd":{}}"#).contains("'Cmd'"));
    assert!(error("{").starts_with("invalid JSON: EOF"));
}

#[test]
fn properties_that_cannot_be_are_refused_in_dockers_words() {
    let table = [
        (
            json!({"RestartPolicy": {"Name": "foo"}}),
            "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
        ),
        (
            json!({"RestartPolicy": {"Name": "always", "MaximumRetryCount": 2}}),
            "invalid restart policy: maximum retry count can only be used with 'on-failure'",
        ),
        (
            json!({"AutoRemove": true, "RestartPolicy": {"Name": "always"}}),
            "can't create 'AutoRemove' container with restart policy",
        ),
        (json!({"PidMode": "zz"}), "invalid PID mode: zz"),
        (json!({"IpcMode": "container:"}), "invalid IPC mode: container:"),
        (json!({"UTSMode": "zz"}), "invalid UTS mode: zz"),
        (json!({"CgroupnsMode": "zz"}), "invalid cgroup namespace mode: zz"),
        (json!({"PortBindings": {"a": [{}]}}), "invalid port specification: \"a\""),
        (json!({"PortBindings": {"80": [{"HostPort": "x"}]}}), "invalid port specification: \"x\""),
        (json!({"PortBindings": {"80/foo": []}}), "invalid proto: foo"),
        (json!({"SecurityOpt": ["zz"]}), "invalid --security-opt 1: \"zz\""),
        (json!({"Isolation": "hyperv"}), "invalid isolation (hyperv): linux only supports 'default'"),
        (
            json!({"NetworkMode": "host", "Links": ["a:b"]}),
            "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
        ),
        (
            json!({"NetworkMode": "container:x", "PublishAllPorts": true}),
            "conflicting options: port publishing and the container type network mode",
        ),
        (json!({"ExtraHosts": ["a"]}), "bad format for add-host: \"a\""),
        (
            json!({"Annotations": {"": "x"}}),
            "invalid Annotations: the empty string is not permitted as an annotation key",
        ),
        (
            json!({"DeviceRequests": [{"Driver": "nvidia"}]}),
            "device requests such as --gpus are not supported yet (driver nvidia)",
        ),
        (
            json!({"Devices": [{"PathOnHost": "/dev/zz", "CgroupPermissions": "xyz"}]}),
            "invalid device permissions \"xyz\" of /dev/zz: expected some of r, w and m",
        ),
        (
            json!({"Mounts": [{"Type": "bind"}]}),
            "invalid mount config for type \"bind\": field Target must not be empty",
        ),
        (
            json!({"Mounts": [{"Type": "bind", "Target": "/a"}]}),
            "invalid mount config for type \"bind\": field Source must not be empty",
        ),
        (
            json!({"Mounts": [{"Type": "foo", "Target": "/a"}]}),
            "invalid mount config for type \"foo\": mount type unknown",
        ),
        (
            json!({"Mounts": [{"Type": "volume", "Target": "/a", "BindOptions": {}}]}),
            "BindOptions must not be specified on mount type \"volume\"",
        ),
        (json!({"Binds": ["/x:/a"], "Tmpfs": {"/a/": ""}}), "Duplicate mount point: /a/"),
    ];
    for (host, message) in table {
        assert_eq!(refusal(&host), message, "{host}");
    }
}

#[test]
fn health_checks_shorter_than_a_millisecond_are_refused() {
    let error = spec(&json!({"Image": "i", "Healthcheck": {"Interval": 5}})).unwrap_err();
    assert_eq!(error.to_string(), "Interval in Healthcheck cannot be less than 1ms");
    assert!(spec(&json!({"Healthcheck": {"Retries": -1}})).is_err());
}

#[test]
fn the_hostname_excludes_a_shared_namespace() {
    let error = |host: Value| spec(&json!({"Hostname": "h", "HostConfig": host})).unwrap_err().to_string();
    assert_eq!(error(json!({"UTSMode": "host"})), "conflicting options: hostname and the UTS mode");
    assert_eq!(
        error(json!({"NetworkMode": "container:x"})),
        "conflicting options: hostname and the network mode"
    );
}

#[test]
fn binds_are_read_as_docker_reads_them() {
    let table = [
        ("/data", "volume:- /data rw"),
        ("/data:ro", "volume:- /data ro"),
        ("vol:/data", "volume:vol /data rw"),
        ("vol:/data:nocopy,ro", "volume:vol /data ro nocopy"),
        ("/src:/data", "bind:/src /data rw"),
        ("/src:/data:ro,Z,rshared", "bind:/src /data ro Z rshared"),
        ("/src:/data:cached", "bind:/src /data rw"),
        ("/src:/data:", "bind:/src /data rw"),
    ];
    for (text, expected) in table {
        let mount = binds::parse(text).unwrap();
        let access = if mount.read_only { "ro" } else { "rw" };
        let shown = match &mount.kind {
            spec::MountKind::Bind(bind) => {
                let options: Vec<String> = bind
                    .relabel
                    .map(String::from)
                    .into_iter()
                    .chain(bind.propagation.map(|mode| mode.as_str().to_owned()))
                    .collect();
                assert!(bind.create_source);
                format!("bind:{} {} {access} {}", bind.source, mount.target, options.join(" "))
            }
            spec::MountKind::Volume(volume) => {
                let name = volume.name.as_deref().unwrap_or("-");
                let copy = if volume.no_copy { "nocopy" } else { "" };
                format!("volume:{name} {} {access} {copy}", mount.target)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(shown.trim_end(), expected, "{text}");
    }
}

#[test]
fn binds_that_cannot_be_are_refused() {
    let table = [
        (
            "a",
            "invalid volume specification: 'a': invalid mount config for type \"volume\": invalid mount path: 'a' mount path must be absolute",
        ),
        (
            "aa:b",
            "invalid volume specification: 'aa:b': invalid mount config for type \"volume\": invalid mount path: 'b' mount path must be absolute",
        ),
        ("/a:/b:zz", "invalid mode: zz"),
        ("/a:/b:ro,rw", "invalid mode: ro,rw"),
        ("/a:/b:nocopy", "invalid mode: nocopy"),
        ("vol:/b:rshared", "invalid mode: rshared"),
        (
            "/a:/",
            "invalid volume specification: '/a:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
        ),
        ("/a:/b:ro:x", "invalid volume specification: '/a:/b:ro:x'"),
        ("", "invalid volume specification: ''"),
        (":/b", "invalid volume specification: ':/b'"),
    ];
    for (text, message) in table {
        assert_eq!(binds::parse(text).unwrap_err().to_string(), message, "{text}");
    }
    assert!(binds::parse("a/b:/c").unwrap_err().to_string().contains("invalid characters"));
}

#[test]
fn port_ranges_are_exposed_one_by_one() {
    let spec = spec(&json!({"ExposedPorts": {"8000-8002/udp": {}, "80": {}}})).unwrap();
    let ports: Vec<_> = spec.network.exposed.iter().map(|one| (one.port, one.protocol.as_str())).collect();
    assert_eq!(ports, [(80, "tcp"), (8000, "udp"), (8001, "udp"), (8002, "udp")]);
}

#[test]
fn many_ports_are_few_ranges_and_are_spelled_out_as_they_were_asked_for() {
    let host = |text: &str, ip: &str| json!({"HostIp": ip, "HostPort": text});
    let follow =
        (1000..61_000).map(|port| (format!("{port}/tcp"), json!([host(&format!("{}", port + 1), "")])));
    let mut bindings: serde_json::Map<String, Value> = follow.collect();
    // In the midst of them one that is twice there, and one with a choice.
    bindings.insert("2000/tcp".into(), json!([host("2001", ""), host("2001", "")]));
    bindings.insert("3000/tcp".into(), json!([host("8000-9000", "")]));
    let spec = spec(&json!({"HostConfig": {"PortBindings": &bindings}})).unwrap();
    assert_eq!((spec.network.exposed.ranges().len(), spec.network.published.len()), (1, 6));
    let record = serde_json::to_vec(&spec.network).unwrap();
    assert!(record.len() < 2000, "{} bytes", record.len());
    // Those without a port of their own stay apart: each gets any that is free.
    let free =
        (1000..1010).map(|port| (format!("{port}/udp"), json!([host("53", "::1"), host("", "0.0.0.0")])));
    bindings.extend(free);
    let wanted: PortMap = serde_json::from_value(Value::Object(bindings)).unwrap();
    let published = wanted.read().unwrap().1.to_vec();
    assert_eq!(published.len(), 6 + 2 * 10);
    assert_eq!(PortMap::of_bindings(published), wanted);
}

#[test]
fn attachments_carry_their_wishes() {
    let spec = spec(&json!({
        "MacAddress": "02:00:00:00:00:01",
        "NetworkingConfig": {"EndpointsConfig": {"net": {
            "IPAMConfig": {"IPv4Address": "10.0.0.2", "LinkLocalIPs": ["169.254.1.1"]},
            "Aliases": ["a"], "DriverOpts": {"k": "v"}, "GwPriority": 7, "MacAddress": "02:00:00:00:00:02",
        }, "other": null}},
        "HostConfig": {"NetworkMode": "net"},
    }))
    .unwrap();
    assert_eq!(spec.network.mode, spec::NetworkMode::Named("net".into()));
    let endpoint = &spec.network.endpoints["net"];
    assert_eq!((endpoint.ipv4.as_deref(), endpoint.gateway_priority), (Some("10.0.0.2"), 7));
    assert_eq!(endpoint.link_local, ["169.254.1.1"]);
    assert_eq!(spec.network.endpoints["other"], spec::EndpointRequest::default());
    assert_eq!(spec.network.mac_address.as_deref(), Some("02:00:00:00:00:01"));
}
