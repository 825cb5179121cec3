//! `GET /containers/{id}/logs`.

use crate::http::answer::{Answer, Refusal};
use crate::http::hijack::Framing;
use crate::http::lines::{self, frame};
use crate::http::query::Query;
use crate::http::version::ApiVersion;
use crate::routes::Context;
use axum::extract::{Path, State};
use bytes::Bytes;
use engine::container::{LogEntry, Logs};
use futures_util::StreamExt;
use jiff::Timestamp;

pub(super) async fn logs(
    State(api): Context,
    version: ApiVersion,
    Path(id): Path<String>,
    query: Query,
) -> Answer {
    let prefix = Prefix { time: query.flag("timestamps"), details: query.flag("details") };
    let (terminal, entries) = engine::container::logs(&api.services, &id, wanted(&query)?).await?;
    let framing = Framing::of(terminal);
    let written = entries.map(move |entry| match entry {
        Ok(entry) => line(&entry, framing, prefix),
        Err(error) => complaint(&error, framing),
    });
    Ok(lines::growing(framing.media_type(version), written, api.shutdown.clone()))
}

fn wanted(query: &Query) -> Result<Logs, Refusal> {
    Ok(Logs {
        stdout: query.flag("stdout"),
        stderr: query.flag("stderr"),
        follow: query.flag("follow"),
        since: query.time("since")?,
        until: query.time("until")?,
        // `all`, and whatever else is no number, means all.
        tail: query.text("tail").and_then(|text| text.parse().ok()),
    })
}

/// What stands before each line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Prefix {
    /// When it was written.
    time: bool,
    /// What the log driver keeps with it: `--log-opt labels` and the like.
    details: bool,
}

impl Prefix {
    fn of(self, entry: &LogEntry) -> String {
        let mut text = if self.time { format!("{} ", time(entry.time)) } else { String::new() };
        if self.details {
            let attributes =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(&entry.attributes).finish();
            text.push_str(&attributes.replace('&', ","));
            text.push(' ');
        }
        text
    }
}

/// A line as the client gets it.
pub(super) fn line(entry: &LogEntry, framing: Framing, prefix: Prefix) -> Bytes {
    let prefix = prefix.of(entry);
    let stream = if entry.stderr { frame::STDERR } else { frame::STDOUT };
    match framing {
        Framing::Multiplexed => frame::of(stream, &[prefix.as_bytes(), &entry.line]),
        Framing::Raw if prefix.is_empty() => entry.line.clone(),
        Framing::Raw => [prefix.as_bytes(), &entry.line].concat().into(),
    }
}

/// With all nine digits, so that the columns line up.
fn time(nanoseconds: i64) -> String {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).map(|at| format!("{at:.9}")).unwrap_or_default()
}

/// The head is sent: all that can be done is to say it where the client shows it.
fn complaint(error: &errors::Error, framing: Framing) -> Bytes {
    let text = format!("Error grabbing logs: {error}\n");
    match framing {
        Framing::Multiplexed => frame::of(frame::STDERR, &[text.as_bytes()]),
        Framing::Raw => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_framed_unless_there_is_a_terminal() {
        let entry = LogEntry {
            stderr: true,
            time: 1_700_000_000_120_000_000,
            line: Bytes::from_static(b"hi\n"),
            attributes: [("a", "b c"), ("d", "e")].map(|(name, value)| (name.into(), value.into())).into(),
        };
        let (plain, both) = (Prefix::default(), Prefix { time: true, details: true });
        let time = Prefix { time: true, details: false };
        assert_eq!(line(&entry, Framing::Raw, plain), "hi\n");
        assert_eq!(line(&entry, Framing::Raw, time), "2023-11-14T22:13:20.120000000Z hi\n");
        assert_eq!(line(&entry, Framing::Raw, both), "2023-11-14T22:13:20.120000000Z a=b+c,d=e hi\n");
        assert_eq!(line(&entry, Framing::Multiplexed, plain), &b"\x02\0\0\0\0\0\0\x03hi\n"[..]);
        let stamped = line(&entry, Framing::Multiplexed, time);
        assert_eq!(stamped[..8], *b"\x02\0\0\0\0\0\0\x22");
        assert_eq!(stamped[8..], *b"2023-11-14T22:13:20.120000000Z hi\n");
    }
}
