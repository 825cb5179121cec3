//! One call of one plugin.

use crate::{Attachment, Error, Places, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use serde_json::Value;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// What a plugin is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Add,
    Check,
    Del,
}

impl Command {
    fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Check => "CHECK",
            Self::Del => "DEL",
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) network: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) command: Command,
    pub(crate) what: &'a Attachment<'a>,
    pub(crate) input: &'a Value,
}

/// What an ended plugin left.
struct Ended {
    status: ExitStatus,
    printed: String,
    complained: String,
}

/// Where a plugin is.
pub(crate) fn find(places: &Places, network: &str, kind: &str) -> Result<PathBuf> {
    let mut candidates = places.plugins.iter().map(|directory| directory.join(kind));
    candidates.find(|path| path.is_file()).ok_or_else(|| Error::NoPlugin {
        network: network.to_owned(),
        kind: kind.to_owned(),
        directories: places.plugins.clone(),
    })
}

/// Runs a plugin and answers what it printed; nothing is `null`.
pub(crate) fn run(places: &Places, call: &Call<'_>) -> Result<Value> {
    let (network, kind, command) = (call.network.to_owned(), call.kind.to_owned(), call.command.as_str());
    let program = find(places, call.network, call.kind)?;
    let ended = execute(places, call, &program).map_err(|cause| Error::Run { program, cause })?;
    let Some(ended) = ended else {
        return Err(Error::Slow { network, kind, command, limit: places.limit });
    };
    let document = serde_json::from_str::<Value>(&ended.printed);
    if !ended.status.success() {
        let message = document.ok().and_then(|document| words(&document));
        let message = message.unwrap_or_else(|| last_line(&ended));
        return Err(Error::Plugin { network, kind, command, message });
    }
    match document {
        Ok(document) => Ok(document),
        // CHECK and DEL print nothing; without the result of an ADD nobody knows what there is.
        Err(_) if ended.printed.trim().is_empty() && call.command != Command::Add => Ok(Value::Null),
        Err(error) => Err(Error::BadResult { network, why: format!("{kind}: {error}") }),
    }
}

/// The message of an error document (section 5), with its details.
fn words(document: &Value) -> Option<String> {
    let message = document["msg"].as_str()?;
    Some(match document["details"].as_str().filter(|details| !details.is_empty()) {
        Some(details) => format!("{message}; {details}"),
        None => message.to_owned(),
    })
}

fn last_line(ended: &Ended) -> String {
    let mut lines = ended.printed.lines().chain(ended.complained.lines()).map(str::trim);
    lines.rfind(|line| !line.is_empty()).map_or_else(|| ended.status.to_string(), str::to_owned)
}

/// What became of it; none if it was killed for being slow. Files instead of pipes: whom a plugin leaves behind holds nobody up, and
/// nobody has to read and write at once.
fn execute(places: &Places, call: &Call<'_>, program: &Path) -> io::Result<Option<Ended>> {
    let mut input = memory("cni-input")?;
    input.write_all(call.input.to_string().as_bytes())?;
    input.seek(SeekFrom::Start(0))?;
    let (mut output, mut complaints) = (memory("cni-output")?, memory("cni-errors")?);
    let mut command = std::process::Command::new(program);
    command.env_clear().envs(environment(places, call)).current_dir("/").process_group(0);
    command.stdin(input).stdout(output.try_clone()?).stderr(complaints.try_clone()?);
    let mut child = command.spawn()?;
    let pid = Pid::from_child(&child);
    let ended = wait(pid, places.limit);
    if !matches!(ended, Ok(true)) {
        // It has not been waited for, so the number is still its.
        kill_process_group(pid, Signal::KILL)?;
    }
    let status = child.wait()?;
    if !ended? {
        return Ok(None);
    }
    Ok(Some(Ended { status, printed: text(&mut output)?, complained: text(&mut complaints)? }))
}

/// Whether it ended in time.
fn wait(pid: Pid, limit: std::time::Duration) -> io::Result<bool> {
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
    let ready = rustix::io::retry_on_intr(|| poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit)))?;
    Ok(ready > 0)
}

fn memory(name: &str) -> io::Result<File> {
    Ok(File::from(memfd_create(name, MemfdFlags::CLOEXEC)?))
}

fn text(file: &mut File) -> io::Result<String> {
    /// No plugin has as much to say.
    const LARGEST: u64 = 1 << 20;
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Section 2, "Parameters". The search path is for plugins that run `iptables`.
fn environment(places: &Places, call: &Call<'_>) -> Vec<(&'static str, OsString)> {
    const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let plugins = std::env::join_paths(&places.plugins).unwrap_or_default();
    let namespace = call.what.namespace.map(|path| path.as_os_str().to_owned()).unwrap_or_default();
    vec![
        ("CNI_COMMAND", call.command.as_str().into()),
        ("CNI_CONTAINERID", call.what.container.into()),
        ("CNI_NETNS", namespace),
        ("CNI_IFNAME", call.what.device.into()),
        ("CNI_PATH", plugins),
        ("PATH", SEARCH_PATH.into()),
    ]
}
