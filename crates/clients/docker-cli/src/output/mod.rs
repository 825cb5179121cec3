//! Everything that is printed: where it goes and what shape it has.

pub(crate) mod archive;
pub(crate) mod columns;
pub(crate) mod document;
pub(crate) mod format;
pub(crate) mod names;
pub(crate) mod prune;
pub(crate) mod time;
pub(crate) mod units;

use crate::failure::{Failure, Outcome};
use std::io::{self, IsTerminal as _, Write as _};

/// The status of a program that a closed pipe ends, as the shell sees it: 128 + SIGPIPE.
const BROKEN_PIPE: i64 = 141;

/// Writes to standard output at once. A reader that went away ends the command quietly.
pub(crate) fn stdout(text: &str) -> Outcome {
    stdout_bytes(text.as_bytes())
}

/// The same for bytes that need not be text.
pub(crate) fn stdout_bytes(bytes: &[u8]) -> Outcome {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::status(BROKEN_PIPE)),
        Err(error) => Err(Failure::new(format!("write standard output: {error}"))),
    }
}

/// A line on standard output.
pub(crate) fn line(text: impl AsRef<str>) -> Outcome {
    stdout(&format!("{}\n", text.as_ref()))
}

/// Writes to standard error; when even that fails there is nobody to tell.
pub(crate) fn stderr(text: &str) {
    io::stderr().write_all(text.as_bytes()).ok();
}

/// A warning of the command line itself.
pub(crate) fn warn(text: &str) {
    stderr(&format!("WARNING: {text}\n"));
}

/// Asks on the terminal; only `y` and `yes` are consent. Without an answer it is a no.
pub(crate) fn confirm(question: &str) -> Outcome<bool> {
    stdout(&format!("{question} [y/N] "))?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Whether standard output is a terminal.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// The help of `--format` where lists are printed.
pub(crate) const FORMAT_HELP: &str = "Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates";

/// The help of `--format` where documents are printed.
pub(crate) const INSPECT_FORMAT_HELP: &str = "Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates";
