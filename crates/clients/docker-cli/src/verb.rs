//! What a verb is to the dispatcher, and the macro by which each verb's file declares itself.

use crate::app::App;
use crate::failure::Outcome;
use clap::ArgMatches;
use futures_util::future::LocalBoxFuture;

/// A command of the docker CLI.
#[derive(Debug)]
pub(crate) struct Verb {
    /// What follows the verb's name in its usage line.
    pub(crate) usage: &'static str,
    /// One line for lists, and for its help unless there is a longer text.
    pub(crate) about: &'static str,
    /// The longer text.
    pub(crate) long: Option<&'static str>,
    /// How many words it takes besides flags.
    pub(crate) arity: Arity,
    /// Adds its flags to a command.
    pub(crate) flags: fn(clap::Command) -> clap::Command,
    /// Runs it.
    pub(crate) run: for<'a> fn(&'a App, ArgMatches, Vec<String>) -> LocalBoxFuture<'a, Outcome>,
}

/// How many words a verb takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arity {
    None,
    Exactly(usize),
    AtLeast(usize),
    AtMost(usize),
    Between(usize, usize),
    /// At least so many, and all words from the first one on are words, even when they begin with a dash.
    Command(usize),
}

/// Declares `VERB` from its arguments' type, its function, its arity, its usage and its description.
macro_rules! verb {
    ($args:ty, $run:path, $arity:expr, $usage:expr, $about:expr) => {
        $crate::verb::verb!($args, $run, $arity, $usage, $about, None);
    };
    ($args:ty, $run:path, $arity:expr, $usage:expr, $about:expr, $long:expr) => {
        pub(crate) static VERB: $crate::verb::Verb = $crate::verb::Verb {
            usage: $usage,
            about: $about,
            long: $long,
            arity: $arity,
            flags: <$args as clap::Args>::augment_args,
            run: |app, matches, words| {
                Box::pin(async move {
                    let args = <$args as clap::FromArgMatches>::from_arg_matches(&matches)?;
                    $run(app, &args, &words).await
                })
            },
        };
    };
}
pub(crate) use verb;

/// For verbs without flags.
#[derive(Debug, clap::Args)]
pub(crate) struct NoFlags {}
