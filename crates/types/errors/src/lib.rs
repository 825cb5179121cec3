//! Error classes: the one vocabulary in which every floor says what kind of failure happened.
//!
//! Each module has its own `thiserror` enum whose variants carry ids and paths as fields and whose `Display`
//! never repeats its source. It implements [`Classified`], so that any of them turns into the [`Error`] that
//! the verbs of the engine return. Each server maps [`Class`] to its protocol in one table.

use std::error::Error as StdError;
use std::fmt;

/// What kind of failure an error is, seen by who has to react to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The named thing does not exist. HTTP 404.
    NotFound,
    /// The thing is in a state, or in use, that forbids the operation now. HTTP 409.
    Conflict,
    /// The wanted state is already there; nothing was done. HTTP 304.
    AlreadyDone,
    /// The request itself is wrong; repeating it will not help. HTTP 400.
    Invalid,
    /// The caller, or the engine itself, lacks a permission. HTTP 403.
    Denied,
    /// Something outside does not answer now; a later try may work. HTTP 503.
    Unavailable,
    /// This engine, or this host, cannot do it. HTTP 501.
    Unsupported,
    /// A defect or an unexpected failure of the host. HTTP 500.
    Internal,
}

/// An error that knows its [`Class`].
pub trait Classified: StdError {
    /// The class of this very error.
    fn class(&self) -> Class;
}

/// Any classified error, as the verbs return it: the class, the cause with its chain, and what to do next.
///
/// It deliberately does not implement [`StdError`], so that every classified error converts into it with `?`.
pub struct Error {
    class: Class,
    cause: Box<dyn StdError + Send + Sync>,
    hint: Option<String>,
}

/// The result of a verb.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a message of its own and nothing beneath it.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, cause: Box::new(Message(message.into())), hint: None }
    }

    /// Puts a class on a foreign error.
    pub fn wrap(class: Class, cause: impl StdError + Send + Sync + 'static) -> Self {
        Self { class, cause: Box::new(cause), hint: None }
    }

    /// Says above the present message what was being done: `context: message`.
    #[must_use]
    pub fn context(self, context: impl Into<String>) -> Self {
        let Self { class, cause, hint } = self;
        Self { class, cause: Box::new(Context { context: context.into(), cause }), hint }
    }

    /// Adds the next step a person can take.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error under another class.
    #[must_use]
    pub fn with_class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The class of this error.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The suggestion, if any.
    pub fn next_step(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The error beneath, to walk its chain or downcast it.
    pub fn cause(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.cause
    }
}

impl<E: Classified + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self { class: error.class(), cause: Box::new(error), hint: None }
    }
}

/// The whole chain, then the hint in a sentence of its own.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", chain(&*self.cause))?;
        match &self.hint {
            Some(hint) => write!(f, ". {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.class)
    }
}

/// Prints an error and all its sources as `outer: inner: innermost`.
///
/// A source whose text its parent already ends with (foreign crates do that) is not printed twice.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let message = inner.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        source = inner.source();
    }
    text
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Message(String);

#[derive(Debug, thiserror::Error)]
#[error("{context}")]
struct Context {
    context: String,
    #[source]
    cause: Box<dyn StdError + Send + Sync>,
}

/// The class that an I/O error has by its kind, for wrappers that add nothing to it.
pub fn io_class(error: &std::io::Error) -> Class {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => Class::NotFound,
        ErrorKind::PermissionDenied => Class::Denied,
        ErrorKind::AlreadyExists => Class::Conflict,
        ErrorKind::InvalidInput | ErrorKind::InvalidData => Class::Invalid,
        ErrorKind::Unsupported => Class::Unsupported,
        ErrorKind::TimedOut
        | ErrorKind::ConnectionRefused
        | ErrorKind::StorageFull
        | ErrorKind::ReadOnlyFilesystem => Class::Unavailable,
        _ => Class::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("open {path}")]
    struct Open {
        path: &'static str,
        #[source]
        cause: std::io::Error,
    }

    impl Classified for Open {
        fn class(&self) -> Class {
            io_class(&self.cause)
        }
    }

    #[test]
    fn a_verb_error_prints_context_chain_and_hint() {
        let cause = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = Error::from(Open { path: "/x", cause }).context("start web").hint("Create it first");
        assert_eq!(error.class(), Class::NotFound);
        assert_eq!(error.to_string(), "start web: open /x: entity not found. Create it first");
    }

    #[test]
    fn a_source_that_the_parent_already_prints_is_not_repeated() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer: {0}")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("inner"));
        assert_eq!(chain(&error), "outer: inner");
    }
}
