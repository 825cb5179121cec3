//! What libcontainer says went wrong. Its errors lose their causes on the way between its processes; its log has them.

use std::fmt::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::sync::OnceLock;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The reading end: messages of this process and of those cloned from it.
#[derive(Debug)]
pub(crate) struct ErrorLog {
    received: UnixDatagram,
}

impl ErrorLog {
    /// The one of this program, whose writing end becomes the program's log at the first call. None: no sockets are
    /// left; then errors are short of their causes, and that is all.
    pub(crate) fn of_this_program() -> Option<&'static Self> {
        static LOG: OnceLock<Option<ErrorLog>> = OnceLock::new();
        LOG.get_or_init(|| Self::listen().ok()).as_ref()
    }

    fn listen() -> std::io::Result<Self> {
        let (sent, received) = UnixDatagram::pair()?;
        sent.set_nonblocking(true)?;
        received.set_nonblocking(true)?;
        // Fails only when there is a log already, which nobody but this function makes.
        let _ = tracing::subscriber::set_global_default(Sender { socket: sent });
        Ok(Self { received })
    }

    /// What was said since the last time, the first cause first.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut messages = Vec::new();
        let mut buffer = [0; 1024];
        while let Ok(read) = self.received.recv(&mut buffer) {
            messages.push(String::from_utf8_lossy(&buffer[..read]).into_owned());
        }
        messages
    }
}

/// A log of errors alone, which goes into the socket.
struct Sender {
    socket: UnixDatagram,
}

impl Subscriber for Sender {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::ERROR)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        line.message.push_str(&line.fields);
        line.message.truncate(line.message.floor_char_boundary(1024));
        // When the socket is full, there are causes enough.
        let _ = self.socket.send(line.message.as_bytes());
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// An event as `message (field: value, …)`.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " ({name}: {value:?})"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_arrive_with_their_fields_and_nothing_else_does() {
        let log = ErrorLog::of_this_program().unwrap();
        tracing::warn!("not this");
        tracing::error!(path = "/x", "failed to mount");
        assert_eq!(log.take(), ["failed to mount (path: \"/x\")"]);
        assert!(log.take().is_empty());
    }
}
