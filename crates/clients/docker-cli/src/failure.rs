//! How a verb fails: a message for people and a status for scripts.

use std::process::ExitCode;

/// The result of a verb.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A failed verb. An empty message prints nothing: the status is all there is to say.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) status: u8,
}

impl Failure {
    /// A failure with docker's common status 1.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), status: 1 }
    }

    /// Ends the program with `status` without a word, as when it passes on a container's exit code.
    pub(crate) fn status(status: i64) -> Self {
        Self { message: String::new(), status: u8::try_from(status & 0xff).unwrap_or(1) }
    }

    /// The same message with another status.
    pub(crate) fn with_status(self, status: u8) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status)
    }
}

impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(errors::chain(&error))
    }
}

/// Goes through `names`, doing for each what may fail, and fails in the end with all the messages.
///
/// Docker prints the successes as they happen and the errors together at the end.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<String>);

impl Errors {
    /// Notes a failure; a success is passed on.
    pub(crate) fn note<T>(&mut self, result: Outcome<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(failure) => {
                self.0.push(failure.message);
                None
            }
        }
    }

    /// Fails if anything was noted.
    pub(crate) fn finish(self) -> Outcome {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::new(self.0.join("\n"))) }
    }
}
