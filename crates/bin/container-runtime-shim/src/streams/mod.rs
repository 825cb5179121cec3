//! A process's input and output: pipes or a terminal on one side, clients, FIFOs and the log on the other.

mod client;
mod console;
mod endpoint;
mod pipes;
mod spool;

pub(crate) use client::{Attached, Client, Greeting};
pub(crate) use console::{Console, bind};
pub(crate) use endpoint::{Endpoint, Endpoints};
pub(crate) use pipes::{Input, Ours, Output, Sink, Theirs, open};
