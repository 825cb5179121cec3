//! The `json-file` driver: Docker's file format, byte for byte, so that whatever ships such files goes on working.
//!
//! ```text
//! <path>         the newest lines; the only file that is written to
//! <path>.1       what was there before the last rotation …
//! <path>.2.gz    … and before that; compressed ones if the options ask for it
//! ```
//!
//! Only the writer renames. A rotation happens between two lines, so every file holds whole lines; after a
//! `kill -9` of the writer at any instant at most the very last line is torn, which readers pass over and the next
//! writer ends with a newline before it goes on.

mod compress;
mod decode;
mod encode;
mod files;
mod lines;
mod reader;
mod settings;
#[cfg(test)]
mod tests;
mod writer;

pub use compress::compress_rotated;
pub use reader::{Next, Reader};
pub use settings::{Settings, validate};
pub use writer::Writer;

/// The longest line that is kept together, in bytes; of a longer one each such piece is an entry.
pub const LINE_LIMIT: usize = 1 << 20;
