//! Builds the clap command of a verb and runs it over the arguments.

use super::{mistakes, values};
use crate::failure::Failure;
use crate::verb::Arity;
use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::any::TypeId;

/// The id of the words that are no flags.
const WORDS: &str = "\0words";
const HELP: &str = "\0help";

/// What the arguments of a verb came to.
pub(crate) enum Parsed {
    /// `--help` was among them.
    Help,
    /// Flags, and the words beside them.
    Call(ArgMatches, Vec<String>),
}

/// The clap command with docker's habits, from a function that adds the flags.
pub(crate) fn command(name: &'static str, flags: fn(Command) -> Command, arity: Arity) -> Command {
    let words = Arg::new(WORDS).num_args(0..).trailing_var_arg(matches!(arity, Arity::Command(_))).hide(true);
    let bare = Command::new(name).no_binary_name(true).args_override_self(true).disable_version_flag(true);
    let tuned = flags(bare.disable_help_flag(true)).mut_args(tune);
    let taken = tuned.get_arguments().any(|arg| arg.get_short() == Some('h'));
    let help = Arg::new(HELP).long("help").action(ArgAction::SetTrue).help("Print usage");
    let help = if taken { help } else { help.short('h').hide(true) };
    tuned.arg(tune(help)).arg(words)
}

/// Makes clap's flag behave as pflag's.
fn tune(arg: Arg) -> Arg {
    let of = arg.get_value_parser().type_id();
    let is = |wanted: TypeId| of == wanted;
    let arg = match arg.get_action() {
        ArgAction::SetTrue => boolean(arg).default_value("false"),
        ArgAction::Set if is(TypeId::of::<bool>()) => boolean(arg),
        ArgAction::Set | ArgAction::Append => arg.num_args(1).allow_hyphen_values(true),
        _ => arg,
    };
    if is(TypeId::of::<i64>()) {
        arg.value_parser(ValueParser::new(values::integer))
    } else if is(TypeId::of::<u16>()) {
        arg.value_parser(ValueParser::new(values::small))
    } else if is(TypeId::of::<u64>()) {
        arg.value_parser(ValueParser::new(values::unsigned))
    } else {
        arg
    }
}

/// `--flag`, `--flag=true`, `--flag=0`.
fn boolean(arg: Arg) -> Arg {
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_parser(ValueParser::new(values::boolean))
}

/// Reads `args`; a mistake is a failure with docker's message and status 125.
///
/// `path` is how the user called the verb (`docker run`), `usage` the rest of its usage line.
pub(crate) fn parse(
    mut command: Command,
    args: &[String],
    path: &str,
    usage: &str,
) -> Result<Parsed, Failure> {
    let mut matches = command.try_get_matches_from_mut(args).map_err(|error| {
        let message = mistakes::describe(&error, &command, args);
        let usage = [path, usage].join(" ");
        let usage = usage.trim_end();
        Failure::new(format!("{message}\n\nUsage:  {usage}\n\nRun '{path} --help' for more information"))
            .with_status(125)
    })?;
    if matches.get_flag(HELP) {
        return Ok(Parsed::Help);
    }
    let words = matches.remove_many(WORDS).map(Iterator::collect).unwrap_or_default();
    Ok(Parsed::Call(matches, words))
}

/// Refuses a wrong number of words, as docker words it.
pub(crate) fn check_arity(
    program: &str,
    path: &str,
    usage: &str,
    arity: Arity,
    count: usize,
) -> Result<(), Failure> {
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    let (fits, wants, hint) = match arity {
        Arity::None => (count == 0, "accepts no arguments".to_owned(), "Run"),
        Arity::Exactly(n) => (count == n, format!("requires {n} {}", plural(n)), "Run"),
        Arity::AtLeast(n) | Arity::Command(n) => {
            (count >= n, format!("requires at least {n} {}", plural(n)), "See")
        }
        Arity::AtMost(n) => (count <= n, format!("requires at most {n} {}", plural(n)), "Run"),
        Arity::Between(n, m) => {
            ((n..=m).contains(&count), format!("requires at least {n} and at most {m} {}", plural(m)), "Run")
        }
    };
    if fits {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{program}: '{path}' {wants}\n\nUsage:  {path} {usage}\n\n{hint} '{path} --help' for more information"
    )))
}
