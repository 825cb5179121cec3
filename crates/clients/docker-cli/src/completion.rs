//! Shell completion scripts, from the same tables that dispatch uses.

use crate::environment::{Environment, OwnVerb, Section};
use crate::failure::{Failure, Outcome};
use crate::globals::Globals;
use crate::table::{self, Entry};
use crate::usage;
use crate::verb::Arity;
use clap::builder::PossibleValuesParser;
use clap::{Arg, Args as _, Command};
use clap_complete::{Shell, generate};

/// The script for the shell named by `words`.
pub(crate) fn script(program: &'static str, words: &[String], own: &Environment) -> Outcome<String> {
    let shell = match words {
        [shell] => shell.parse::<Shell>().ok(),
        _ => None,
    };
    let Some(shell) = shell else {
        return Err(Failure::new(format!("Usage:  {program} completion bash|elvish|fish|powershell|zsh")));
    };
    let mut script = Vec::new();
    generate(shell, &mut whole_tree(program, own), program, &mut script);
    Ok(String::from_utf8_lossy(&script).into_owned())
}

fn whole_tree(name: &'static str, own: &Environment) -> Command {
    let mut root = usage::command(name, Globals::augment_args, Arity::None)
        .no_binary_name(false)
        .subcommands(table::VERBS.iter().map(leaf));
    for group in table::GROUPS {
        let mut command =
            Command::new(group.name).about(group.about).subcommands(group.verbs.iter().map(leaf));
        for verb in own.verbs.iter().filter(|verb| verb.path.len() == 2 && verb.path[0] == group.name) {
            command = command.subcommand(own_leaf(verb, own));
        }
        root = root.subcommand(command);
    }
    let groups = own.groups.iter().filter(|group| group.path.len() == 1);
    root = root.subcommands(groups.map(|group| own_group(group.path, group.about, own)));
    let single = own.verbs.iter().filter(|verb| verb.path.len() == 1 && verb.section != Section::Hidden);
    root.subcommands(single.map(|verb| own_leaf(verb, own)))
}

/// A noun of the containing program, with what is in it.
fn own_group(path: &'static [&'static str], about: &'static str, own: &Environment) -> Command {
    let inside = |other: &[&str]| other.len() == path.len() + 1 && other.starts_with(path);
    let verbs = own.verbs.iter().filter(|verb| inside(verb.path)).map(|verb| own_leaf(verb, own));
    let groups = own.groups.iter().filter(|group| inside(group.path));
    let command = Command::new(path[path.len() - 1]).about(about).subcommands(verbs);
    command.subcommands(groups.map(|group| own_group(group.path, group.about, own)))
}

fn own_leaf(verb: &OwnVerb, own: &Environment) -> Command {
    let command = Command::new(verb.path[verb.path.len() - 1]).about(verb.about);
    match (own.words)(verb.path) {
        words if words.is_empty() => command,
        words => command.arg(Arg::new("words").num_args(0..).value_parser(PossibleValuesParser::new(words))),
    }
}

fn leaf(entry: &Entry) -> Command {
    usage::command(entry.name, entry.verb.flags, entry.verb.arity)
        .no_binary_name(false)
        .about(entry.verb.about)
        .aliases(entry.aliases.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::OwnGroup;
    use std::process::ExitCode;

    #[test]
    fn what_may_follow_a_verb_of_ones_own_is_offered() {
        let verb = |path| OwnVerb { path, about: "do", section: Section::Engine, run: |_| ExitCode::SUCCESS };
        let environment = Environment {
            program: "x",
            version: "1",
            commit: "",
            default_host: String::new(),
            verbs: vec![verb(&["config", "set"]), verb(&["network", "check"]), verb(&["serve"])],
            groups: vec![OwnGroup { path: &["config"], about: "Settings" }],
            words: |path| if path == ["config", "set"] { vec!["a.b"] } else { Vec::new() },
            autostart: None,
        };
        for shell in ["bash", "zsh"] {
            let script = script("x", &[shell.to_owned()], &environment).unwrap();
            assert!(script.contains("a.b") && script.contains("check"), "{shell}");
        }
    }
}
