//! What a document says for given wishes.

use super::host::available_capabilities;
use super::*;
use oci_spec::runtime::LinuxNamespaceType as Ns;
use serde_json::{Value, json};
use spec::{Device, IpcMode, Rlimit, Tmpfs};
use std::path::PathBuf;

fn resolved() -> Resolved {
    Resolved {
        id: ids::ContainerId::from_bytes([7; 32]),
        hostname: "070707070707".into(),
        user: crate::user::User { additional_gids: vec![0, 10], home: "/root".into(), ..Default::default() },
        working_dir: String::new(),
        args: vec!["sh".into(), "-c".into(), "true".into()],
        env: vec!["PATH=/bin".into()],
        rootfs: "rootfs".into(),
        mounts: Vec::new(),
        shm: Shm::Private,
        network: NetworkNamespace::Path("/run/netns/x".into()),
        pid_namespace: None,
        ipc_namespace: None,
        uts_namespace: None,
        user_namespace: None,
        cgroup_path: "/docker/x".into(),
        private_cgroup: false,
        devices: Vec::new(),
        block_devices: Default::default(),
        id_maps: None,
        default_rlimits: Vec::new(),
        seccomp: true,
        apparmor: None,
        selinux: None,
        init: None,
        kernel: (6, 1),
        oom_score_adj: None,
    }
}

fn document(change: impl FnOnce(&mut ContainerSpec, &mut Resolved)) -> Value {
    let (mut spec, mut resolved) = (ContainerSpec::default(), resolved());
    change(&mut spec, &mut resolved);
    serde_json::to_value(oci_spec(&spec, &resolved).unwrap()).unwrap()
}

fn failure(change: impl FnOnce(&mut ContainerSpec, &mut Resolved)) -> String {
    let (mut spec, mut resolved) = (ContainerSpec::default(), resolved());
    change(&mut spec, &mut resolved);
    oci_spec(&spec, &resolved).unwrap_err().to_string()
}

fn sorted(value: &Value) -> Vec<String> {
    let mut list: Vec<String> =
        value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect();
    list.sort();
    list
}

fn mount<'a>(document: &'a Value, target: &str) -> Option<&'a Value> {
    document["mounts"].as_array().unwrap().iter().find(|mount| mount["destination"] == target)
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn a_container_that_asks_for_nothing_gets_dockers_document() {
    let document = document(|_, _| {});
    assert_eq!(document["ociVersion"], "1.0.2");
    assert_eq!(document["hostname"], "070707070707");
    assert_eq!(document["root"], json!({"path": "rootfs", "readonly": false}));
    let process = &document["process"];
    assert_eq!(process["cwd"], "/");
    assert_eq!(process["env"], json!(["PATH=/bin", "HOME=/root"]));
    assert_eq!(process["user"], json!({"uid": 0, "gid": 0, "additionalGids": [0, 10]}));
    assert_eq!(process["capabilities"]["ambient"], json!([]));
    let bounding = sorted(&process["capabilities"]["bounding"]);
    assert_eq!(bounding.len(), 14, "{bounding:?}");
    assert_eq!(sorted(&process["capabilities"]["effective"]), bounding);
    assert_eq!(sorted(&process["capabilities"]["permitted"]), bounding);
    let linux = &document["linux"];
    let kinds: Vec<&Value> =
        linux["namespaces"].as_array().unwrap().iter().map(|namespace| &namespace["type"]).collect();
    assert_eq!(kinds, ["mount", "network", "uts", "pid", "ipc"]);
    assert_eq!(linux["namespaces"][1]["path"], "/run/netns/x");
    assert_eq!(linux["cgroupsPath"], "/docker/x");
    let ports = &linux["sysctl"]["net.ipv4.ip_unprivileged_port_start"];
    assert!(ports.is_null(), "who made the namespace that is joined has set its parameters");
    assert!(linux["maskedPaths"].as_array().unwrap().contains(&json!("/proc/interrupts")));
    assert_eq!(linux["readonlyPaths"].as_array().unwrap().len(), 5);
    let rules = linux["resources"]["devices"].as_array().unwrap();
    assert_eq!(rules[0], json!({"allow": false, "access": "rwm"}));
    assert_eq!(rules[1], json!({"allow": true, "type": "c", "major": 1, "minor": 5, "access": "rwm"}));
    assert_eq!(linux["seccomp"]["defaultAction"], "SCMP_ACT_ERRNO");
    let targets: Vec<&Value> =
        document["mounts"].as_array().unwrap().iter().map(|mount| &mount["destination"]).collect();
    let expected = ["/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue", "/dev/shm"];
    assert_eq!(targets, expected);
    assert!(
        mount(&document, "/dev/shm").unwrap()["options"]
            .as_array()
            .unwrap()
            .contains(&json!("size=67108864"))
    );
}

#[test]
fn capabilities_add_and_drop() {
    let all: Vec<String> = available_capabilities().iter().map(|c| capability_name(*c)).collect();
    type Names = &'static [&'static str];
    let cases: [(Names, Names, usize, Names, Names); 8] = [
        (&[], &[], 14, &["CAP_CHOWN"], &["CAP_SYS_ADMIN"]),
        (&["SYS_ADMIN"], &[], 15, &["CAP_SYS_ADMIN", "CAP_CHOWN"], &[]),
        (&["cap_sys_admin"], &["chown"], 14, &["CAP_SYS_ADMIN"], &["CAP_CHOWN"]),
        (&[], &["ALL"], 0, &[], &["CAP_CHOWN"]),
        (&["NET_ADMIN"], &["ALL"], 1, &["CAP_NET_ADMIN"], &["CAP_CHOWN"]),
        (&["ALL"], &[], all.len(), &["CAP_SYS_ADMIN"], &[]),
        (&["ALL"], &["SYS_ADMIN"], all.len() - 1, &["CAP_CHOWN"], &["CAP_SYS_ADMIN"]),
        (&["CHOWN"], &["CHOWN"], 14, &["CAP_CHOWN"], &[]),
    ];
    for (add, drop, count, with, without) in cases {
        let document = document(|spec, _| {
            spec.security.cap_add = strings(add);
            spec.security.cap_drop = strings(drop);
        });
        let bounding = sorted(&document["process"]["capabilities"]["bounding"]);
        assert_eq!(bounding.len(), count, "+{add:?} -{drop:?}: {bounding:?}");
        assert!(with.iter().all(|name| bounding.iter().any(|b| b == name)), "+{add:?} -{drop:?}");
        assert!(!without.iter().any(|name| bounding.iter().any(|b| b == name)), "+{add:?} -{drop:?}");
    }
    assert_eq!(
        failure(|spec, _| spec.security.cap_add = strings(&["FLY"])),
        "invalid CapAdd: unknown capability: \"CAP_FLY\""
    );
    assert_eq!(normalize_capability("net_raw").unwrap(), "CAP_NET_RAW");
    assert_eq!(normalize_capability("all").unwrap(), "ALL");
}

#[test]
fn privileges_lift_every_restriction() {
    let document = document(|spec, _| spec.security.privileged = true);
    let linux = &document["linux"];
    assert_eq!(linux.get("seccomp"), None);
    assert_eq!(linux.get("maskedPaths"), None);
    assert_eq!(linux.get("readonlyPaths"), None);
    assert_eq!(linux["resources"]["devices"], json!([{"allow": true, "access": "rwm"}]));
    assert_eq!(
        sorted(&document["process"]["capabilities"]["bounding"]).len(),
        available_capabilities().len()
    );
    for target in ["/sys", "/sys/fs/cgroup"] {
        assert!(!mount(&document, target).unwrap()["options"].as_array().unwrap().contains(&json!("ro")));
    }
}

#[test]
fn a_read_only_root_leaves_the_kernels_file_systems_writable() {
    let document = document(|spec, resolved| {
        spec.filesystem.read_only = true;
        resolved.mounts.push(tmpfs_mount("/tmp", &Tmpfs::default(), false).unwrap());
        resolved.init = Some("/usr/bin/init".into());
    });
    assert_eq!(document["root"]["readonly"], true);
    let read_only = |target: &str| {
        mount(&document, target).unwrap()["options"].as_array().unwrap().iter().filter(|o| *o == "ro").count()
    };
    let counts = ["/proc", "/dev", "/dev/shm", "/tmp", "/sys", "/sbin/docker-init"].map(read_only);
    assert_eq!(counts, [0, 0, 0, 0, 1, 1]);
}

#[test]
fn wished_mounts_replace_default_ones_and_parents_come_first() {
    let bind = |target: &str| {
        let request = BindRequest { target: target.into(), source: "/s".into(), ..BindRequest::default() };
        bind_mount(&request, (6, 1)).unwrap()
    };
    let document = document(|_, resolved| {
        resolved.mounts = vec![bind("/a/b/c"), bind("/dev"), bind("/a"), bind("/proc")];
    });
    let targets: Vec<&Value> =
        document["mounts"].as_array().unwrap().iter().map(|mount| &mount["destination"]).collect();
    assert_eq!(targets, ["/sys", "/sys/fs/cgroup", "/dev", "/a", "/proc", "/a/b/c"]);
}

#[test]
fn binds_say_recursion_read_only_and_propagation() {
    let bind = |change: fn(&mut BindRequest), kernel| {
        let mut request = BindRequest::default();
        change(&mut request);
        bind_mount(&request, kernel).map(|mount| mount.options.join(",")).map_err(|e| e.to_string())
    };
    assert_eq!(bind(|_| {}, (6, 1)).unwrap(), "rbind,rprivate");
    assert_eq!(bind(|r| r.read_only = true, (6, 1)).unwrap(), "rbind,rro,rprivate");
    assert_eq!(bind(|r| r.read_only = true, (5, 11)).unwrap(), "rbind,ro,rprivate");
    let not_below = |r: &mut BindRequest| (r.read_only, r.read_only_non_recursive) = (true, true);
    assert_eq!(bind(not_below, (6, 1)).unwrap(), "rbind,ro,rprivate");
    let shared = |r: &mut BindRequest| {
        (r.non_recursive, r.propagation) = (true, Some(spec::Propagation::Shared));
    };
    assert_eq!(bind(shared, (6, 1)).unwrap(), "bind,shared");
    let forced = |r: &mut BindRequest| (r.read_only, r.read_only_force_recursive) = (true, true);
    assert!(bind(forced, (5, 4)).is_err());
}

#[test]
fn propagating_binds_make_the_root_propagate() {
    let with = |propagation| {
        let document = document(|_, resolved| {
            let request =
                BindRequest { target: "/m".into(), propagation: Some(propagation), ..BindRequest::default() };
            resolved.mounts = vec![bind_mount(&request, (6, 1)).unwrap()];
        });
        document["linux"].get("rootfsPropagation").cloned()
    };
    assert_eq!(with(spec::Propagation::RPrivate), None);
    assert_eq!(with(spec::Propagation::RSlave), Some(json!("rslave")));
    assert_eq!(with(spec::Propagation::RShared), Some(json!("shared")));
}

#[test]
fn tmpfs_options_replace_the_defaults_that_they_contradict() {
    let tmpfs = |options: &[&str]| {
        let tmpfs = Tmpfs { size: Some(1 << 20), mode: Some(0o1770), options: strings(options) };
        tmpfs_mount("/t", &tmpfs, false).map(|mount| mount.options.join(","))
    };
    assert_eq!(tmpfs(&[]).unwrap(), "noexec,nosuid,nodev,rprivate,size=1048576,mode=1770");
    assert_eq!(
        tmpfs(&["exec,size=9", "uid=3"]).unwrap(),
        "nosuid,nodev,rprivate,mode=1770,exec,size=9,uid=3"
    );
    for bad in ["evil", "context=x"] {
        assert!(matches!(tmpfs(&[bad]), Err(BundleError::TmpfsOption { .. })), "{bad}");
    }
}

#[test]
fn a_network_namespace_of_the_runtimes_gets_dockers_parameters() {
    let (spec, mut resolved) = (ContainerSpec::default(), resolved());
    resolved.network = NetworkNamespace::New;
    let document = serde_json::to_value(oci_spec(&spec, &resolved).unwrap()).unwrap();
    assert_eq!(document["linux"]["sysctl"]["net.ipv4.ip_unprivileged_port_start"], "0");
    assert_eq!(document["linux"]["sysctl"]["net.ipv4.ping_group_range"], "0 2147483647");
}

#[test]
fn namespaces_of_the_host_are_left_out_and_others_joined() {
    let (mut spec, mut resolved) = (ContainerSpec::default(), resolved());
    spec.namespaces.pid = JoinMode::Container("x".into());
    spec.namespaces.uts = JoinMode::Host;
    spec.namespaces.ipc = IpcMode::Host;
    spec.network.mode = spec::NetworkMode::Host;
    resolved.network = NetworkNamespace::Host;
    resolved.pid_namespace = Some("/proc/1/ns/pid".into());
    resolved.private_cgroup = true;
    resolved.shm = Shm::Path("/dev/shm".into());
    let document = oci_spec(&spec, &resolved).unwrap();
    let linux = document.linux().as_ref().unwrap();
    let found: Vec<(Ns, Option<PathBuf>)> = linux
        .namespaces()
        .iter()
        .flatten()
        .map(|namespace| (namespace.typ(), namespace.path().clone()))
        .collect();
    assert_eq!(found, [(Ns::Mount, None), (Ns::Pid, Some("/proc/1/ns/pid".into())), (Ns::Cgroup, None)]);
    assert_eq!(document.hostname(), &None);
    assert_eq!(linux.sysctl().as_ref().map(|sysctls| sysctls.len()), Some(0));
}

#[test]
fn the_small_init_runs_only_in_a_pid_namespace_of_its_own() {
    let args = |pid: JoinMode| {
        document(|spec, resolved| {
            spec.namespaces.pid = pid;
            resolved.init = Some("/usr/bin/init".into());
        })["process"]["args"]
            .clone()
    };
    assert_eq!(args(JoinMode::Private), json!(["/sbin/docker-init", "--", "sh", "-c", "true"]));
    assert_eq!(args(JoinMode::Host), json!(["sh", "-c", "true"]));
}

#[test]
fn limits_are_translated() {
    let document = document(|spec, resolved| {
        let resources = &mut spec.resources;
        resources.memory = Some(1 << 24);
        resources.memory_swap = Some(-1);
        resources.nano_cpus = Some(1_500_000_000);
        resources.cpu_shares = Some(512);
        resources.pids_limit = Some(9);
        resources.blkio_read_bps = vec![spec::BlkioThrottle { path: "/dev/sda".into(), rate: 77 }];
        resolved.block_devices.insert("/dev/sda".into(), DeviceNumber { major: 8, minor: 0 });
    });
    let resources = &document["linux"]["resources"];
    assert_eq!(resources["memory"], json!({"limit": 1 << 24}));
    assert_eq!(resources["cpu"], json!({"shares": 512, "quota": 150_000, "period": 100_000}));
    assert_eq!(resources["pids"], json!({"limit": 9}));
    assert_eq!(resources["blockIO"]["throttleReadBpsDevice"], json!([{"major": 8, "minor": 0, "rate": 77}]));
}

#[test]
fn an_update_can_lift_limits() {
    let wishes = spec::Resources {
        memory: Some(1 << 24),
        memory_swap: Some(-1),
        pids_limit: Some(0),
        ..Default::default()
    };
    let update = serde_json::to_value(linux_resources(&wishes, &Default::default()).unwrap()).unwrap();
    assert_eq!(update, json!({"memory": {"limit": 1 << 24, "swap": -1}, "pids": {"limit": -1}}));
}

#[test]
fn device_rules_are_those_of_the_kernel() {
    let document = document(|spec, _| {
        spec.security.devices = Vec::<Device>::new();
        spec.security.device_cgroup_rules = strings(&["c 42:* rmw", "a *:* r"]);
    });
    let rules = document["linux"]["resources"]["devices"].as_array().unwrap();
    assert_eq!(rules[rules.len() - 2], json!({"allow": true, "type": "c", "major": 42, "access": "rmw"}));
    assert_eq!(rules[rules.len() - 1], json!({"allow": true, "type": "a", "access": "r"}));
    for bad in ["", "c", "x 1:1 r", "c 1 r", "c 1:1", "c 1:1 z", "c 1:1 rwmr", "c 1:1 r x", "c +1:1 r"] {
        let message = failure(|spec, _| spec.security.device_cgroup_rules = strings(&[bad]));
        assert_eq!(message, format!("invalid device cgroup rule format: '{bad}'"));
    }
}

#[test]
fn rlimits_are_checked_or_lowered_to_what_can_be_set() {
    let limit = |name: &str, soft, hard| Rlimit { name: name.into(), soft, hard };
    assert!(check_rlimits(&[limit("nofile", 64, 128)]).is_ok());
    assert!(matches!(check_rlimits(&[limit("nofiles", 1, 1)]), Err(BundleError::UnknownRlimit { .. })));
    assert!(matches!(check_rlimits(&[limit("nofile", 2, 1)]), Err(BundleError::SoftAboveHard { .. })));
    assert!(matches!(check_rlimits(&[limit("nofile", -1, 1)]), Err(BundleError::SoftAboveHard { .. })));
    let document = document(|spec, resolved| {
        spec.process.rlimits = vec![limit("nproc", 5, 6)];
        resolved.default_rlimits = vec![limit("nproc", 1, 1), limit("nofile", i64::MAX, i64::MAX)];
    });
    let limits = document["process"]["rlimits"].as_array().unwrap();
    assert_eq!(limits[0], json!({"type": "RLIMIT_NPROC", "soft": 5, "hard": 6}));
    assert_eq!(limits.len(), 2);
    let may_raise = available_capabilities().contains(&Capability::SysResource);
    if !may_raise {
        let wanted = check_rlimits(&[limit("nofile", 1, i64::MAX)]);
        assert!(matches!(wanted, Err(BundleError::RlimitAboveOwn { .. })), "{wanted:?}");
        assert!(limits[1]["hard"].as_u64().unwrap() < i64::MAX as u64);
    }
}

#[test]
fn an_exec_inherits_from_the_container() {
    let (spec, mut resolved) = (ContainerSpec::default(), resolved());
    resolved.working_dir = "/srv".into();
    resolved.env.push("A=1".into());
    let container = oci_spec(&spec, &resolved).unwrap();
    let mut exec = spec::ExecSpec { args: strings(&["id"]), ..Default::default() };
    let plain = exec_process(&container, &exec, None, &[]).unwrap();
    assert_eq!(plain.cwd(), &PathBuf::from("/srv"));
    assert_eq!(plain.env().clone().unwrap(), strings(&["PATH=/bin", "A=1", "HOME=/root"]));
    assert_eq!(plain.user().additional_gids(), &Some(vec![0, 10]));
    assert_eq!(plain.args(), &Some(strings(&["id"])));

    let user = crate::user::User { uid: 5, gid: 6, additional_gids: vec![6], home: "/home/u".into() };
    exec.tty = true;
    exec.env = strings(&["A=2", "PATH"]);
    exec.console_size = Some((24, 80));
    exec.privileged = true;
    let other = exec_process(&container, &exec, Some(&user), &[]).unwrap();
    assert_eq!(other.env().clone().unwrap(), strings(&["A=2", "HOME=/home/u", "TERM=xterm"]));
    assert_eq!((other.user().uid(), other.user().gid()), (5, 6));
    assert_eq!(other.console_size().map(|size| (size.height(), size.width())), Some((24, 80)));
    let effective = other.capabilities().as_ref().unwrap().effective().clone().unwrap();
    assert_eq!(&effective, available_capabilities());

    let kept = exec_process(&container, &exec, Some(&user), &strings(&["HOME=/root"])).unwrap();
    assert!(kept.env().clone().unwrap().contains(&"HOME=/root".to_owned()));
    exec.args.clear();
    assert!(matches!(exec_process(&container, &exec, None, &[]), Err(BundleError::NoCommand)));
}
