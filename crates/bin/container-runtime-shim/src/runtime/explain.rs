//! Turning a runtime's words into an error that names the cause.

use crate::error::Error;
use errors::Class;

/// What the chain of libcontainer's errors begins with, and tells nobody anything.
const PREAMBLES: [&str; 5] = [
    "failed to create container: ",
    "exec process failed with error ",
    "error in executing process : ",
    "intermediate process error ",
    "failed to run container process ",
];

/// What Docker's clients look for to tell apart that a program can't be executed.
const PROGRAM_PROBLEMS: [&str; 5] = [
    "executable file not found in $PATH",
    "no such file or directory",
    "permission denied",
    "is a directory",
    "exec format error",
];

/// An error of libcontainer's: its text, and what its log said, the first cause first.
pub(super) fn libcontainer(text: &str, log: &[String]) -> Error {
    let mut text = text.trim();
    while let Some(rest) = PREAMBLES.iter().find_map(|preamble| text.strip_prefix(preamble)) {
        text = rest;
    }
    if let Some(problem) = program_problem(text) {
        return problem;
    }
    let message = match log.first() {
        Some(cause) if !text.contains(cause.as_str()) => format!("{text}: {cause}"),
        _ => text.to_owned(),
    };
    directory_problem(&message).unwrap_or(Error::Runtime { class: Class::Internal, message })
}

/// The last complaint in the log of a program with the OCI command line, or what else is known.
pub(super) fn command(verb: &str, log: &str, otherwise: String) -> Error {
    let text = log.lines().rev().find_map(message).unwrap_or(otherwise);
    program_problem(&text).unwrap_or_else(|| Error::Runtime {
        class: Class::Internal,
        message: if text.contains(verb) { text } else { format!("{verb}: {text}") },
    })
}

/// The message of a line in JSON.
fn message(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let text = line.get("msg")?.as_str()?;
    Some(text.trim().to_owned())
}

/// Whether it is about the program: in Docker's words then, and the request's fault.
fn program_problem(text: &str) -> Option<Error> {
    let start = text.find("exec: \"").or_else(|| text.find("exec /"));
    let message = match start {
        Some(start) => text[start..].trim_end().to_owned(),
        None => crun_missing(text)?,
    };
    let known = PROGRAM_PROBLEMS.iter().any(|problem| message.contains(problem));
    (known || start.is_some()).then_some(Error::Runtime { class: Class::Invalid, message })
}

/// Whether it is about the working directory: in runc's words then, and the request's fault.
fn directory_problem(text: &str) -> Option<Error> {
    let (_, cause) = text.split_once("failed to chdir (e: ")?;
    let cause = match cause.split_once(')')?.0 {
        "ENOENT" => "no such file or directory",
        "ENOTDIR" => "not a directory",
        "EACCES" => "permission denied",
        other => other,
    };
    let message = format!("chdir to cwd set in config.json failed: {cause}");
    Some(Error::Runtime { class: Class::Invalid, message })
}

/// The same failure with the directory that the exec's process names, as runc says it.
pub(super) fn naming_directory(error: Error, process: &[u8]) -> Error {
    let process: serde_json::Value = serde_json::from_slice(process).unwrap_or_default();
    match (error, process["cwd"].as_str()) {
        (Error::Runtime { class, message }, Some(directory)) => {
            let named = format!("chdir to cwd ({directory:?})");
            Error::Runtime { class, message: message.replace("chdir to cwd", &named) }
        }
        (error, _) => error,
    }
}

/// crun's ``executable file `NAME` not found in $PATH``.
fn crun_missing(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("executable file `")?;
    let (name, rest) = rest.split_once('`')?;
    let problem =
        if rest.contains("not found") { "executable file not found in $PATH" } else { "permission denied" };
    Some(format!("exec: \"{name}\": {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use errors::Classified;

    #[test]
    fn a_program_problem_stands_alone() {
        let text = "failed to create container: exec process failed with error error in executing process : \
                    exec: \"foo\": executable file not found in $PATH";
        let error = libcontainer(text, &["executor".to_owned()]);
        assert_eq!(error.to_string(), "exec: \"foo\": executable file not found in $PATH");
        assert_eq!(error.class(), Class::Invalid);
    }

    #[test]
    fn an_execs_missing_directory_is_named() {
        let error = libcontainer("failed to unix syscall", &["failed to chdir (e: ENOENT)".to_owned()]);
        let error = naming_directory(error, br#"{"cwd": "/no/dir"}"#);
        let expected = "chdir to cwd (\"/no/dir\") set in config.json failed: no such file or directory";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_working_directory_that_is_missing_is_named_as_such() {
        let error = libcontainer("failed to unix syscall", &["failed to chdir (e: ENOENT)".to_owned()]);
        assert_eq!(error.to_string(), "chdir to cwd set in config.json failed: no such file or directory");
        assert_eq!(error.class(), Class::Invalid);
    }

    #[test]
    fn another_failure_gets_its_first_cause() {
        let log = ["mount /x: ENOENT".to_owned(), "failed to prepare rootfs".to_owned()];
        let error = libcontainer("failed to create container: failed to prepare rootfs", &log);
        assert_eq!(error.to_string(), "failed to prepare rootfs: mount /x: ENOENT");
    }

    #[test]
    fn command_line_runtimes_speak_through_their_logs() {
        let runc = r#"{"level":"error","msg":"runc create failed: unable to start container process: exec: \"foo\": executable file not found in $PATH","time":"x"}"#;
        let error = command("create", runc, String::new());
        assert_eq!(error.to_string(), "exec: \"foo\": executable file not found in $PATH");
        let crun = r#"{"msg":"executable file `foo` not found in $PATH: No such file or directory"}"#;
        let error = command("create", crun, String::new());
        assert_eq!(error.to_string(), "exec: \"foo\": executable file not found in $PATH");
        assert_eq!(command("create", "", "exit status 1".into()).to_string(), "create: exit status 1");
    }
}
