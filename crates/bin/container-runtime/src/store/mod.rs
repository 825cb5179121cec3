//! `system check` and `system gc`: the store of images looks after itself, and says what it does.

pub(crate) mod check;
pub(crate) mod gc;

use std::io::Write;

/// Writes to the standard output; that nobody reads it is no error.
fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
