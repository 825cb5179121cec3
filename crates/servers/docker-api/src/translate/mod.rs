//! Docker's description of a container into the engine's, and back for `inspect`.
//!
//! Every property is translated, refused with Docker's words where it can't be, or one of the few that mean
//! nothing on Linux (`CpuCount`, `CpuPercent`, `IOMaximum*`, `Consistency`), which Docker ignores too. Whether values
//! make sense (an absolute path, enough memory, a known runtime) is the engine's to judge.

mod binds;
mod conflicts;
mod health;
mod modes;
mod mounts;
mod network;
mod new_network;
mod process;
mod resources;
mod security;
mod tmpfs;

#[cfg(test)]
mod tests;

use crate::wire::config::ContainerConfig;
use crate::wire::host_config::{HostConfig, LogConfig, RestartPolicy};
use crate::wire::ports::{ExposedPorts, PortError};
use crate::wire::set;
use errors::{Class, Classified};
use spec::ContainerSpec;

pub(crate) use binds::BindError;
pub(crate) use mounts::MountError;
pub(crate) use network::{endpoint_request, wire_mode};
pub(crate) use new_network::new_network;
pub(crate) use process::exec_spec;
pub(crate) use resources::resources;

/// A property that can't be translated. Where Docker has words for it, these are they.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Mount(#[from] MountError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Conflict(#[from] conflicts::Conflict),
    #[error("invalid {what}: {value}")]
    Mode { what: &'static str, value: String },
    #[error("invalid --security-opt {number}: {value:?}")]
    SecurityOption { number: usize, value: String },
    #[error(
        "invalid restart policy: unknown policy '{name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
    )]
    RestartPolicy { name: String },
    #[error("invalid restart policy: maximum retry count {problem}")]
    RetryCount { problem: &'static str },
    #[error("{field} in Healthcheck cannot be {problem}")]
    Health { field: &'static str, problem: &'static str },
    #[error("bad format for add-host: {text:?}")]
    ExtraHost { text: String },
    #[error("invalid isolation ({value}): linux only supports 'default'")]
    Isolation { value: String },
    #[error("invalid Annotations: the empty string is not permitted as an annotation key")]
    Annotation,
    #[error("invalid device permissions {permissions:?} of {path}: expected some of r, w and m")]
    Device { path: String, permissions: String },
    #[error("device requests such as --gpus are not supported yet{}", driver_named(.driver))]
    DeviceRequest { driver: String },
    #[error("{}", crate::routes::NO_SWARM_MANAGER)]
    Swarm,
    #[error("invalid network scope {scope:?}: it is local here")]
    Scope { scope: String },
    #[error(
        "configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | \
         attachable | scope ] are not supported."
    )]
    ConfigurationNetwork,
    #[error("invalid network config:\ninvalid {what} {text}: {why}")]
    Range { what: &'static str, text: String, why: &'static str },
    #[error("HostConfig.Cgroup is not supported: {value}")]
    Cgroup { value: String },
}

fn driver_named(driver: &str) -> String {
    if driver.is_empty() { String::new() } else { format!(" (driver {driver})") }
}

impl Classified for Refused {
    fn class(&self) -> Class {
        match self {
            Self::Mount(error) => error.class(),
            Self::DeviceRequest { .. } | Self::Cgroup { .. } => Class::Unsupported,
            Self::Swarm => Class::Unavailable,
            Self::ConfigurationNetwork => Class::Denied,
            _ => Class::Invalid,
        }
    }
}

/// What a client wants to create.
pub(crate) fn container_spec(body: ContainerConfig) -> Result<ContainerSpec, Refused> {
    conflicts::check(&body)?;
    let ContainerConfig { host_config: host, networking_config, .. } = &body;
    refuse_unsupported(host)?;
    Ok(ContainerSpec {
        process: process::process(&body, host),
        namespaces: modes::namespaces(host)?,
        security: security::security(host)?,
        resources: resources(host),
        filesystem: mounts::filesystem(&body, host)?,
        network: network::network(&body, host, &networking_config.endpoints_config)?,
        restart: restart_policy(&host.restart_policy)?.unwrap_or_default(),
        health: body.healthcheck.as_ref().map(health::healthcheck).transpose()?,
        log: spec::LogConfig {
            driver: host.log_config.r#type.clone(),
            options: host.log_config.config.clone(),
        },
        auto_remove: host.auto_remove,
        runtime: some(&host.runtime),
        cgroup_parent: some(&host.cgroup_parent),
        console_size: console_size(&host.console_size),
        annotations: host.annotations.clone(),
        platform: None,
        image: body.image,
        hostname: body.hostname,
        domainname: body.domainname,
        labels: body.labels,
        on_build: Vec::new(),
        shell: body.shell.unwrap_or_default(),
    })
}

fn refuse_unsupported(host: &HostConfig) -> Result<(), Refused> {
    if let Some(request) = host.device_requests.iter().flatten().next() {
        return Err(Refused::DeviceRequest { driver: request.driver.clone() });
    }
    if !matches!(host.isolation.to_ascii_lowercase().as_str(), "" | "default") {
        return Err(Refused::Isolation { value: host.isolation.clone() });
    }
    if !host.cgroup.is_empty() {
        return Err(Refused::Cgroup { value: host.cgroup.clone() });
    }
    if host.annotations.contains_key("") {
        return Err(Refused::Annotation);
    }
    Ok(())
}

/// None: the client said nothing about it.
pub(crate) fn restart_policy(policy: &RestartPolicy) -> Result<Option<spec::RestartPolicy>, Refused> {
    use spec::RestartPolicy as P;
    let retries = policy.maximum_retry_count;
    if retries < 0 {
        return Err(Refused::RetryCount { problem: "cannot be negative" });
    }
    if retries > 0 && policy.name != "on-failure" {
        return Err(Refused::RetryCount { problem: "can only be used with 'on-failure'" });
    }
    Ok(Some(match policy.name.as_str() {
        "" => return Ok(None),
        "no" => P::No,
        "always" => P::Always,
        "unless-stopped" => P::UnlessStopped,
        "on-failure" => P::OnFailure { max_retries: u32::try_from(retries).unwrap_or(u32::MAX) },
        name => return Err(Refused::RestartPolicy { name: name.to_owned() }),
    }))
}

fn wire_restart_policy(policy: spec::RestartPolicy) -> RestartPolicy {
    use spec::RestartPolicy as P;
    let (name, maximum_retry_count) = match policy {
        P::No => ("no", 0),
        P::Always => ("always", 0),
        P::UnlessStopped => ("unless-stopped", 0),
        P::OnFailure { max_retries } => ("on-failure", i64::from(max_retries)),
    };
    RestartPolicy { name: name.to_owned(), maximum_retry_count }
}

/// What `Config` of `inspect` shows.
pub(crate) fn wire_config(spec: &ContainerSpec) -> ContainerConfig {
    let process = &spec.process;
    let volumes = &spec.filesystem.anonymous_volumes;
    ContainerConfig {
        hostname: spec.hostname.clone(),
        domainname: spec.domainname.clone(),
        user: process.user.clone(),
        attach_stdin: process.attach_stdin,
        attach_stdout: process.attach_stdout,
        attach_stderr: process.attach_stderr,
        exposed_ports: ExposedPorts::of(spec.network.exposed.clone()),
        tty: process.tty,
        open_stdin: process.open_stdin,
        stdin_once: process.stdin_once,
        env: process.env.clone(),
        cmd: process.command.clone(),
        healthcheck: spec.health.as_ref().map(health::wire_healthcheck),
        image: spec.image.clone(),
        volumes: (!volumes.is_empty()).then(|| set(volumes.iter().cloned())),
        working_dir: process.working_dir.clone(),
        entrypoint: process.entrypoint.clone(),
        network_disabled: spec.network.disabled,
        mac_address: spec.network.mac_address.clone().unwrap_or_default(),
        on_build: nonempty(&spec.on_build),
        labels: spec.labels.clone(),
        stop_signal: process.stop_signal.clone().unwrap_or_default(),
        stop_timeout: process.stop_timeout,
        shell: nonempty(&spec.shell),
        host_config: HostConfig::default(),
        networking_config: Default::default(),
    }
}

/// What `HostConfig` of `inspect` shows.
pub(crate) fn wire_host_config(spec: &ContainerSpec, runtime: &str, cgroup_v2: bool) -> HostConfig {
    let mut host = HostConfig {
        log_config: LogConfig { r#type: spec.log.driver.clone(), config: spec.log.options.clone() },
        restart_policy: wire_restart_policy(spec.restart),
        auto_remove: spec.auto_remove,
        console_size: spec.console_size.map_or(Vec::new(), |(rows, columns)| vec![rows, columns]),
        annotations: spec.annotations.clone(),
        runtime: runtime.to_owned(),
        cgroup_parent: spec.cgroup_parent.clone().unwrap_or_default(),
        ..HostConfig::default()
    };
    process::into_host(&spec.process, &mut host);
    modes::into_host(&spec.namespaces, cgroup_v2, &mut host);
    security::into_host(&spec.security, &mut host);
    resources::into_host(&spec.resources, &mut host);
    mounts::into_host(&spec.filesystem, &mut host);
    network::into_host(&spec.network, &mut host);
    host
}

/// Go's `[2]uint`, rows and columns; zeros: not given.
pub(crate) fn console_size(size: &[u16]) -> Option<(u16, u16)> {
    match size {
        [0, 0] => None,
        [rows, columns, ..] => Some((*rows, *columns)),
        _ => None,
    }
}

/// A text that says something.
fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Docker's `null` for an empty list.
fn nonempty<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}
