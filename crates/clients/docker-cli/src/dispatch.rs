//! From the command line to the verb.

use crate::app::App;
use crate::environment::{Environment, Invocation, OwnVerb, Section};
use crate::failure::{Failure, Outcome};
use crate::globals::Globals;
use crate::table::{self, Entry, Group};
use crate::usage::{self, Parsed};
use crate::verb::{Arity, Verb};
use crate::{completion, output, own_groups};
use clap::{Args as _, FromArgMatches as _};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// Runs one command line.
pub(crate) fn run(args: Vec<OsString>, environment: Environment) -> ExitCode {
    let program = program_name(args.first(), environment.program);
    let outcome = match words(args) {
        Ok(args) => find_and_run(&program, &args, environment),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            if !failure.message.is_empty() {
                output::stderr(&format!("{}\n", failure.message));
            }
            failure.exit_code()
        }
    }
}

/// `docker` when called so, else the program's own name.
fn program_name(first: Option<&OsString>, own: &str) -> String {
    let base = first.and_then(|path| Path::new(path).file_name()).and_then(|name| name.to_str());
    if base == Some("docker") { "docker".to_owned() } else { own.to_owned() }
}

fn words(args: Vec<OsString>) -> Outcome<Vec<String>> {
    args.into_iter()
        .skip(1)
        .map(|arg| arg.into_string().map_err(|arg| Failure::new(format!("argument {arg:?} is not UTF-8"))))
        .collect()
}

fn find_and_run(program: &str, args: &[String], environment: Environment) -> Outcome<ExitCode> {
    let parser = globals_command();
    let (globals, rest) = match usage::parse(parser, args, program, "[OPTIONS] COMMAND [ARG...]")? {
        Parsed::Help => return print(&help(program, &environment, &[])?),
        Parsed::Call(matches, rest) => (Globals::from_arg_matches(&matches)?, rest),
    };
    if globals.version {
        return print(&format!("{}\n", version_line(program, &environment)));
    }
    match rest.split_first() {
        None => hint(&help(program, &environment, &[])?),
        Some((word, rest)) if word == "help" => print(&help(program, &environment, rest)?),
        Some((word, rest)) if word == "completion" => {
            let name = if program == "docker" { "docker" } else { environment.program };
            print(&completion::script(name, rest, &environment)?)
        }
        _ => call(program, globals, &rest, environment),
    }
}

fn globals_command() -> clap::Command {
    usage::command("", Globals::augment_args, Arity::Command(0))
}

fn version_line(program: &str, environment: &Environment) -> String {
    let name = if program == "docker" { "Docker" } else { program };
    let build = match environment.commit {
        "" => String::new(),
        commit => format!(", build {}", &commit[..commit.len().min(7)]),
    };
    format!("{name} version {}{build}", environment.version)
}

/// What the words before the arguments name.
enum Found<'t> {
    Own(OwnVerb, usize),
    Verb(&'t Entry, String, usize),
    Group(&'t Group),
    Nothing,
}

fn find(args: &[String], own: &[OwnVerb]) -> Found<'static> {
    let named = |verb: &&OwnVerb| {
        verb.path.len() <= args.len() && verb.path.iter().zip(args).all(|(word, arg)| word == arg)
    };
    if let Some(verb) = own.iter().find(named) {
        return Found::Own(verb.clone(), verb.path.len());
    }
    let Some(first) = args.first() else { return Found::Nothing };
    if let Some(entry) = table::VERBS.iter().find(|entry| entry.is_called(first)) {
        return Found::Verb(entry, entry.name.to_owned(), 1);
    }
    let Some(group) = table::GROUPS.iter().find(|group| group.name == first) else {
        return Found::Nothing;
    };
    match args.get(1).and_then(|second| group.verbs.iter().find(|entry| entry.is_called(second))) {
        Some(entry) => Found::Verb(entry, format!("{} {}", group.name, entry.name), 2),
        None => Found::Group(group),
    }
}

fn call(program: &str, globals: Globals, args: &[String], environment: Environment) -> Outcome<ExitCode> {
    match find(args, &environment.verbs) {
        Found::Own(verb, used) => {
            let app = App::new(program.to_owned(), String::new(), globals, environment);
            let host = app.endpoint().map(|endpoint| endpoint.to_string()).map_err(|failure| failure.message);
            Ok((verb.run)(&Invocation {
                program: program.to_owned(),
                args: args[used..].to_vec(),
                host,
                debug: app.globals.debug,
            }))
        }
        Found::Verb(entry, path, used) => {
            let path = format!("{program} {path}");
            let app = App::new(program.to_owned(), path, globals, environment);
            run_verb(entry.verb, &app, &args[used..])
        }
        Found::Group(group) => in_group(program, &[group.name], args, &environment),
        Found::Nothing => match own_groups::find(args, &environment) {
            Some(group) => in_group(program, group.path, args, &environment),
            None => Err(unknown(program, &args[0])),
        },
    }
}

/// A noun without a verb: its help, or what is wrong with the word in a verb's place.
fn in_group(program: &str, words: &[&str], args: &[String], environment: &Environment) -> Outcome<ExitCode> {
    match args.get(words.len()) {
        Some(word) if !matches!(word.as_str(), "--help" | "-h") => {
            let path = format!("{program} {}", words.join(" "));
            let (what, status) = match word.strip_prefix("--") {
                Some(_) => (format!("unknown flag: {word}"), 125),
                None => (format!("{program}: unknown command: {path} {word}"), 1),
            };
            let usage = if status == 125 { format!("{path} COMMAND") } else { path.clone() };
            let text = format!("{what}\n\nUsage:  {usage}\n\nRun '{path} --help' for more information");
            Err(Failure::new(text).with_status(status))
        }
        Some(_) => print(&help(program, environment, &args[..words.len()])?),
        None => hint(&help(program, environment, &args[..words.len()])?),
    }
}

/// A word that is no verb; for docker's verbs that this program does not have, the reason.
fn unknown(program: &str, word: &str) -> Failure {
    match table::missing(word) {
        Some(reason) => Failure::new(format!("{program}: {word}: {reason}")),
        None => Failure::new(format!(
            "{program}: unknown command: {program} {word}\n\nRun '{program} --help' for more information"
        )),
    }
}

fn run_verb(verb: &'static Verb, app: &App, args: &[String]) -> Outcome<ExitCode> {
    let command = usage::command("", verb.flags, verb.arity);
    let (matches, words) = match usage::parse(command, args, &app.path, verb.usage)? {
        Parsed::Help => return print(&help_of(&app.program, &app.path, verb)),
        Parsed::Call(matches, words) => (matches, words),
    };
    usage::check_arity(&app.program, &app.path, verb.usage, verb.arity, words.len())?;
    // One thread: a command waits for one daemon, and threads cost more than most commands take.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on((verb.run)(app, matches, words));
    // A blocking read of a terminal may never return: leave it behind.
    runtime.shutdown_background();
    outcome.map(|()| ExitCode::SUCCESS)
}

fn help_of(program: &str, path: &str, verb: &'static Verb) -> String {
    let command = usage::command("", verb.flags, verb.arity);
    usage::verb_help(path, verb, &table::aliases(program, verb), &command)
}

fn help(program: &str, environment: &Environment, topic: &[String]) -> Outcome<String> {
    if topic.is_empty() {
        let own: Vec<_> = environment
            .verbs
            .iter()
            .filter(|verb| verb.path.len() == 1 && verb.section != Section::Hidden)
            .map(|verb| (verb.path[0], verb.about, verb.section))
            .collect();
        return Ok(usage::main_help(program, &own, own_groups::top(environment), &globals_command()));
    }
    match find(topic, &environment.verbs) {
        Found::Verb(entry, path, used) if used == topic.len() => {
            Ok(help_of(program, &format!("{program} {path}"), entry.verb))
        }
        Found::Group(group) if topic.len() == 1 => {
            let own: Vec<_> = environment
                .verbs
                .iter()
                .filter(|verb| matches!(verb.path, [first, _] if *first == group.name))
                .filter(|verb| verb.section != Section::Hidden)
                .map(|verb| (verb.path[1], verb.about))
                .collect();
            Ok(usage::group_help(program, group, &own))
        }
        Found::Nothing
            if let Some(group) =
                own_groups::find(topic, environment).filter(|group| group.path.len() == topic.len()) =>
        {
            Ok(own_groups::help(program, group, environment))
        }
        _ => Err(Failure::new(format!("unknown help topic: {}", topic.join(" ")))),
    }
}

/// Help that nobody asked for goes beside what a script may read.
fn hint(text: &str) -> Outcome<ExitCode> {
    output::stderr(text);
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) -> Outcome<ExitCode> {
    output::stdout(text)?;
    Ok(ExitCode::SUCCESS)
}
