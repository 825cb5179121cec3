//! Shell completion scripts, from the same tables that dispatch uses.

use crate::environment::OwnVerb;
use crate::failure::{Failure, Outcome};
use crate::globals::Globals;
use crate::table::{self, Entry};
use crate::usage;
use crate::verb::Arity;
use clap::{Args as _, Command};
use clap_complete::{Shell, generate};

/// The script for the shell named by `words`.
pub(crate) fn script(program: &'static str, words: &[String], own: &[OwnVerb]) -> Outcome<String> {
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

fn whole_tree(name: &'static str, own: &[OwnVerb]) -> Command {
    let mut root = usage::command(name, Globals::augment_args, Arity::None)
        .no_binary_name(false)
        .subcommands(table::VERBS.iter().map(leaf));
    for group in table::GROUPS {
        let mut command =
            Command::new(group.name).about(group.about).subcommands(group.verbs.iter().map(leaf));
        for verb in own {
            if let [first, second] = verb.path
                && *first == group.name
            {
                command = command.subcommand(Command::new(*second).about(verb.about));
            }
        }
        root = root.subcommand(command);
    }
    let single = own.iter().filter(|verb| verb.path.len() == 1);
    root.subcommands(single.map(|verb| Command::new(verb.path[0]).about(verb.about)))
}

fn leaf(entry: &Entry) -> Command {
    usage::command(entry.name, entry.verb.flags, entry.verb.arity)
        .no_binary_name(false)
        .about(entry.verb.about)
        .aliases(entry.aliases.iter().copied())
}
