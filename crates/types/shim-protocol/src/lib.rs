//! What the daemon and our own shim say to each other beside containerd's Task API: the files in a bundle and the
//! attach socket.
//!
//! A bundle is the directory `<state>/containers/<id>/`:
//!
//! ```text
//! config.json    the OCI runtime document                        daemon, before Create
//! shim.json      [`Options`]                                     daemon, before Create
//! shim.sock      the shim's ttrpc socket                         daemon or shim, before Create
//! attach.sock    streams of the init process and of execs        shim, during Create
//! exit.json      [`Exit`] of the init process                    shim, before it answers Wait
//! shim.log       the shim's own complaints                       shim
//! rootfs/        mount point of the root file system             daemon; mounted by the shim
//! ```
//!
//! The attach socket: a client connects, writes one line of JSON, [`Hello`]; the shim answers with one line,
//! [`Welcome`]. From then on the shim sends output, with a terminal as it is, without one in frames of the Engine
//! API's stream format (1 byte stream number, 3 zero bytes, 4 bytes big-endian length, payload); a frame of stream 3
//! holds no output but a word about it: how much is missing there. The client's bytes are the process's input as they
//! are, and the client's half-close ends its input. The shim closes the connection once the process has ended and all
//! its output is sent. Nobody waits for a slow client: what it has not taken waits in memory, then on disk, also once the
//! container is deleted.
//!
//! Paths of unix sockets end at 107 bytes and a bundle's may be longer: bind and connect through
//! `/proc/self/fd/<the bundle's descriptor>/<name>`.
//!
//! # Our shim's command line
//!
//! ```text
//! container-runtime-shim [-parent PID] serve [--idle]      descriptor 3 is the listening ttrpc socket, bound by the caller
//! container-runtime-shim -namespace NS -id ID -address ADDR [-bundle DIR] start | delete      as containerd does
//! container-runtime-shim compress LOG        compresses what json-file rotated, at low priority
//! container-runtime-shim log BUNDLE          containerd's `binary://` logging: 3 stdout, 4 stderr, 5 ready
//! ```
//!
//! `serve` becomes a session leader and a subreaper, drops its environment and every other descriptor, points 0 to 2
//! at `/dev/null`, and answers at once. Without a container it exits when its last connection closes, on `Shutdown`,
//! or when nobody has connected for a minute, or before `-parent` died: who keeps idle shims keeps a connection to each.
//! With a container it stays until the container is deleted, whoever comes and goes, and until its clients have its output. `--idle` prepares what needs no container; the
//! caller may rename the socket's file before `Create`. `$CONTAINER_RUNTIME_SHIM_TRACE`, of any value, makes it
//! write the time of each step to `shim.log`.
//!
//! `log` gives processes of foreign shims what ours has by itself, a log and an attach socket: the daemon passes
//! `binary:///path/of/container-runtime-shim?log=BUNDLE` as stdout and stderr. `BUNDLE` is any directory with a
//! `shim.json`; an exec has one of its own, whose log is `none`. A `config.json` in it, of which
//! `{"process": {"terminal": true}}` is enough, says whether output comes without frames. Input, if wanted, is a FIFO
//! `BUNDLE/stdin`, which the daemon makes and passes as stdin; with `stdin_once` a client's half-close ends it. The
//! logger ends once the process's output does.
//!
//! # What the Task service promises beyond containerd
//!
//! - It answers under `containerd.task.v2.Task` and `containerd.task.v3.Task` alike. Checkpoint and Stats are
//!   UNIMPLEMENTED: who wants numbers reads the cgroup.
//! - `attach.sock` accepts clients for the init process once Create is answered, and for an exec once Exec is: who
//!   attaches before Start misses nothing. After the process has ended, an attachment is refused.
//! - Exec only records the process, Start creates and starts it: what is wrong with it is Start's answer.
//! - A program that can't be executed is INVALID_ARGUMENT with a message that contains `exec: "NAME": ` and ends with
//!   `executable file not found in $PATH` or `no such file or directory` (exit code 127), or `permission denied`, `is
//!   a directory` or `exec format error` (126). What only `execve` itself finds out of the init process is in the
//!   container's log, and the exit code is 126 or 127.
//! - NOT_FOUND means that this shim has no such container or exec; ALREADY_EXISTS, that it has one;
//!   FAILED_PRECONDITION, that it is in a state that forbids the call.
//! - Wait is answered when the process has ended, its output is read, logged and queued for the clients, and
//!   [`Exit`] is on disk. Kill of a process that has ended is NOT_FOUND.
//! - Delete of a container that was never started kills it; of a running one it is FAILED_PRECONDITION.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// File names in a bundle.
pub mod file {
    /// The OCI runtime document.
    pub const CONFIG: &str = "config.json";
    /// [`super::Options`].
    pub const OPTIONS: &str = "shim.json";
    /// The shim's ttrpc socket.
    pub const SOCKET: &str = "shim.sock";
    /// The attach socket.
    pub const ATTACH: &str = "attach.sock";
    /// [`super::Exit`].
    pub const EXIT: &str = "exit.json";
    /// The shim's own complaints.
    pub const LOG: &str = "shim.log";
    /// A FIFO that is the standard input of a foreign shim's process, for the logger to write to.
    pub const STDIN: &str = "stdin";
    /// Mount point of the root file system.
    pub const ROOTFS: &str = "rootfs";
}

/// In `CreateTaskRequest` and `ExecProcessRequest`: this stream goes through the attach socket.
/// An empty string is `/dev/null`; a path is a FIFO, as containerd passes it.
pub const ATTACH_STREAM: &str = "attach:";

/// How our shim should treat a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// What creates the processes.
    pub runtime: Runtime,
    /// Where the init process's output is kept.
    pub log: Log,
    /// Close the init process's input when the first client that attached it goes.
    pub stdin_once: bool,
    /// Whether the root file system and all mounts are made in a mount namespace of the shim's own, where nothing
    /// of them can leak. False where a mount propagates back to the host.
    pub private_mounts: bool,
    /// Whether cgroups are made by systemd over D-Bus.
    pub systemd_cgroup: bool,
    /// ttrpc address that takes containerd events (`TaskOOM`), if the daemon listens on one.
    pub events_address: Option<String>,
    /// Directory where compiled seccomp filters are kept for all containers; without one each is compiled anew, which
    /// takes 45 ms for a profile like Docker's. The shim makes it.
    #[serde(default)]
    pub filters: Option<PathBuf>,
    /// Directory on disk for what a client takes more slowly than it is printed, in files without names; without one,
    /// or where it is full, such a client misses output and is told how much.
    #[serde(default)]
    pub spool: Option<PathBuf>,
}

/// What creates a container's processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Runtime {
    /// The library linked into the shim.
    Libcontainer,
    /// A program with the OCI command line, like runc.
    Command {
        /// Absolute path.
        path: PathBuf,
        /// Global arguments before the command.
        args: Vec<String>,
    },
}

/// Where the init process's output is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "driver")]
pub enum Log {
    /// Nowhere.
    None,
    /// Docker's format, a JSON object a line, rotated by size.
    JsonFile {
        /// Of the newest file; rotated ones add `.1`, `.2`, …
        path: PathBuf,
        /// Options as validated by `drivers/logs`.
        options: BTreeMap<String, String>,
    },
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Exit code, or 128 plus the signal's number.
    pub status: u32,
    /// Nanoseconds since 1970.
    pub at: i64,
    /// Whether the kernel killed something in the container for lack of memory.
    pub oom_killed: bool,
}

/// A client's first line on the attach socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The exec's id; none: the init process.
    pub exec: Option<String>,
    /// Whether this client's bytes are the process's input.
    pub stdin: bool,
    /// Whether it wants standard output.
    pub stdout: bool,
    /// Whether it wants standard error.
    pub stderr: bool,
}

/// The shim's first line on the attach socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Welcome {
    /// Streams follow.
    Attached {
        /// Whether the process has a terminal, and output comes without frames.
        terminal: bool,
    },
    /// The connection ends here.
    Refused {
        /// Why.
        reason: String,
    },
}
