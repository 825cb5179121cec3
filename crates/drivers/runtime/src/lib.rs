//! Running containers: shims and what they are told.
//!
//! * [`bundle`] turns what a client asked for, plus what the engine looked up for it, into an OCI runtime document
//!   equal to what Docker generates. [`seccomp`], [`user`], [`subids`] and [`devices`] are its larger
//!   subjects.
//! * [`Runtimes`] starts, finds again and gives up shims; a [`Task`] is one container's. The protocol is containerd's
//!   shim v2 Task API over ttrpc, so that foreign shims work too.
//!
//! Deliberately absent: image, network and record knowledge, and the way cgroups work on this host; the one thing
//! needed of them (end what a dead shim left) is passed in as [`config::KillCgroup`].

mod adopt;
mod attach;
pub mod bundle;
pub mod config;
mod create;
pub mod devices;
pub mod error;
mod events;
mod exec;
mod fifo;
mod rpc;
mod runtimes;
pub mod seccomp;
mod shim;
mod socket;
pub mod subids;
mod task;
pub mod user;
mod user_namespace;
mod wait;

pub use attach::Attachment;
pub use config::{Config, RuntimeKind};
pub use error::{Error, Result};
pub use exec::{ExecIo, ExecTask};
pub use rpc::PATIENCE;
pub use runtimes::{Adopted, CreateTask, RootMount, Runtimes, TaskEvent, TaskEventKind};
pub use shim_protocol::Exit;
pub use task::{ProcessInfo, Task};
pub use user_namespace::UserNamespace;
pub use wait::WaitOutcome;
