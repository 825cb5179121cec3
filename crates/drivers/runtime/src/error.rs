//! Failures of shims and of the conversation with them.

use errors::{Class, Classified};
use std::path::PathBuf;
use std::time::Duration;

/// The result of an operation on a shim.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with a container's shim.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such runtime is configured, nor is it the name of a shim.
    #[error("unknown or invalid runtime name: {name}")]
    UnknownRuntime {
        /// As the client gave it.
        name: String,
    },
    /// A program that a runtime needs is not there.
    #[error("runtime {runtime}: {program} not found")]
    ProgramNotFound {
        /// Name of the runtime.
        runtime: String,
        /// The program that was looked for.
        program: String,
    },
    /// A file or socket of the bundle or the state directory.
    #[error("{action} {path}", path = path.display())]
    File {
        /// Verb.
        action: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// Why it failed.
        #[source]
        cause: std::io::Error,
    },
    /// The shim's program did not start.
    #[error("start shim {program}", program = program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// No user namespace for a container.
    #[error("{program} namespaces: {message}", program = program.display())]
    Namespaces {
        /// The program that makes them.
        program: PathBuf,
        /// Its complaint.
        message: String,
    },
    /// A foreign shim's `start` command failed or said something unintelligible.
    #[error("shim {program} start: {message}", program = program.display())]
    Bootstrap {
        /// The program.
        program: PathBuf,
        /// Its complaint, or ours about its answer.
        message: String,
    },
    /// The shim answered a call with an error: its message, unchanged.
    #[error("{message}")]
    Refused {
        /// Container.
        container: String,
        /// Call.
        operation: &'static str,
        /// By the ttrpc code.
        class: Class,
        /// The shim's words.
        message: String,
    },
    /// The shim did not answer in time.
    #[error("container {container}: {operation}: no answer from its shim within {limit:?}")]
    Deadline {
        /// Container.
        container: String,
        /// Call.
        operation: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// The connection to the shim broke while it did what was asked, or before.
    #[error(
        "container {container}: {operation}: the connection to its shim broke before the answer came ({detail})"
    )]
    Unanswered {
        /// Container.
        container: String,
        /// Call.
        operation: &'static str,
        /// What the transport said.
        detail: String,
    },
    /// The shim said something that is not an answer to the call.
    #[error("container {container}: {operation}: an unintelligible answer of its shim: {detail}")]
    Unintelligible {
        /// Container.
        container: String,
        /// Call.
        operation: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The shim's process has ended.
    #[error("container {container}: {operation}: its shim is gone ({detail})")]
    ShimGone {
        /// Container.
        container: String,
        /// Call.
        operation: &'static str,
        /// What the transport said.
        detail: String,
    },
    /// A process of a container, or its shim, could not be ended.
    #[error("container {container}: its shim, or a process of what it holds, could not be ended")]
    LeftRunning {
        /// Container.
        container: String,
    },
    /// The shim's attach socket turned the client away.
    #[error("container {container}: attach: {reason}")]
    AttachRefused {
        /// Container.
        container: String,
        /// The shim's words.
        reason: String,
    },
    /// What this kind of shim cannot do.
    #[error("container {container}: {operation} is not possible with runtime {runtime}")]
    NotWithRuntime {
        /// Container.
        container: String,
        /// Operation.
        operation: &'static str,
        /// Name of the runtime.
        runtime: String,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::UnknownRuntime { .. } | Self::ProgramNotFound { .. } => Class::Invalid,
            Self::File { cause, .. } if errors::io_class(cause) == Class::Unavailable => Class::Unavailable,
            Self::File { .. } | Self::Spawn { .. } => Class::Internal,
            Self::Bootstrap { .. } | Self::Namespaces { .. } | Self::Unintelligible { .. } => Class::Internal,
            Self::Refused { class, .. } => *class,
            Self::Deadline { .. } | Self::Unanswered { .. } => Class::Unavailable,
            Self::ShimGone { .. } | Self::LeftRunning { .. } => Class::Unavailable,
            Self::AttachRefused { .. } => Class::Conflict,
            Self::NotWithRuntime { .. } => Class::Unsupported,
        }
    }
}
