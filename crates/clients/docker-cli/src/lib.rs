//! The command line: the verbs, flags, tables, messages and exit codes of the docker CLI.
//!
//! One file per verb, in a directory per noun: `docker ps` lives in `container/ps.rs`. [`table`] lists them all.
//! Around them: [`dispatch`] finds the verb, `usage` reads flags as docker does and writes its help, `flags` holds
//! the syntaxes of single flags, `output` and `template` shape what is printed, `terminal` owns raw mode and
//! attached streams.
//!
//! The program that contains this adds verbs of its own and a way to start the daemon through [`Environment`].

mod app;
mod completion;
mod config;
mod container;
mod context;
mod dispatch;
mod environment;
mod failure;
mod flags;
mod globals;
mod image;
mod manifest;
mod network;
mod output;
mod own_groups;
mod progress;
mod system;
mod table;
mod template;
mod terminal;
mod usage;
mod verb;
mod volume;

pub use environment::{Autostart, Environment, Invocation, OwnGroup, OwnVerb, Section, Words};

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs one command line, `args[0]` being the program's own name, and says how the process should end.
///
/// Invoked under the name `docker` it speaks of itself as docker; nothing else changes.
pub fn run(args: impl IntoIterator<Item = OsString>, environment: Environment) -> ExitCode {
    dispatch::run(args.into_iter().collect(), environment)
}
