//! Flags as docker reads them, help as docker writes it.
//!
//! The declarations are clap's; this module bends clap to the habits of Go's pflag, which docker's users know:
//! booleans that take `=false`, values that may begin with a dash, the last of repeated flags winning, and
//! messages that scripts match on.

mod help;
mod mistakes;
mod parse;
mod values;

pub(crate) use help::{group_help, list_help, main_help, verb_help};
pub(crate) use parse::{Parsed, check_arity, command, parse};
pub(crate) use values::boolean;
