//! Finding a program the way Docker does, and saying why there is none.

use super::format::{Kind, Unexecutable, examine};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where a container without `PATH` looks.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Why a program can't be executed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum ProgramError {
    #[error("the process has no arguments, so there is no program to execute")]
    NoArguments,
    #[error("exec: \"{name}\": executable file not found in $PATH")]
    NotInPath { name: String },
    #[error("exec: \"{name}\": stat {name}: no such file or directory")]
    Missing { name: String },
    #[error("exec: \"{name}\": is a directory: permission denied")]
    Directory { name: String },
    #[error("exec: \"{name}\": permission denied")]
    Denied { name: String },
    #[error("exec: \"{name}\": {problem}: no such file or directory")]
    Interpreter { name: String, problem: String },
    #[error("exec: \"{name}\": built for {built_for}, this host is {host}: exec format error")]
    Architecture { name: String, built_for: String, host: &'static str },
}

/// The file that `name` stands for, checked for what can be known before executing it.
///
/// `foreign` says that the host has handlers for binaries of other machines (binfmt_misc).
pub(super) fn find(name: &str, path: Option<&str>, foreign: bool) -> Result<PathBuf, ProgramError> {
    let found = if name.contains('/') { direct(name)? } else { search(name, path.unwrap_or(DEFAULT_PATH))? };
    match examine(&found) {
        Some(Unexecutable::Architecture { .. }) if foreign => Ok(found),
        Some(reason) => Err(describe(&found.to_string_lossy(), reason)),
        None => Ok(found),
    }
}

fn direct(name: &str) -> Result<PathBuf, ProgramError> {
    let path = Path::new(name);
    let named = || name.to_owned();
    match executable(path) {
        Ok(()) => Ok(path.to_owned()),
        Err(Errno::ISDIR) => Err(ProgramError::Directory { name: named() }),
        Err(Errno::ACCESS | Errno::PERM) => Err(ProgramError::Denied { name: named() }),
        Err(_) => Err(ProgramError::Missing { name: named() }),
    }
}

fn search(name: &str, path: &str) -> Result<PathBuf, ProgramError> {
    let not_found = || ProgramError::NotInPath { name: name.to_owned() };
    if name.is_empty() {
        return Err(not_found());
    }
    // An empty entry means the working directory.
    path.split(':')
        .map(|directory| if directory.is_empty() { Path::new(".") } else { Path::new(directory) })
        .map(|directory| directory.join(name))
        .find(|candidate| executable(candidate).is_ok())
        .ok_or_else(not_found)
}

/// Whether the process, as the user it is now, may execute this.
fn executable(path: &Path) -> Result<(), Errno> {
    let metadata = path.metadata().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    if metadata.is_dir() {
        return Err(Errno::ISDIR);
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(Errno::ACCESS);
    }
    match accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS) {
        // An older kernel, or a filter, without faccessat2: the mode has to do.
        Err(Errno::NOSYS | Errno::PERM) => Ok(()),
        result => result,
    }
}

fn describe(name: &str, reason: Unexecutable) -> ProgramError {
    let name = name.to_owned();
    match reason {
        Unexecutable::Architecture { built_for } => {
            ProgramError::Architecture { name, built_for, host: host_architecture() }
        }
        Unexecutable::Interpreter { kind: Kind::Loader, path } => {
            let problem = format!("its dynamic loader \"{path}\" is missing");
            ProgramError::Interpreter { name, problem }
        }
        Unexecutable::Interpreter { kind: Kind::Script, path } => {
            let problem = match path.strip_suffix('\r') {
                Some(path) => format!(
                    "the script's lines end as on Windows (CRLF), so its interpreter would be \"{path}\\r\""
                ),
                None => format!("the script's interpreter \"{path}\" is missing"),
            };
            ProgramError::Interpreter { name, problem }
        }
    }
}

/// In Docker's names.
fn host_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, path: &str) -> String {
        find(name, Some(path), false).unwrap_err().to_string()
    }

    #[test]
    fn each_failure_has_dockers_words() {
        assert_eq!(message("foo", "/bin"), "exec: \"foo\": executable file not found in $PATH");
        assert_eq!(message("", "/bin"), "exec: \"\": executable file not found in $PATH");
        assert_eq!(message("/foo", ""), "exec: \"/foo\": stat /foo: no such file or directory");
        assert_eq!(message("/etc", ""), "exec: \"/etc\": is a directory: permission denied");
        assert_eq!(message("/etc/passwd", ""), "exec: \"/etc/passwd\": permission denied");
    }

    #[test]
    fn the_first_executable_in_path_is_taken() {
        assert_eq!(find("sh", Some("/nowhere:/etc:/bin"), false), Ok(PathBuf::from("/bin/sh")));
        assert!(find("sh", None, false).is_ok());
    }

    #[test]
    fn windows_line_ends_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run");
        std::fs::write(&path, "#!/bin/sh\r\n").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let message = message(&path.to_string_lossy(), "");
        assert!(message.contains("CRLF") && message.contains("/bin/sh\\r"), "{message}");
        assert!(message.ends_with("no such file or directory"), "{message}");
    }
}
