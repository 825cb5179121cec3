//! The flags that `run` and `create` share: nearly all of both.

use crate::flags::duration::{self, Span};
use crate::flags::limits::{self, Bytes, NanoCpus, Ulimit};
use crate::flags::network::{self, Attachment};
use crate::flags::{device, env, gpus, hosts, mount};
use serde_json::Value;

const CGROUPNS: &str = "Cgroup namespace to use (host|private)
'host':    Run the container in the Docker host's cgroup namespace
'private': Run the container in its own private cgroup namespace
'':        Use the cgroup namespace as configured by the
           default-cgroupns-mode option on the daemon (default)";

/// What a new container is to be.
#[derive(Debug, clap::Args)]
pub(crate) struct ContainerFlags {
    /// Add a custom host-to-IP mapping (host:ip)
    #[arg(long, value_parser = hosts::extra)]
    pub(crate) add_host: Vec<String>,
    /// Add an annotation to the container (passed through to the OCI runtime) (default map[])
    #[arg(long, value_name = "map")]
    pub(crate) annotation: Vec<String>,
    /// Attach to STDIN, STDOUT or STDERR
    #[arg(short, long, value_parser = stream)]
    pub(crate) attach: Vec<String>,
    /// Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)
    #[arg(long)]
    pub(crate) blkio_weight: Option<u16>,
    /// Block IO weight (relative device weight) (default [])
    #[arg(long, value_parser = device::weight)]
    pub(crate) blkio_weight_device: Vec<Value>,
    /// Add Linux capabilities
    #[arg(long)]
    pub(crate) cap_add: Vec<String>,
    /// Drop Linux capabilities
    #[arg(long)]
    pub(crate) cap_drop: Vec<String>,
    /// Optional parent cgroup for the container
    #[arg(long, default_value = "")]
    pub(crate) cgroup_parent: String,
    #[arg(long, default_value = "", help = CGROUPNS)]
    pub(crate) cgroupns: String,
    /// Write the container ID to the file
    #[arg(long, default_value = "")]
    pub(crate) cidfile: String,
    /// CPU count (Windows only)
    #[arg(hide = true, long)]
    pub(crate) cpu_count: Option<i64>,
    /// CPU percent (Windows only)
    #[arg(hide = true, long)]
    pub(crate) cpu_percent: Option<i64>,
    /// Limit CPU CFS (Completely Fair Scheduler) period
    #[arg(long)]
    pub(crate) cpu_period: Option<i64>,
    /// Limit CPU CFS (Completely Fair Scheduler) quota
    #[arg(long)]
    pub(crate) cpu_quota: Option<i64>,
    /// Limit CPU real-time period in microseconds
    #[arg(long)]
    pub(crate) cpu_rt_period: Option<i64>,
    /// Limit CPU real-time runtime in microseconds
    #[arg(long)]
    pub(crate) cpu_rt_runtime: Option<i64>,
    /// CPU shares (relative weight)
    #[arg(short, long)]
    pub(crate) cpu_shares: Option<i64>,
    /// Number of CPUs
    #[arg(long, value_name = "decimal", value_parser = limits::cpus)]
    pub(crate) cpus: Option<NanoCpus>,
    /// CPUs in which to allow execution (0-3, 0,1)
    #[arg(long, default_value = "")]
    pub(crate) cpuset_cpus: String,
    /// MEMs in which to allow execution (0-3, 0,1)
    #[arg(long, default_value = "")]
    pub(crate) cpuset_mems: String,
    /// Add a host device to the container
    #[arg(long)]
    pub(crate) device: Vec<String>,
    /// Add a rule to the cgroup allowed devices list
    #[arg(long, value_parser = device::cgroup_rule)]
    pub(crate) device_cgroup_rule: Vec<String>,
    /// Limit read rate (bytes per second) from a device (default [])
    #[arg(long, value_parser = device::bytes_rate)]
    pub(crate) device_read_bps: Vec<Value>,
    /// Limit read rate (IO per second) from a device (default [])
    #[arg(long, value_parser = device::operations_rate)]
    pub(crate) device_read_iops: Vec<Value>,
    /// Limit write rate (bytes per second) to a device (default [])
    #[arg(long, value_parser = device::bytes_rate)]
    pub(crate) device_write_bps: Vec<Value>,
    /// Limit write rate (IO per second) to a device (default [])
    #[arg(long, value_parser = device::operations_rate)]
    pub(crate) device_write_iops: Vec<Value>,
    /// Skip image verification
    #[arg(long, default_value = "true")]
    pub(crate) disable_content_trust: Option<bool>,
    /// Set custom DNS servers
    #[arg(long, value_parser = hosts::address)]
    pub(crate) dns: Vec<String>,
    /// Set DNS options
    #[arg(long, alias = "dns-opt")]
    pub(crate) dns_option: Vec<String>,
    /// Set custom DNS search domains
    #[arg(long, value_parser = hosts::domain)]
    pub(crate) dns_search: Vec<String>,
    /// Container NIS domain name
    #[arg(long, default_value = "")]
    pub(crate) domainname: String,
    /// Overwrite the default ENTRYPOINT of the image
    #[arg(long)]
    pub(crate) entrypoint: Option<String>,
    /// Set environment variables
    #[arg(short, long, value_parser = env::variable)]
    pub(crate) env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long)]
    pub(crate) env_file: Vec<String>,
    /// Expose a port or a range of ports
    #[arg(long)]
    pub(crate) expose: Vec<String>,
    /// GPU devices to add to the container ('all' to pass all GPUs)
    #[arg(long, value_name = "gpu-request", value_parser = gpus::parse)]
    pub(crate) gpus: Vec<Value>,
    /// Add additional groups to join
    #[arg(long)]
    pub(crate) group_add: Vec<String>,
    /// Command to run to check health
    #[arg(long, default_value = "")]
    pub(crate) health_cmd: String,
    /// Time between running the check (ms|s|m|h) (default 0s)
    #[arg(long, value_name = "duration", value_parser = duration::span)]
    pub(crate) health_interval: Option<Span>,
    /// Consecutive failures needed to report unhealthy
    #[arg(long)]
    pub(crate) health_retries: Option<i64>,
    /// Time between running the check during the start period (ms|s|m|h) (default 0s)
    #[arg(long, value_name = "duration", value_parser = duration::span)]
    pub(crate) health_start_interval: Option<Span>,
    /// Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)
    #[arg(long, value_name = "duration", value_parser = duration::span)]
    pub(crate) health_start_period: Option<Span>,
    /// Maximum time to allow one check to run (ms|s|m|h) (default 0s)
    #[arg(long, value_name = "duration", value_parser = duration::span)]
    pub(crate) health_timeout: Option<Span>,
    /// Container host name
    #[arg(short, long, default_value = "")]
    pub(crate) hostname: String,
    /// Run an init inside the container that forwards signals and reaps processes
    #[arg(long)]
    pub(crate) init: Option<bool>,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    pub(crate) interactive: bool,
    /// Maximum IO bandwidth limit for the system drive (Windows only)
    #[arg(hide = true, long, value_name = "bytes", value_parser = limits::bytes)]
    pub(crate) io_maxbandwidth: Option<Bytes>,
    /// Maximum IOps limit for the system drive (Windows only)
    #[arg(hide = true, long)]
    pub(crate) io_maxiops: Option<u64>,
    /// IPv4 address (e.g., 172.30.100.104)
    #[arg(long, default_value = "")]
    pub(crate) ip: String,
    /// IPv6 address (e.g., 2001:db8::33)
    #[arg(long, default_value = "")]
    pub(crate) ip6: String,
    /// IPC mode to use
    #[arg(long, default_value = "")]
    pub(crate) ipc: String,
    /// Container isolation technology
    #[arg(long, default_value = "")]
    pub(crate) isolation: String,
    /// Kernel memory limit
    #[arg(long, value_name = "bytes", value_parser = limits::bytes)]
    pub(crate) kernel_memory: Option<Bytes>,
    /// Set meta data on a container
    #[arg(short, long, value_parser = env::label)]
    pub(crate) label: Vec<String>,
    /// Read in a line delimited file of labels
    #[arg(long)]
    pub(crate) label_file: Vec<String>,
    /// Add link to another container
    #[arg(long, value_parser = hosts::link)]
    pub(crate) link: Vec<String>,
    /// Container IPv4/IPv6 link-local addresses
    #[arg(long)]
    pub(crate) link_local_ip: Vec<String>,
    /// Logging driver for the container
    #[arg(long, default_value = "")]
    pub(crate) log_driver: String,
    /// Log driver options
    #[arg(long)]
    pub(crate) log_opt: Vec<String>,
    /// Container MAC address (e.g., 92:d0:c6:0a:29:33)
    #[arg(long, default_value = "")]
    pub(crate) mac_address: String,
    /// Memory limit
    #[arg(short, long, value_name = "bytes", value_parser = limits::bytes)]
    pub(crate) memory: Option<Bytes>,
    /// Memory soft limit
    #[arg(long, value_name = "bytes", value_parser = limits::bytes)]
    pub(crate) memory_reservation: Option<Bytes>,
    /// Swap limit equal to memory plus swap: '-1' to enable unlimited swap
    #[arg(long, value_name = "bytes", value_parser = limits::swap)]
    pub(crate) memory_swap: Option<Bytes>,
    /// Tune container memory swappiness (0 to 100)
    #[arg(long, default_value = "-1")]
    pub(crate) memory_swappiness: i64,
    /// Attach a filesystem mount to the container
    #[arg(long, value_name = "mount", value_parser = mount::parse)]
    pub(crate) mount: Vec<Value>,
    /// Assign a name to the container
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// Connect a container to a network
    #[arg(long, value_name = "network", value_parser = network::parse, alias = "net")]
    pub(crate) network: Vec<Attachment>,
    /// Add network-scoped alias for the container
    #[arg(long, alias = "net-alias")]
    pub(crate) network_alias: Vec<String>,
    /// Disable any container-specified HEALTHCHECK
    #[arg(long)]
    pub(crate) no_healthcheck: bool,
    /// Disable OOM Killer
    #[arg(long)]
    pub(crate) oom_kill_disable: bool,
    /// Tune host's OOM preferences (-1000 to 1000)
    #[arg(long)]
    pub(crate) oom_score_adj: Option<i64>,
    /// PID namespace to use
    #[arg(long, default_value = "")]
    pub(crate) pid: String,
    /// Tune container pids limit (set -1 for unlimited)
    #[arg(long)]
    pub(crate) pids_limit: Option<i64>,
    /// Set platform if server is multi-platform capable
    #[arg(long, default_value = "")]
    pub(crate) platform: String,
    /// Give extended privileges to this container
    #[arg(long)]
    pub(crate) privileged: bool,
    /// Publish a container's port(s) to the host
    #[arg(short, long)]
    pub(crate) publish: Vec<String>,
    /// Publish all exposed ports to random ports
    #[arg(short = 'P', long)]
    pub(crate) publish_all: bool,
    /// Suppress the pull output
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Mount the container's root filesystem as read only
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Restart policy to apply when a container exits
    #[arg(long, default_value = "no")]
    pub(crate) restart: String,
    /// Automatically remove the container and its associated anonymous volumes when it exits
    #[arg(long)]
    pub(crate) rm: bool,
    /// Runtime to use for this container
    #[arg(long, default_value = "")]
    pub(crate) runtime: String,
    /// Security Options
    #[arg(long)]
    pub(crate) security_opt: Vec<String>,
    /// Size of /dev/shm
    #[arg(long, value_name = "bytes", value_parser = limits::bytes)]
    pub(crate) shm_size: Option<Bytes>,
    /// Signal to stop the container
    #[arg(long, default_value = "")]
    pub(crate) stop_signal: String,
    /// Timeout (in seconds) to stop a container
    #[arg(long)]
    pub(crate) stop_timeout: Option<i64>,
    /// Storage driver options for the container
    #[arg(long)]
    pub(crate) storage_opt: Vec<String>,
    /// Sysctl options (default map[])
    #[arg(long, value_name = "map", value_parser = env::sysctl)]
    pub(crate) sysctl: Vec<String>,
    /// Mount a tmpfs directory
    #[arg(long)]
    pub(crate) tmpfs: Vec<String>,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// Ulimit options (default [])
    #[arg(long, value_name = "ulimit", value_parser = limits::ulimit)]
    pub(crate) ulimit: Vec<Ulimit>,
    /// Bind mount Docker API socket and required auth
    #[arg(long)]
    pub(crate) use_api_socket: bool,
    #[arg(short, long, default_value = "", help = "Username or UID (format: <name|uid>[:<group|gid>])")]
    pub(crate) user: String,
    /// User namespace to use
    #[arg(long, default_value = "")]
    pub(crate) userns: String,
    /// UTS namespace to use
    #[arg(long, default_value = "")]
    pub(crate) uts: String,
    /// Bind mount a volume
    #[arg(short, long)]
    pub(crate) volume: Vec<String>,
    /// Optional volume driver for the container
    #[arg(long, default_value = "")]
    pub(crate) volume_driver: String,
    /// Mount volumes from the specified container(s)
    #[arg(long)]
    pub(crate) volumes_from: Vec<String>,
    /// Working directory inside the container
    #[arg(short, long, default_value = "")]
    pub(crate) workdir: String,
}

/// `--attach`.
fn stream(text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "stdin" | "stdout" | "stderr" => Ok(lower),
        _ => Err("valid streams are STDIN, STDOUT and STDERR".to_owned()),
    }
}
