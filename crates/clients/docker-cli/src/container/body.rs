//! From flags to the body of a create request, with docker's checks of what goes together.

use super::options::ContainerFlags;
use crate::failure::{Failure, Outcome};
use crate::flags::limits::{Bytes, ulimits_json};
use crate::flags::network::{self, Single};
use crate::flags::{device, env, hosts, ports, restart, security, volume};
use serde_json::{Map, Value, json};

/// A request for a container, and which of its streams its creator attaches.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) body: Value,
    pub(crate) attach_stdin: bool,
    pub(crate) attach_stdout: bool,
    pub(crate) attach_stderr: bool,
}

/// Checks everything and builds the body. `environment` are the variables of flags and proxies.
pub(crate) fn build(
    flags: &ContainerFlags,
    image: &str,
    command: &[String],
    environment: &[String],
) -> Outcome<Request> {
    let fail = |text: String| Failure::new(text);
    let attached = |name: &str| flags.attach.iter().any(|stream| stream == name);
    let attach_stdin = attached("stdin") || flags.interactive;
    let attach_stdout = attached("stdout") || flags.attach.is_empty();
    let attach_stderr = attached("stderr") || flags.attach.is_empty();
    check_mac(&flags.mac_address)?;
    check_swappiness(flags.memory_swappiness)?;
    let volumes = volume::parse(&flags.volume).map_err(fail)?;
    let ports = ports::parse(&flags.publish, &flags.expose).map_err(fail)?;
    let (devices, cdi) = device::devices(&flags.device).map_err(fail)?;
    let env = env::with_files(&flags.env_file, environment, true).map_err(fail)?;
    let labels = env::with_files(&flags.label_file, &flags.label, false).map_err(fail)?;
    check_modes(flags)?;
    let restart_policy = restart::parse(&flags.restart).map_err(fail)?;
    let log_config = log_config(flags)?;
    let security = security::parse(&flags.security_opt).map_err(fail)?;
    let storage = storage(&flags.storage_opt)?;
    let healthcheck = healthcheck(flags)?;
    if flags.rm && !matches!(flags.restart.split(':').next(), Some("no" | "")) {
        return Err(Failure::new("conflicting options: cannot specify both --restart and --rm"));
    }
    let endpoints = network::endpoints(&flags.network, &single(flags)).map_err(fail)?;
    let mode = flags.network.first().map_or("default", |network| network.target.as_str());
    let mut host = host_config(flags, mode);
    extend(
        &mut host,
        json!({
            "Binds": nothing_if_empty(&volumes.binds),
            "PortBindings": ports.bindings,
            "RestartPolicy": restart_policy,
            "LogConfig": log_config,
            "SecurityOpt": nothing_if_empty(&security.options),
            "StorageOpt": storage,
            "Devices": devices,
            "DeviceRequests": device_requests(flags, &cdi),
        }),
    );
    if security.unmasked {
        extend(&mut host, json!({"MaskedPaths": [], "ReadonlyPaths": []}));
    }
    let anonymous: Map<String, Value> =
        volumes.anonymous.iter().map(|path| (path.clone(), json!({}))).collect();
    let body = json!({
        "Hostname": flags.hostname,
        "Domainname": flags.domainname,
        "User": flags.user,
        "AttachStdin": attach_stdin,
        "AttachStdout": attach_stdout,
        "AttachStderr": attach_stderr,
        "ExposedPorts": ports.exposed,
        "Tty": flags.tty,
        "OpenStdin": flags.interactive,
        // Input ends for good when the client that has it goes away.
        "StdinOnce": flags.interactive && attach_stdin,
        "Env": nothing_if_empty(&env),
        "Cmd": nothing_if_empty(command),
        "Image": image,
        "Volumes": anonymous,
        "WorkingDir": flags.workdir,
        "Entrypoint": flags.entrypoint.as_ref().map(|entrypoint| [entrypoint]),
        "Labels": env::map(&labels),
        "StopSignal": flags.stop_signal,
        "StopTimeout": flags.stop_timeout,
        "Healthcheck": healthcheck,
        "HostConfig": host,
        "NetworkingConfig": {"EndpointsConfig": endpoints},
    });
    Ok(Request { body, attach_stdin, attach_stdout, attach_stderr })
}

fn extend(target: &mut Value, more: Value) {
    if let (Value::Object(target), Value::Object(more)) = (target, more) {
        target.extend(more);
    }
}

/// Go's nil slice.
fn nothing_if_empty(list: &[String]) -> Option<&[String]> {
    (!list.is_empty()).then_some(list)
}

fn bytes(value: Option<Bytes>) -> i64 {
    value.unwrap_or_default().0
}

/// What needs no check of its own.
fn host_config(flags: &ContainerFlags, network_mode: &str) -> Value {
    let mut host = json!({
        "ContainerIDFile": flags.cidfile,
        "NetworkMode": network_mode,
        "AutoRemove": flags.rm,
        "VolumeDriver": flags.volume_driver,
        "VolumesFrom": nothing_if_empty(&flags.volumes_from),
        "CapAdd": nothing_if_empty(&security::capabilities(&flags.cap_add)),
        "CapDrop": nothing_if_empty(&security::capabilities(&flags.cap_drop)),
        "CgroupnsMode": flags.cgroupns,
        "Dns": flags.dns,
        "DnsOptions": flags.dns_option,
        "DnsSearch": flags.dns_search,
        "ExtraHosts": nothing_if_empty(&flags.add_host),
        "GroupAdd": nothing_if_empty(&flags.group_add),
        "IpcMode": flags.ipc,
        "Links": nothing_if_empty(&flags.link),
        "OomScoreAdj": flags.oom_score_adj.unwrap_or(0),
        "PidMode": flags.pid,
        "Privileged": flags.privileged,
        "PublishAllPorts": flags.publish_all,
        "ReadonlyRootfs": flags.read_only,
        "UTSMode": flags.uts,
        "UsernsMode": flags.userns,
        "ShmSize": bytes(flags.shm_size),
        "Tmpfs": flags.tmpfs.iter().map(|text| text.split_once(':').unwrap_or((text, "")))
            .collect::<std::collections::BTreeMap<_, _>>(),
        "Sysctls": env::map(&flags.sysctl),
        "Runtime": flags.runtime,
        "Isolation": flags.isolation,
        "Init": flags.init,
        "Annotations": env::map(&flags.annotation),
        "Mounts": (!flags.mount.is_empty()).then_some(&flags.mount),
    });
    extend(&mut host, resources(flags));
    host
}

fn resources(flags: &ContainerFlags) -> Value {
    json!({
        "CgroupParent": flags.cgroup_parent,
        "Memory": bytes(flags.memory),
        "MemoryReservation": bytes(flags.memory_reservation),
        "MemorySwap": bytes(flags.memory_swap),
        "MemorySwappiness": flags.memory_swappiness,
        "OomKillDisable": flags.oom_kill_disable,
        "NanoCpus": flags.cpus.unwrap_or_default().0,
        "CpuCount": flags.cpu_count.unwrap_or(0),
        "CpuPercent": flags.cpu_percent.unwrap_or(0),
        "CpuShares": flags.cpu_shares.unwrap_or(0),
        "CpuPeriod": flags.cpu_period.unwrap_or(0),
        "CpuQuota": flags.cpu_quota.unwrap_or(0),
        "CpuRealtimePeriod": flags.cpu_rt_period.unwrap_or(0),
        "CpuRealtimeRuntime": flags.cpu_rt_runtime.unwrap_or(0),
        "CpusetCpus": flags.cpuset_cpus,
        "CpusetMems": flags.cpuset_mems,
        "PidsLimit": flags.pids_limit.unwrap_or(0),
        "BlkioWeight": flags.blkio_weight.unwrap_or(0),
        "BlkioWeightDevice": flags.blkio_weight_device,
        "BlkioDeviceReadBps": flags.device_read_bps,
        "BlkioDeviceWriteBps": flags.device_write_bps,
        "BlkioDeviceReadIOps": flags.device_read_iops,
        "BlkioDeviceWriteIOps": flags.device_write_iops,
        "IOMaximumIOps": flags.io_maxiops.unwrap_or(0),
        "IOMaximumBandwidth": bytes(flags.io_maxbandwidth),
        "Ulimits": ulimits_json(&flags.ulimit),
        "DeviceCgroupRules": nothing_if_empty(&flags.device_cgroup_rule),
    })
}

fn device_requests(flags: &ContainerFlags, cdi: &[String]) -> Option<Vec<Value>> {
    let mut requests = flags.gpus.clone();
    if !cdi.is_empty() {
        let request =
            json!({"Driver": "cdi", "Count": 0, "DeviceIDs": cdi, "Capabilities": null, "Options": null});
        requests.push(request);
    }
    (!requests.is_empty()).then_some(requests)
}

fn single(flags: &ContainerFlags) -> Single<'_> {
    Single {
        aliases: &flags.network_alias,
        links: &flags.link,
        ip: &flags.ip,
        ip6: &flags.ip6,
        mac_address: &flags.mac_address,
        link_local_ips: &flags.link_local_ip,
    }
}

fn check_mac(address: &str) -> Outcome {
    if address.is_empty() || hosts::is_mac(address.trim()) {
        return Ok(());
    }
    Err(Failure::new(format!("{address} is not a valid mac address")))
}

fn check_swappiness(value: i64) -> Outcome {
    if value == -1 || (0..=100).contains(&value) {
        return Ok(());
    }
    Err(Failure::new(format!("invalid value: {value}. Valid memory swappiness range is 0-100")))
}

fn check_modes(flags: &ContainerFlags) -> Outcome {
    let container = |mode: &str| mode.strip_prefix("container:").is_some_and(|name| !name.is_empty());
    let checks = [
        (matches!(flags.pid.as_str(), "" | "host") || container(&flags.pid), "--pid: invalid PID mode"),
        (matches!(flags.uts.as_str(), "" | "host"), "--uts: invalid UTS mode"),
        (matches!(flags.userns.as_str(), "" | "host"), "--userns: invalid USER mode"),
        (matches!(flags.cgroupns.as_str(), "" | "host" | "private"), "--cgroupns: invalid CGROUP mode"),
    ];
    match checks.iter().find(|(valid, _)| !valid) {
        Some((_, message)) => Err(Failure::new(*message)),
        None => Ok(()),
    }
}

fn log_config(flags: &ContainerFlags) -> Outcome<Value> {
    if flags.log_driver == "none" && !flags.log_opt.is_empty() {
        return Err(Failure::new(format!("invalid logging opts for driver {}", flags.log_driver)));
    }
    Ok(json!({"Type": flags.log_driver, "Config": env::map(&flags.log_opt)}))
}

fn storage(options: &[String]) -> Outcome<Value> {
    if options.iter().any(|option| !option.contains('=')) {
        return Err(Failure::new("invalid storage option"));
    }
    Ok(json!(env::map(options)))
}

fn healthcheck(flags: &ContainerFlags) -> Outcome<Value> {
    let spans = [
        ("interval", flags.health_interval),
        ("timeout", flags.health_timeout),
        ("start-period", flags.health_start_period),
        ("start-interval", flags.health_start_interval),
    ];
    let retries = flags.health_retries.unwrap_or(0);
    let span = |at: usize| spans[at].1.unwrap_or_default().0;
    let any = !flags.health_cmd.is_empty() || retries != 0 || (0..spans.len()).any(|at| span(at) != 0);
    if flags.no_healthcheck {
        if any {
            return Err(Failure::new("--no-healthcheck conflicts with --health-* options"));
        }
        return Ok(json!({"Test": ["NONE"]}));
    }
    if !any {
        return Ok(Value::Null);
    }
    for (at, (name, _)) in spans.iter().enumerate() {
        if span(at) < 0 {
            return Err(Failure::new(format!("--health-{name} cannot be negative")));
        }
        if at == 1 && retries < 0 {
            return Err(Failure::new("--health-retries cannot be negative"));
        }
    }
    let mut check = json!({
        "Interval": span(0), "Timeout": span(1), "StartPeriod": span(2), "StartInterval": span(3), "Retries": retries,
    });
    if !flags.health_cmd.is_empty() {
        check["Test"] = json!(["CMD-SHELL", flags.health_cmd]);
    }
    Ok(check)
}
