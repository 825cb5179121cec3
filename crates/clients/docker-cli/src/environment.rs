//! The seam to the program that contains this command line.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// What the containing program brings along.
#[derive(Debug)]
pub struct Environment {
    /// The program's name when not invoked as `docker`, such as `container-runtime`.
    pub program: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// The commit it was built from; may be empty.
    pub commit: &'static str,
    /// Where its daemon listens when nothing else is said: `unix:///run/container-runtime/engine.sock`.
    pub default_host: String,
    /// Verbs that only this program has.
    pub verbs: Vec<OwnVerb>,
    /// What verbs of several words begin with, where that is no noun of docker's.
    pub groups: Vec<OwnGroup>,
    /// The words that may follow one of its verbs, for completion.
    pub words: Words,
    /// Starts a daemon that listens on that unix socket and returns when it answers; `None` never starts one.
    ///
    /// It is called at most once, when nothing listens at the endpoint, and only for [`Self::default_host`].
    pub autostart: Option<Autostart>,
}

/// What may follow a verb, by the words that call it; none: anything.
pub type Words = fn(&[&str]) -> Vec<&'static str>;

/// Starts a daemon on a unix socket.
pub type Autostart = fn(&Path) -> Result<(), String>;

/// A verb of the containing program. It parses its own arguments.
#[derive(Clone)]
pub struct OwnVerb {
    /// The words that call it: `["daemon"]` or `["system", "shutdown"]`.
    pub path: &'static [&'static str],
    /// One line for the list of commands.
    pub about: &'static str,
    /// Under which heading it is listed.
    pub section: Section,
    /// Runs it; no async runtime exists yet.
    pub run: fn(&Invocation) -> ExitCode,
}

/// A noun of the containing program, or one below it.
#[derive(Debug, Clone, Copy)]
pub struct OwnGroup {
    /// The words that name it: `["registry"]` or `["registry", "user"]`.
    pub path: &'static [&'static str],
    /// One line for its help and the list of commands.
    pub about: &'static str,
}

impl fmt::Debug for OwnVerb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnVerb({})", self.path.join(" "))
    }
}

/// The headings of the main help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What everybody uses.
    Common,
    /// Groups of verbs, by noun.
    Management,
    /// The verbs of the engine itself.
    Engine,
    /// All others.
    Other,
    /// Not listed.
    Hidden,
}

/// A call of an [`OwnVerb`].
#[derive(Debug)]
pub struct Invocation {
    /// The program's name as the user called it.
    pub program: String,
    /// What follows the verb's words.
    pub args: Vec<String>,
    /// The daemon's address, resolved from flags, environment and context as for every verb, or why not.
    pub host: Result<String, String>,
    /// `--debug` was given.
    pub debug: bool,
}
