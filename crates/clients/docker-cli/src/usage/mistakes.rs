//! clap's errors in pflag's words.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};
use std::error::Error as _;

/// The first line of docker's message.
pub(super) fn describe(error: &Error, command: &Command, args: &[String]) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    let flag = context(ContextKind::InvalidArg).unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(flag, command, args),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue if !value.is_empty() => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            format!("invalid argument {value:?} for {:?} flag: {why}", names(flag, command))
        }
        ErrorKind::TooManyValues => format!("unknown flag: {flag}"),
        _ => missing(flag, command, args),
    }
}

/// The declaration behind clap's rendering `--memory <bytes>`.
fn find<'c>(flag: &str, command: &'c Command) -> Option<&'c Arg> {
    let long = flag.split([' ', '=', '[']).next()?.trim_start_matches('-');
    command.get_arguments().find(|arg| arg.get_long() == Some(long))
}

/// `-m, --memory`, as pflag names a flag.
fn names(flag: &str, command: &Command) -> String {
    match find(flag, command) {
        Some(arg) => {
            let long = arg.get_long().unwrap_or_default();
            arg.get_short().map_or_else(|| format!("--{long}"), |short| format!("-{short}, --{long}"))
        }
        None => flag.to_owned(),
    }
}

fn unknown(flag: &str, command: &Command, args: &[String]) -> String {
    let Some(letter) = flag.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else {
        return format!("unknown flag: {}", flag.split('=').next().unwrap_or(flag));
    };
    let letter = letter.chars().next().unwrap_or_default();
    format!("unknown shorthand flag: {letter:?} in {}", cluster(letter, command, args))
}

/// A flag at the end of the line whose value is missing.
fn missing(flag: &str, command: &Command, args: &[String]) -> String {
    let short = find(flag, command).and_then(Arg::get_short);
    match (args.last(), short) {
        (Some(last), Some(short)) if last.starts_with('-') && !last.starts_with("--") => {
            format!("flag needs an argument: {short:?} in {last}")
        }
        _ => {
            format!("flag needs an argument: --{}", flag.split(' ').next().unwrap_or(flag).trim_matches('-'))
        }
    }
}

/// The argument in which the unknown letter stands, from that letter on: `-xyz`.
fn cluster(letter: char, command: &Command, args: &[String]) -> String {
    let known = |c: char| command.get_arguments().any(|arg| arg.get_short() == Some(c));
    for arg in args.iter().filter(|arg| arg.starts_with('-') && !arg.starts_with("--")) {
        let before: String = arg[1..].chars().take_while(|c| *c != letter).collect();
        if arg[1..].contains(letter) && before.chars().all(known) {
            return format!("-{}", &arg[1 + before.len()..]);
        }
    }
    format!("-{letter}")
}
