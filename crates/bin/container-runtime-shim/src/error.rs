//! What the shim answers when it can't do what it was asked.

use containerd_shim_protos::ttrpc::{Code, Status};
use errors::{Class, Classified, chain, io_class};
use std::io;
use std::path::{Path, PathBuf};

/// Why a request fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such container here.
    #[error("container \"{id}\" not found")]
    NoContainer {
        /// As asked for.
        id: String,
    },
    /// The container has no such process.
    #[error("exec \"{exec}\" not found in container \"{id}\"")]
    NoExec {
        /// The container.
        id: String,
        /// As asked for.
        exec: String,
    },
    /// The name is taken.
    #[error("{what} \"{id}\" already exists")]
    Exists {
        /// Container or exec.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The process is not in a state that allows it.
    #[error("cannot {verb} {process}: it is {state}")]
    State {
        /// What was asked.
        verb: &'static str,
        /// Of which process, in words.
        process: String,
        /// What it is.
        state: &'static str,
    },
    /// The request makes no sense.
    #[error("{problem}")]
    Invalid {
        /// What is wrong with it.
        problem: String,
    },
    /// Not done by this shim.
    #[error("{what} is not implemented by container-runtime-shim")]
    Unsupported {
        /// What.
        what: String,
    },
    /// A file can't be used.
    #[error("{verb} {}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// A document can't be understood.
    #[error("parse {}", path.display())]
    Document {
        /// Where it stands.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: serde_json::Error,
    },
    /// The kernel refused.
    #[error("{doing}")]
    Kernel {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// The runtime refused; its message says it all.
    #[error("{message}")]
    Runtime {
        /// What kind of failure.
        class: Class,
        /// The runtime's words.
        message: String,
    },
}

/// The result of a request.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn file(verb: &'static str, path: &Path, cause: impl Into<io::Error>) -> Self {
        Self::File { verb, path: path.to_owned(), cause: cause.into() }
    }

    /// For `map_err`: what was being done when the kernel refused.
    pub(crate) fn kernel<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |cause| Self::Kernel { doing, cause: cause.into() }
    }

    pub(crate) fn invalid(problem: impl Into<String>) -> Self {
        Self::Invalid { problem: problem.into() }
    }

    /// As ttrpc carries it: a code, and the whole chain as the message.
    pub(crate) fn to_status(&self) -> Status {
        let code = match (self, self.class()) {
            (Self::Exists { .. }, _) => Code::ALREADY_EXISTS,
            (_, Class::NotFound) => Code::NOT_FOUND,
            (_, Class::Conflict | Class::AlreadyDone) => Code::FAILED_PRECONDITION,
            (_, Class::Invalid) => Code::INVALID_ARGUMENT,
            (_, Class::Denied) => Code::PERMISSION_DENIED,
            (_, Class::Unavailable) => Code::UNAVAILABLE,
            (_, Class::Unsupported) => Code::UNIMPLEMENTED,
            (_, Class::Internal) => Code::INTERNAL,
        };
        Status { code: code.into(), message: chain(self), ..Status::default() }
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::NoContainer { .. } | Self::NoExec { .. } => Class::NotFound,
            Self::Exists { .. } | Self::State { .. } => Class::Conflict,
            Self::Invalid { .. } | Self::Document { .. } => Class::Invalid,
            Self::Unsupported { .. } => Class::Unsupported,
            // NotFound is for containers and execs alone: a missing file is not a missing task.
            Self::File { cause, .. } | Self::Kernel { cause, .. } => match io_class(cause) {
                Class::NotFound | Class::Conflict => Class::Internal,
                class => class,
            },
            Self::Runtime { class, .. } => *class,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_the_whole_chain() {
        let cause = io::Error::from_raw_os_error(2);
        let status = Error::file("open", Path::new("/x"), cause).to_status();
        assert_eq!(status.message, "open /x: No such file or directory (os error 2)");
        assert_eq!(status.code, Code::INTERNAL.into());
    }

    #[test]
    fn what_exists_and_what_is_missing_have_codes_of_their_own() {
        let exists = Error::Exists { what: "container", id: "a".to_owned() };
        assert_eq!(exists.to_status().code, Code::ALREADY_EXISTS.into());
        let missing = Error::NoContainer { id: "a".to_owned() };
        assert_eq!(missing.to_status().code, Code::NOT_FOUND.into());
    }
}
