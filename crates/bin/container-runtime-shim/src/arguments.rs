//! The command line, as containerd writes it: flags with one dash, then the command.

use std::path::PathBuf;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Start a serving shim and print its address.
    Start,
    /// Clean up after a shim that is gone.
    Delete,
    /// Serve on descriptor 3.
    Serve,
    /// Compress a log's rotated files.
    Compress,
    /// Be containerd's `binary://` logger.
    Log,
    /// Make namespaces and hold them.
    Namespaces,
    /// Do nothing until standard input ends.
    Hold,
}

/// The flags before it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) namespace: String,
    pub(crate) id: String,
    pub(crate) address: String,
    pub(crate) bundle: Option<PathBuf>,
    /// The process without which it is not needed, until somebody has connected.
    pub(crate) parent: Option<i32>,
    /// The word after the command, which `compress`, `log` and `namespaces` have.
    pub(crate) operand: Option<PathBuf>,
}

/// What is wrong with a command line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Problem {
    #[error("unknown flag {0}")]
    Flag(String),
    #[error("flag {0} lacks its value")]
    Value(String),
    #[error("unknown command {0:?}: one of start, delete, serve, compress, log, namespaces, hold")]
    Command(String),
    #[error("no command: one of start, delete, serve, compress, log, namespaces, hold")]
    Nothing,
}

/// Parses everything after the program's name.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(Command, Flags), Problem> {
    let mut flags = Flags::default();
    let mut command = None;
    while let Some(argument) = arguments.next() {
        let Some(flag) = argument.strip_prefix('-') else {
            match command {
                None => command = Some(argument),
                Some(_) => flags.operand = Some(argument.into()),
            }
            continue;
        };
        let (name, inline) = match flag.trim_start_matches('-').split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (flag.trim_start_matches('-').to_owned(), None),
        };
        if matches!(name.as_str(), "debug" | "idle" | "info") {
            continue;
        }
        let value = inline.or_else(|| arguments.next()).ok_or_else(|| Problem::Value(argument.clone()))?;
        match name.as_str() {
            "namespace" => flags.namespace = value,
            "id" => flags.id = value,
            "address" => flags.address = value,
            "bundle" => flags.bundle = Some(value.into()),
            // Told, since a parent that has died already has left this process to another one.
            "parent" => flags.parent = Some(value.parse().map_err(|_| Problem::Value(argument.clone()))?),
            "publish-binary" | "socket" => {}
            _ => return Err(Problem::Flag(argument)),
        }
    }
    let command = match command.as_deref() {
        Some("start") => Command::Start,
        Some("delete") => Command::Delete,
        Some("serve") => Command::Serve,
        Some("compress") => Command::Compress,
        Some("log") => Command::Log,
        Some("namespaces") => Command::Namespaces,
        Some("hold") => Command::Hold,
        Some(other) => return Err(Problem::Command(other.to_owned())),
        None => return Err(Problem::Nothing),
    };
    Ok((command, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(line: &str) -> Result<(Command, Flags), Problem> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn containerds_command_lines_are_understood() {
        let line =
            "-namespace k8s.io -address /run/c.sock -publish-binary /usr/bin/containerd -id web -debug start";
        let (command, flags) = parse_words(line).unwrap();
        assert_eq!((command, flags.id.as_str(), flags.namespace.as_str()), (Command::Start, "web", "k8s.io"));
        let (command, flags) = parse_words("--namespace=x --id=y --bundle=/b delete").unwrap();
        assert_eq!((command, flags.bundle), (Command::Delete, Some("/b".into())));
        assert_eq!(parse_words("serve --idle").unwrap().0, Command::Serve);
        let (command, flags) = parse_words("log /run/b").unwrap();
        assert_eq!((command, flags.operand), (Command::Log, Some("/run/b".into())));
        let (command, flags) = parse_words("namespaces user").unwrap();
        assert_eq!((command, flags.operand), (Command::Namespaces, Some("user".into())));
    }

    #[test]
    fn nonsense_is_named() {
        assert_eq!(parse_words("fly"), Err(Problem::Command("fly".to_owned())));
        assert_eq!(parse_words("-wings 2 start"), Err(Problem::Flag("-wings".to_owned())));
        assert_eq!(parse_words("serve -parent me"), Err(Problem::Value("-parent".to_owned())));
        assert_eq!(parse_words("start -id"), Err(Problem::Value("-id".to_owned())));
        assert_eq!(parse_words(""), Err(Problem::Nothing));
    }
}
