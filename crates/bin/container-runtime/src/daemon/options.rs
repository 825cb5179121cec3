//! The daemon's flags.

use crate::log::{Level, LogFormat};
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Run the engine in the foreground.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
pub(super) struct Options {
    /// Addresses to listen on: unix://PATH, tcp://ADDRESS:PORT, fd:// (may be repeated)
    #[arg(short = 'H', long = "host", value_name = "ADDRESS")]
    pub(super) hosts: Vec<String>,
    /// Directory of what must survive a reboot
    #[arg(long, visible_alias = "data-root", value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// Directory of what need not: sockets, bundles
    #[arg(long, visible_alias = "exec-root", value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Settings file [default: /etc/container-runtime/container-runtime.yaml, if there is one]
    #[arg(long = "config-file", value_name = "FILE")]
    pub(super) config_file: Option<PathBuf>,
    /// Program that supervises a container
    #[arg(long, value_name = "FILE")]
    pub(super) shim: Option<PathBuf>,
    /// Runtime of containers that name none
    #[arg(long, value_name = "NAME")]
    pub(super) default_runtime: Option<String>,
    /// Who makes cgroups: auto, cgroupfs, systemd
    #[arg(long, value_name = "DRIVER")]
    pub(super) cgroup_driver: Option<CgroupDriver>,
    /// Cgroup below which containers get theirs
    #[arg(long, value_name = "PATH")]
    pub(super) cgroup_parent: Option<String>,
    /// User (and group) whose subordinate ids containers run as, or default
    #[arg(long, value_name = "USER[:GROUP]")]
    pub(super) userns_remap: Option<String>,
    /// Shims started ahead of need
    #[arg(long, value_name = "NUMBER")]
    pub(super) idle_shims: Option<usize>,
    /// Device name of the default bridge
    #[arg(long, value_name = "NAME")]
    pub(super) bridge: Option<String>,
    /// Subnet of the default bridge
    #[arg(long, value_name = "CIDR")]
    pub(super) ip_range: Option<String>,
    /// Group that may use the unix sockets [default: docker, if there is one]
    #[arg(short = 'G', long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// Use TLS on TCP addresses; implied by --tlsverify
    #[arg(long)]
    pub(super) tls: bool,
    /// Use TLS and let in only clients with a certificate
    #[arg(long)]
    pub(super) tlsverify: bool,
    /// Authority of the clients' certificates
    #[arg(long, value_name = "FILE", default_value = "/etc/container-runtime/tls/ca.pem")]
    pub(super) tlscacert: PathBuf,
    /// The daemon's certificate
    #[arg(long, value_name = "FILE", default_value = "/etc/container-runtime/tls/cert.pem")]
    pub(super) tlscert: PathBuf,
    /// The daemon's key
    #[arg(long, value_name = "FILE", default_value = "/etc/container-runtime/tls/key.pem")]
    pub(super) tlskey: PathBuf,
    /// Log everything
    #[arg(short = 'D', long)]
    pub(super) debug: bool,
    /// Least level that is logged [default: info]
    #[arg(short = 'l', long, value_name = "LEVEL")]
    pub(super) log_level: Option<Level>,
    /// Form of the log [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CgroupDriver {
    Auto,
    Cgroupfs,
    Systemd,
}
