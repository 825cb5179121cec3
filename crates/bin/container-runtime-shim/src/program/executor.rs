//! libcontainer's last step, in the container's own process: from here on it is the user's program.

use super::devices::BoundDevices;
use super::home;
use super::identity::Identity;
use super::limits;
use super::lookup::{ProgramError, find};
use crate::seccomp::Filter;
use libcontainer::capabilities;
use libcontainer::oci_spec::runtime::{LinuxCapabilities, PosixRlimit, Spec};
use libcontainer::syscall::syscall::create_syscall;
use libcontainer::workload::{Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::CString;
use std::io::Write;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::rc::Rc;

/// Which process it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The container's first: after Start nobody listens to it.
    Init,
    /// A further one: the shim reads what it says until it executes its program.
    Exec,
}

/// What the executor does in libcontainer's stead.
#[derive(Debug, Default)]
pub(crate) struct Confinement {
    /// Whom the process becomes first; none: libcontainer has seen to it.
    pub(crate) identity: Option<Identity>,
    /// What is to come onto `/dev`; none: libcontainer has set it up.
    pub(crate) devices: Option<BoundDevices>,
    pub(crate) filter: Option<Filter>,
    pub(crate) capabilities: Option<LinuxCapabilities>,
    pub(crate) limits: Vec<PosixRlimit>,
    /// Whether `HOME` has a stand-in for what the container's `/etc/passwd` says.
    pub(crate) home_missing: bool,
}

/// Finds the program, says what is wrong with it before the container starts, and executes it.
#[derive(Debug, Clone)]
pub(crate) struct ProgramExecutor {
    kind: Kind,
    confinement: Rc<Confinement>,
    /// Descriptors of the shim's that the container's process has only since it was cloned from it. They would go
    /// when it executes its program, but until then it would keep connections open that the shim closes.
    inherited_fds: Vec<RawFd>,
    foreign: bool,
    environment: RefCell<HashMap<String, String>>,
}

impl ProgramExecutor {
    pub(crate) fn new(kind: Kind, confinement: Confinement, inherited_fds: Vec<RawFd>) -> Self {
        let (confinement, environment) = (Rc::new(confinement), RefCell::default());
        Self { kind, confinement, inherited_fds, foreign: has_foreign_formats(), environment }
    }

    fn program(&self, spec: &Spec) -> Result<PathBuf, ProgramError> {
        let process = spec.process().as_ref();
        let name = process.and_then(|process| process.args().as_ref()?.first());
        let environment = process.and_then(|process| process.env().as_deref()).unwrap_or_default();
        let path = environment.iter().rev().find_map(|entry| entry.strip_prefix("PATH="));
        find(name.ok_or(ProgramError::NoArguments)?, path, self.foreign)
    }

    /// In the order of the specification, which a map does not keep; then what libcontainer added.
    fn environment(&self, spec: &Spec) -> Vec<CString> {
        let mut rest = self.environment.take();
        let process = spec.process().as_ref();
        if self.confinement.home_missing {
            let uid = process.map_or(0, |process| process.user().uid());
            rest.insert("HOME".to_owned(), home::of(uid));
        }
        let entries = process.and_then(|process| process.env().as_deref()).unwrap_or_default();
        let mut environment: Vec<_> = entries
            .iter()
            .filter_map(|entry| entry.split_once('='))
            .filter_map(|(name, _)| rest.remove_entry(name))
            .collect();
        environment.extend(rest);
        environment
            .into_iter()
            .filter_map(|(name, value)| CString::new(format!("{name}={value}")).ok())
            .collect()
    }

    /// Limits first: raising one takes a capability, and a filter may refuse the call.
    fn confine(&self) -> Result<(), String> {
        limits::apply(&self.confinement.limits)?;
        if let Some(identity) = &self.confinement.identity {
            identity.assume()?;
        }
        if let Some(filter) = &self.confinement.filter {
            filter.load().map_err(|error| format!("load the seccomp filter: {error}"))?;
        }
        match &self.confinement.capabilities {
            Some(capabilities) => capabilities::drop_privileges(capabilities, create_syscall().as_ref())
                .map_err(|error| format!("drop capabilities: {}", errors::chain(&error))),
            None => Ok(()),
        }
    }

    /// Returns only when it failed: exit code and message.
    fn execute(&self, spec: &Spec) -> (i32, String) {
        let program = match self.program(spec) {
            Ok(program) => program,
            Err(error @ (ProgramError::NotInPath { .. } | ProgramError::Missing { .. })) => {
                return (127, error.to_string());
            }
            Err(error) => return (126, error.to_string()),
        };
        let arguments = spec.process().as_ref().and_then(|process| process.args().as_deref());
        let arguments: Result<Vec<_>, _> =
            arguments.unwrap_or_default().iter().map(|argument| CString::new(argument.as_str())).collect();
        let (Ok(arguments), Ok(path)) = (arguments, CString::new(program.as_os_str().as_bytes())) else {
            return (126, format!("exec {}: an argument has a NUL byte", program.display()));
        };
        let environment = self.environment(spec);
        sys::signals::restore_defaults();
        let error = sys::exec::execve(&path, &arguments, &environment);
        let code = if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
        (code, format!("exec {}: {}", program.display(), words(&error)))
    }
}

impl Executor for ProgramExecutor {
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        let refused = ExecutorValidationError::ArgValidationError;
        // They would count towards the limit of open files.
        sys::fds::close_in_child(&self.inherited_fds);
        if let Some(devices) = &self.confinement.devices {
            let has_terminal = spec.process().as_ref().and_then(|process| process.terminal());
            devices.settle(has_terminal.unwrap_or(false)).map_err(refused)?;
        }
        self.confine().map_err(refused)?;
        self.program(spec).map_err(|error| refused(error.to_string()))?;
        Ok(())
    }

    fn setup_envs(&self, environment: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        *self.environment.borrow_mut() = environment;
        Ok(())
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let (code, mut message) = self.execute(spec);
        if self.kind == Kind::Exec {
            // libcontainer carries it to the shim in chunks of three bytes, and repeats old bytes in a shorter last one.
            while !message.len().is_multiple_of(3) {
                message.push(' ');
            }
            return Err(ExecutorError::Other(message));
        }
        // Nobody listens any more: the user finds it in the container's log, as with runc.
        let _ = writeln!(std::io::stderr(), "{message}");
        #[expect(
            clippy::disallowed_methods,
            reason = "in the container's process, which has nothing to destruct"
        )]
        std::process::exit(code)
    }
}

/// As the C library says it, without Rust's number behind it, and in lower case as in Go's messages.
pub(super) fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// Whether the host can execute what the kernel itself can't.
fn has_foreign_formats() -> bool {
    let Ok(formats) = std::fs::read_dir("/proc/sys/fs/binfmt_misc") else { return false };
    formats.flatten().any(|entry| entry.file_name() != "register" && entry.file_name() != "status")
}

#[cfg(test)]
mod tests {
    use super::*;
    use libcontainer::oci_spec::runtime::{ProcessBuilder, SpecBuilder};

    fn spec(environment: &[&str]) -> Spec {
        let environment: Vec<_> = environment.iter().map(ToString::to_string).collect();
        let process = ProcessBuilder::default().args(vec!["sh".to_owned()]).env(environment).build().unwrap();
        SpecBuilder::default().process(process).build().unwrap()
    }

    #[test]
    fn the_environment_keeps_its_order_and_the_last_value() {
        let executor = ProgramExecutor::new(Kind::Init, Confinement::default(), Vec::new());
        let map = [("B", "1"), ("A", "3"), ("HOME", "/root")];
        let map = map.map(|(name, value)| (name.to_owned(), value.to_owned()));
        executor.setup_envs(HashMap::from(map)).unwrap();
        let environment = executor.environment(&spec(&["B=1", "A=2", "A=3"]));
        let environment: Vec<_> = environment.iter().map(|entry| entry.to_str().unwrap()).collect();
        assert_eq!(environment, ["B=1", "A=3", "HOME=/root"]);
    }

    #[test]
    fn a_missing_program_is_refused_before_the_start() {
        let process = ProcessBuilder::default().args(vec!["nonesuch".to_owned()]).build().unwrap();
        let spec = SpecBuilder::default().process(process).build().unwrap();
        let error =
            ProgramExecutor::new(Kind::Init, Confinement::default(), Vec::new()).validate(&spec).unwrap_err();
        assert_eq!(error.to_string(), "exec: \"nonesuch\": executable file not found in $PATH");
    }
}
