//! `logs`: what a container wrote, and what it still writes.

use crate::Services;
use ::logs::{self as logs, json_file::Next};
use bytes::Bytes;
use containers::Container;
use errors::{Class, Error, Result};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
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

/// The lines.
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
    let (driver, path) = (record.spec.log.driver.clone(), super::log_path(services, container.id()));
    // Finding where to begin may mean to read, and to inflate, much.
    let reader = offload::blocking(move || logs::open(&driver, &path, options)).await?;
    let (sender, lines) = mpsc::channel(64);
    tokio::spawn(async move {
        if let Err(error) = forward(reader, &container, &sender).await {
            let _ = sender.send(Err(error)).await; // a client that is gone needs no reason
        }
    });
    Ok((record.spec.process.tty, LogStream { lines }))
}

/// Lines that are read in one go.
const BATCH: usize = 64;

/// What follows the lines of a batch.
enum Then {
    More,
    Wait,
    End,
}

/// Sends entries until the log ends or the client goes. Only reading takes a thread of the pool for what may block: those
/// who follow a silent log, or whose client is slow, would use it up.
async fn forward(
    mut reader: logs::Reader,
    container: &Container,
    sender: &mpsc::Sender<Result<LogEntry>>,
) -> Result<()> {
    let mut notices = container.watch();
    loop {
        // Asked before reading: what it printed before it ended is in the log by then.
        let live = container.state().is_live();
        let (back, entries, then) = offload::blocking(move || -> Result<_> {
            if !live {
                reader.finish();
            }
            let (entries, then) = read(&mut reader)?;
            Ok((reader, entries, then))
        })
        .await?;
        reader = back;
        for entry in entries {
            if sender.send(Ok(entry)).await.is_err() {
                return Ok(());
            }
        }
        match then {
            Then::More => {}
            Then::End => return Ok(()),
            Then::Wait => {
                let log = reader.as_fd().try_clone_to_owned();
                tokio::select! {
                    () = grown(log) => {}
                    _ = notices.changed() => {}
                    () = sender.closed() => return Ok(()),
                }
            }
        }
    }
}

fn read(reader: &mut logs::Reader) -> Result<(Vec<LogEntry>, Then)> {
    let mut entries = Vec::new();
    while entries.len() < BATCH {
        match reader.read()? {
            Next::Entry(entry) => entries.push(LogEntry {
                stderr: entry.stream == logs::Stream::Stderr,
                time: entry.unix_nanos,
                line: entry.bytes.into(),
                attributes: entry.attributes,
            }),
            Next::End => return Ok((entries, Then::End)),
            Next::Pending => return Ok((entries, Then::Wait)),
        }
    }
    Ok((entries, Then::More))
}

/// Waits until the log may have grown, by the reader's inotify descriptor.
async fn grown(watch: std::io::Result<OwnedFd>) {
    // Tokio only waits on it, so that it matters not that it is no pipe.
    match watch.and_then(pipe::Receiver::from_owned_fd_unchecked) {
        Ok(watch) => drop(watch.readable().await),
        Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
    }
}
