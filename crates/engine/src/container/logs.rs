//! `logs`: what a container wrote, and what it still writes.

use crate::Services;
use ::logs::{self as logs, json_file::Next};
use bytes::Bytes;
use containers::Container;
use errors::{Class, Error, Result};
use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// Go on with what is written later, until the container stops.
    pub follow: bool,
    /// Nanoseconds since 1970; earlier lines are left out.
    pub since: Option<i64>,
    /// Nanoseconds since 1970; later lines are left out.
    pub until: Option<i64>,
    /// Only the last so many lines.
    pub tail: Option<u64>,
}

/// One line.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// Whether it went to standard error.
    pub stderr: bool,
    /// Nanoseconds since 1970.
    pub time: i64,
    /// With its newline, if it had one.
    pub line: Bytes,
    /// What the log options asked to keep with each line.
    pub attributes: BTreeMap<String, String>,
}

/// The lines, read on a thread that may block.
#[derive(Debug)]
pub struct LogStream {
    lines: mpsc::Receiver<Result<LogEntry>>,
}

impl futures_util::Stream for LogStream {
    type Item = Result<LogEntry>;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.lines.poll_recv(context)
    }
}

/// Opens a container's log. Also answers whether it has a terminal.
///
/// # Errors
/// `Invalid` when no stream is wanted, `Unsupported` with a driver that can't be read.
pub async fn logs(services: &Arc<Services>, reference: &str, wants: Logs) -> Result<(bool, LogStream)> {
    if !wants.stdout && !wants.stderr {
        return Err(Error::new(Class::Invalid, "Bad parameters: you must choose at least one stream"));
    }
    let container = services.containers.find(reference)?;
    let record = container.record();
    let options = logs::ReadOptions {
        tail: wants.tail,
        since: wants.since,
        until: wants.until,
        stdout: wants.stdout,
        stderr: wants.stderr,
        follow: wants.follow,
    };
    let reader = logs::open(&record.spec.log.driver, &super::log_path(services, container.id()), options)?;
    let (sender, lines) = mpsc::channel(64);
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read(reader, &container, &runtime, &sender) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    Ok((record.spec.process.tty, LogStream { lines }))
}

/// Sends entries until the log ends or the client goes. Runs on a thread that may block.
fn read(
    mut reader: logs::Reader,
    container: &Container,
    runtime: &tokio::runtime::Handle,
    sender: &mpsc::Sender<Result<LogEntry>>,
) -> Result<()> {
    let mut notices = container.watch();
    loop {
        if !container.state().is_live() {
            reader.finish();
        }
        match reader.read()? {
            Next::Entry(entry) => {
                let entry = LogEntry {
                    stderr: entry.stream == logs::Stream::Stderr,
                    time: entry.unix_nanos,
                    line: entry.bytes.into(),
                    attributes: entry.attributes,
                };
                if sender.blocking_send(Ok(entry)).is_err() {
                    return Ok(());
                }
            }
            Next::End => return Ok(()),
            Next::Pending => runtime.block_on(async {
                tokio::select! {
                    () = grown(&reader) => {}
                    _ = notices.changed() => {}
                    () = sender.closed() => {}
                }
            }),
        }
        if sender.is_closed() {
            return Ok(());
        }
    }
}

/// Waits until the log may have grown.
async fn grown(reader: &logs::Reader) {
    // An inotify descriptor; tokio only waits on it, so that it matters not that it is no pipe.
    let watch = reader.as_fd().try_clone_to_owned().and_then(pipe::Receiver::from_owned_fd_unchecked);
    match watch {
        Ok(watch) => drop(watch.readable().await),
        Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
    }
}
