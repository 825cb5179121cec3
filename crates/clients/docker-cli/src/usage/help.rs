//! Help texts in docker's layout.

use crate::environment::Section;
use crate::table::{self, Group};
use crate::verb::Verb;
use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command};
use std::any::TypeId;
use std::fmt::Write as _;

/// The help of a verb, called by `path`.
pub(crate) fn verb_help(path: &str, verb: &Verb, aliases: &[String], command: &Command) -> String {
    let mut out = format!("Usage:  {path} {}", verb.usage).trim_end().to_owned();
    write!(out, "\n\n{}\n", verb.long.unwrap_or(verb.about)).expect("a String takes any text");
    if aliases.len() > 1 {
        write!(out, "\nAliases:\n  {}\n", aliases.join(", ")).expect("a String takes any text");
    }
    let flags = flag_usages(command, width());
    if !flags.is_empty() {
        write!(out, "\nOptions:\n{flags}").expect("a String takes any text");
    }
    out
}

/// The help of a group of verbs.
pub(crate) fn group_help(program: &str, group: &Group, own: &[(&'static str, &'static str)]) -> String {
    let lines: Vec<(&str, &str)> =
        group.verbs.iter().map(|entry| (entry.name, entry.verb.about)).chain(own.iter().copied()).collect();
    list_help(&format!("{program} {}", group.name), group.about, lines)
}

/// The help of whatever holds verbs; `path` are the words that call it.
pub(crate) fn list_help(path: &str, about: &str, mut lines: Vec<(&str, &str)>) -> String {
    lines.sort_by_key(|(name, _)| *name);
    format!(
        "Usage:  {path} COMMAND\n\n{about}\n\nCommands:\n{list}\n\
         Run '{path} COMMAND --help' for more information on a command.\n",
        list = list(&lines),
    )
}

/// The help of the whole program; `own` are the verbs of the containing program.
pub(crate) fn main_help(
    program: &str,
    own: &[(&'static str, &'static str, Section)],
    own_groups: impl Iterator<Item = (&'static str, &'static str)>,
    globals: &Command,
) -> String {
    let mut out =
        format!("Usage:  {program} [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n");
    let groups = table::GROUPS.iter().map(|group| (group.name, group.about)).chain(own_groups);
    let mut groups: Vec<_> = groups.collect();
    groups.sort_by_key(|(name, _)| *name);
    for (section, title) in [
        (Section::Common, "Common Commands"),
        (Section::Management, "Management Commands"),
        (Section::Engine, "Engine Commands"),
        (Section::Other, "Commands"),
    ] {
        let mut lines: Vec<(&str, &str)> = table::VERBS
            .iter()
            .filter(|entry| entry.section == section)
            .map(|entry| (entry.name, entry.verb.about))
            .chain(own.iter().filter(|verb| verb.2 == section).map(|verb| (verb.0, verb.1)))
            .collect();
        match section {
            Section::Management => lines.extend(&groups),
            Section::Other => lines.sort_by_key(|(name, _)| *name),
            _ => {}
        }
        if !lines.is_empty() {
            write!(out, "\n{title}:\n{}", list(&lines)).expect("a String takes any text");
        }
    }
    let flags = flag_usages(globals, width());
    write!(
        out,
        "\nGlobal Options:\n{flags}\nRun '{program} COMMAND --help' for more information on a command.\n"
    )
    .expect("a String takes any text");
    out
}

fn list(lines: &[(&str, &str)]) -> String {
    let longest = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(11);
    lines.iter().fold(String::new(), |mut out, (name, about)| {
        writeln!(out, "  {name:longest$} {about}").expect("a String takes any text");
        out
    })
}

/// The columns that help may fill: the terminal's, or 80.
fn width() -> usize {
    rustix::termios::tcgetwinsize(rustix::stdio::stdin())
        .ok()
        .map_or(80, |size| usize::from(size.ws_col))
        .saturating_sub(1)
}

/// The block of flags, sorted by name, aligned and wrapped to `columns` (0: not at all).
fn flag_usages(command: &Command, columns: usize) -> String {
    let mut flags: Vec<&Arg> =
        command.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_long().is_some()).collect();
    flags.sort_by_key(|arg| arg.get_long());
    let heads: Vec<String> = flags.iter().map(|arg| head(arg)).collect();
    let longest = heads.iter().map(String::len).max().unwrap_or(0);
    flags.iter().zip(heads).fold(String::new(), |mut out, (arg, head)| {
        let text = wrap(longest + 3, columns, &(help_text(arg) + &default_note(arg)));
        writeln!(out, "{head:longest$}   {text}").expect("a String takes any text");
        out
    })
}

fn head(arg: &Arg) -> String {
    let long = arg.get_long().unwrap_or_default();
    let mut head = match arg.get_short() {
        Some(short) => format!("  -{short}, --{long}"),
        None => format!("      --{long}"),
    };
    let kind = type_name(arg);
    if !kind.is_empty() {
        head.push(' ');
        head.push_str(&kind);
    }
    head
}

/// pflag's name of the value's type: the declared one, or what the Rust type says.
fn type_name(arg: &Arg) -> String {
    let of = |wanted: TypeId| -> bool { ValueParser::type_id(arg.get_value_parser()) == wanted };
    if of(TypeId::of::<bool>()) || matches!(arg.get_action(), ArgAction::SetTrue) {
        return String::new();
    }
    let declared = arg.get_value_names().and_then(|names| names.first()).map(|name| name.as_str());
    match declared {
        // clap names a value after its field, in capitals, when nothing was declared.
        Some(name) if !name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') => {
            name.to_owned()
        }
        _ if matches!(arg.get_action(), ArgAction::Append) => "list".to_owned(),
        _ if of(TypeId::of::<i64>()) => "int".to_owned(),
        _ if of(TypeId::of::<u16>()) => "uint16".to_owned(),
        _ if of(TypeId::of::<u64>()) => "uint".to_owned(),
        _ => "string".to_owned(),
    }
}

fn help_text(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}

/// ` (default X)`, when there is a default worth a word.
fn default_note(arg: &Arg) -> String {
    match arg.get_default_values().first().and_then(|value| value.to_str()) {
        None | Some("" | "false" | "0") => String::new(),
        Some(value) if type_name(arg) == "string" => format!(" (default {value:?})"),
        Some(value) => format!(" (default {value})"),
    }
}

/// Wraps `text` as pflag does: to `columns`, behind an indent that the caller has written for the first line,
/// letting the last line run a little over rather than leave one word alone.
fn wrap(indent: usize, columns: usize, text: &str) -> String {
    const SLOP: usize = 5;
    const LEAST: usize = 24;
    let newline = |indent: usize| format!("\n{}", " ".repeat(indent));
    if columns == 0 {
        return text.replace('\n', &newline(indent));
    }
    let (indent, mut out) =
        if columns.saturating_sub(indent) < LEAST { (16, newline(16)) } else { (indent, String::new()) };
    let room = columns.saturating_sub(indent);
    if room < LEAST {
        return text.replace('\n', &out);
    }
    let room = room - SLOP;
    let (line, mut rest) = split_line(room, SLOP, text);
    out.push_str(&line.replace('\n', &newline(indent)));
    while !rest.is_empty() {
        let (line, after) = split_line(room, SLOP, rest);
        out.push_str(&newline(indent));
        out.push_str(&line.replace('\n', &newline(indent)));
        rest = after;
    }
    out
}

fn split_line(room: usize, slop: usize, text: &str) -> (&str, &str) {
    if room + slop > text.len() {
        return (text, "");
    }
    let mut room = room;
    while !text.is_char_boundary(room) {
        room -= 1;
    }
    let head = &text[..room];
    match head.rfind([' ', '\t', '\n']) {
        None | Some(0) => (text, ""),
        Some(blank) => match head.rfind('\n') {
            Some(newline) if newline > 0 && newline < blank => (&text[..newline], &text[newline + 1..]),
            _ => (&text[..blank], &text[blank + 1..]),
        },
    }
}
