//! Raw mode, left on every way out, and the window's size.

use crate::failure::{Failure, Outcome};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{self, OptionalActions, Termios};
use std::io::IsTerminal as _;

/// Whether standard input is a terminal.
pub(crate) fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// A container's terminal needs one on this side, when input is attached.
pub(crate) fn check_tty(attach_stdin: bool, tty: bool) -> Outcome {
    if tty && attach_stdin && !stdin_is_terminal() {
        return Err(Failure::new("the input device is not a TTY"));
    }
    Ok(())
}

/// Rows and columns of the terminal on standard output; 0 when it is none.
pub(crate) fn size() -> (u16, u16) {
    termios::tcgetwinsize(stdout()).map_or((0, 0), |size| (size.ws_row, size.ws_col))
}

/// Standard input in raw mode for as long as this lives.
///
/// Its drop restores the mode, so errors, panics (they unwind) and the signals that end a session (they are
/// caught and become errors) all leave the terminal as it was.
#[derive(Debug)]
pub(super) struct RawMode(Option<Termios>);

impl RawMode {
    /// Enters raw mode if standard input is a terminal.
    pub(super) fn enter() -> Outcome<Self> {
        if !stdin_is_terminal() {
            return Ok(Self(None));
        }
        let before = termios::tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(Some(before)))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // Nothing can be done, nor said, about a terminal that went away.
            termios::tcsetattr(stdin(), OptionalActions::Now, before).ok();
        }
    }
}

/// Asks for a line on the terminal without showing what is typed.
pub(crate) fn read_password(prompt: &str) -> Outcome<String> {
    crate::output::stdout(prompt)?;
    let before = termios::tcgetattr(stdin())?;
    let mut silent = before.clone();
    silent.local_modes.remove(termios::LocalModes::ECHO);
    termios::tcsetattr(stdin(), OptionalActions::Now, &silent)?;
    let _restore = RawMode(Some(before));
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    crate::output::stdout("\n")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
