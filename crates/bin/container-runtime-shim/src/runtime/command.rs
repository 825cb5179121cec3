//! A program with the OCI command line: runc, crun and those like them.

use super::{Made, explain};
use crate::error::{Error, Result};
use crate::streams::{Console, Theirs};
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// A container of such a program's, whose records are in the bundle.
#[derive(Debug)]
pub(crate) struct CommandRuntime {
    id: String,
    bundle: PathBuf,
    program: PathBuf,
    arguments: Vec<String>,
    systemd: bool,
}

impl CommandRuntime {
    pub(super) fn new(id: &str, bundle: &Path, program: &Path, arguments: &[String], systemd: bool) -> Self {
        let (id, bundle) = (id.to_owned(), bundle.to_owned());
        Self { id, bundle, program: program.to_owned(), arguments: arguments.to_vec(), systemd }
    }

    pub(super) fn create(&self, streams: Theirs) -> Result<Made> {
        let mut command = self.command("create");
        command.arg("--bundle").arg(&self.bundle);
        self.spawn(command, "create", streams)
    }

    pub(super) fn start(&self) -> Result<()> {
        self.run(self.command("start"), "start")
    }

    pub(super) fn exec(&self, document: &[u8], streams: Theirs) -> Result<Made> {
        let path = self.file("process.json");
        std::fs::write(&path, document).map_err(|cause| Error::file("write", &path, cause))?;
        let mut command = self.command("exec");
        command.arg("--detach").arg("--process").arg(&path);
        let made = self.spawn(command, "exec", streams);
        let _ = std::fs::remove_file(&path);
        made
    }

    pub(super) fn pause(&self) -> Result<()> {
        self.run(self.command("pause"), "pause")
    }

    pub(super) fn resume(&self) -> Result<()> {
        self.run(self.command("resume"), "resume")
    }

    pub(super) fn update(&self, resources: &[u8]) -> Result<()> {
        let mut command = self.command("update");
        command.args(["-r", "-"]).arg(&self.id).stdin(Stdio::piped());
        let mut child = command.spawn().map_err(|cause| Error::file("execute", &self.program, cause))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read says why by its exit status.
            let _ = stdin.write_all(resources);
        }
        let status = child.wait().map_err(Error::kernel("wait for the runtime"))?;
        self.check("update", status)
    }

    pub(super) fn delete(&self) -> Result<()> {
        if self.root().exists() {
            let mut command = self.command("delete");
            command.arg("--force");
            self.run(command, "delete")?;
        }
        let _ = std::fs::remove_file(self.file("log"));
        let _ = std::fs::remove_dir_all(self.root());
        Ok(())
    }

    /// Runs it for a process that it leaves behind, whose number it writes to a file.
    fn spawn(&self, mut command: Command, verb: &'static str, streams: Theirs) -> Result<Made> {
        let pid_file = self.file("pid");
        command.arg("--pid-file").arg(&pid_file);
        let console = match streams {
            Theirs::Pipes { stdin, stdout, stderr } => {
                command.stdin(stdin).stdout(stdout).stderr(stderr);
                None
            }
            Theirs::Terminal(console) => {
                command.arg("--console-socket").arg(console.path());
                Some(console)
            }
        };
        self.run(command, verb)?;
        let text =
            std::fs::read_to_string(&pid_file).map_err(|cause| Error::file("read", &pid_file, cause))?;
        let _ = std::fs::remove_file(&pid_file);
        let pid = text.trim().parse().map_err(|_| Error::Runtime {
            class: errors::Class::Internal,
            message: format!("{} wrote no process number but {text:?}", self.program.display()),
        })?;
        Ok(Made { pid, master: console.map(Console::receive).transpose()? })
    }

    fn run(&self, mut command: Command, verb: &'static str) -> Result<()> {
        command.arg(&self.id);
        let status = command.status().map_err(|cause| Error::file("execute", &self.program, cause))?;
        self.check(verb, status)
    }

    fn check(&self, verb: &'static str, status: ExitStatus) -> Result<()> {
        if status.success() {
            return Ok(());
        }
        let log = std::fs::read_to_string(self.file("log")).unwrap_or_default();
        Err(explain::command(verb, &log, format!("{} failed: {status}", self.program.display())))
    }

    /// The program with its global arguments, a log of its own and this command; no environment, no streams.
    fn command(&self, verb: &'static str) -> Command {
        let log = self.file("log");
        let _ = std::fs::remove_file(&log);
        let mut command = Command::new(&self.program);
        // Not with what this shim blocks: not every runtime clears that for the container.
        sys::signals::fresh(&mut command);
        command.args(&self.arguments);
        command.args([OsStr::new("--root"), self.root().as_os_str(), OsStr::new("--log"), log.as_os_str()]);
        command.args(["--log-format", "json"]);
        if self.systemd {
            command.arg("--systemd-cgroup");
        }
        command.arg(verb);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    fn root(&self) -> PathBuf {
        self.file("root")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.bundle.join(format!("runtime-{name}"))
    }
}
