//! The settings of the daemon. Pure: who calls reads the file, the environment and the flags, and writes.
//!
//! [`Settings`] is what they come to, as types. How they come to it: [`parse`] reads a text into a tree that knows where everything
//! stands, [`Layer`]s are read from trees and texts by what the [table of keys](keys()) says, and [`Effective::of`] puts them on each other
//! and checks the whole. [`edit`] changes a text and nothing else in it.

mod checks;
mod cni;
mod edit;
mod effective;
mod gc;
mod hidden;
mod import;
mod key;
mod keys;
mod layer;
mod nearest;
mod node;
mod path;
mod problem;
mod reference;
mod render;
mod serve;
mod settings;
mod state;
mod value;

pub use cni::Cni;
pub use edit::{EditError, edit};
pub use effective::{Changed, Effective, Entry, tree_of};
pub use gc::{Gc, ImageBudget};
pub use hidden::hidden;
pub use import::{Imported, import_daemon_json};
pub use key::{Change, Key, Kind, key_of, kind_at};
pub use keys::{SECTIONS, keys};
pub use layer::{ENVIRONMENT_PREFIX, Layer, from_environment, from_file, from_flags};
pub use node::{Document, Node, NodeValue, Unreadable, parse};
pub use path::KeyPath;
pub use problem::{Origin, Place, Problem, problems_text};
pub use reference::reference;
pub use render::{Line, listing, word_of};
pub use serve::{Serve, ServeTls};
pub use settings::{
    CgroupDriver, Dns, LogFormat, LogLevel, Logging, Metrics, Network, Registry, Runtime, RuntimeEntry,
    Settings, Storage,
};
pub use state::{Etcd, State, StateDriver};
pub use value::{listen_address, value_of};

#[cfg(test)]
mod tests;
