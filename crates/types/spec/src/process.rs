//! Processes: a container's init and those that `exec` adds.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The init process of a container.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// Prefix of the argument vector.
    pub entrypoint: Option<Vec<String>>,
    /// Rest of the argument vector.
    pub command: Option<Vec<String>>,
    /// `NAME=value`, in order, later ones win.
    pub env: Vec<String>,
    /// Absolute path; empty: `/`.
    pub working_dir: String,
    /// `user`, `uid`, `user:group`, `uid:gid`; empty: root.
    pub user: String,
    /// Additional groups, names or ids.
    pub additional_groups: Vec<String>,
    /// Whether the process gets a terminal.
    pub tty: bool,
    /// Whether standard input is kept open without a client attached.
    pub open_stdin: bool,
    /// Whether standard input is closed when the first attached client goes.
    pub stdin_once: bool,
    /// What the client said it would attach to (kept for `inspect`).
    pub attach_stdin: bool,
    /// See `attach_stdin`.
    pub attach_stdout: bool,
    /// See `attach_stdin`.
    pub attach_stderr: bool,
    /// Run a small init as pid 1 that forwards signals and reaps; none: the engine's default.
    pub init: Option<bool>,
    /// Signal for `stop`; none: `SIGTERM`.
    pub stop_signal: Option<String>,
    /// How long `stop` waits, in seconds; none: 10; negative: for ever.
    pub stop_timeout: Option<i32>,
    /// Score for the kernel's OOM killer, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// Resource limits of the process.
    pub rlimits: Vec<Rlimit>,
}

impl Process {
    /// Entry point and command as one argument vector.
    pub fn args(&self) -> Vec<String> {
        self.entrypoint.iter().flatten().chain(self.command.iter().flatten()).cloned().collect()
    }
}

/// Whether a text can be an environment variable: a name, with or without `=` and a value.
pub fn is_variable(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('=')
}

/// `setrlimit(2)`: one limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    /// Lower-case name without `RLIMIT_`: `nofile`.
    pub name: String,
    /// Soft limit, -1: unlimited.
    pub soft: i64,
    /// Hard limit, -1: unlimited.
    pub hard: i64,
}

/// A process that `exec` adds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecSpec {
    /// Argument vector.
    pub args: Vec<String>,
    /// Added to the container's environment.
    pub env: Vec<String>,
    /// Empty: the container's.
    pub working_dir: String,
    /// Empty: the container's.
    pub user: String,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Which streams the client wants.
    pub attach_stdin: bool,
    /// See `attach_stdin`.
    pub attach_stdout: bool,
    /// See `attach_stdin`.
    pub attach_stderr: bool,
    /// All capabilities.
    pub privileged: bool,
    /// Key sequence that detaches the client, as docker writes it; none: the default.
    pub detach_keys: Option<String>,
    /// Rows and columns.
    pub console_size: Option<(u16, u16)>,
}

/// How to tell whether a container is healthy (Dockerfile `HEALTHCHECK`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Healthcheck {
    /// `["CMD", …]`, `["CMD-SHELL", text]`, `["NONE"]`, or empty to inherit the image's.
    pub test: Vec<String>,
    /// Between checks; zero: 30 s.
    pub interval: Duration,
    /// For one check; zero: 30 s.
    pub timeout: Duration,
    /// Failures do not count this long after the start.
    pub start_period: Duration,
    /// Between checks during the start period; zero: 5 s.
    pub start_interval: Duration,
    /// Failures in a row that make it unhealthy; zero: 3.
    pub retries: u32,
}
