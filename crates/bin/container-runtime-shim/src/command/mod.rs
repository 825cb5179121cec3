//! What the program does by its command line.

mod serve;

pub(crate) use serve::serve;
