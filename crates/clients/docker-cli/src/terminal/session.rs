//! An attached session: input, output, signals and window size, all at once until one side ends.

use super::detach::Keys;
use super::raw::{self, RawMode};
use super::signals::{self, OnSignal, Signals};
use super::{Sink, input};
use crate::failure::{Failure, Outcome};
use engine_client::{Client, Demultiplexer, Hijacked, ReadHalf, StreamKind, WriteHalf};
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// What is attached, and how.
#[derive(Debug)]
pub(crate) struct Session<'c> {
    pub(crate) client: &'c Client,
    /// Send standard input.
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    /// The container has a terminal: one raw stream, no frames.
    pub(crate) tty: bool,
    pub(crate) detach_keys: String,
    pub(crate) on_signal: OnSignal,
    /// Where window sizes are told, when the container has a terminal.
    pub(crate) resize: Option<Resize>,
    /// Signals caught since before the container started, so that none is lost.
    signals: Option<Signals>,
}

/// The API path that takes a window size.
#[derive(Debug, Clone)]
pub(crate) struct Resize {
    /// `/containers/ID/resize` or `/exec/ID/resize`.
    pub(crate) path: String,
    /// Ask for one row and column more at first, so that a shell draws its prompt again.
    pub(crate) nudge: bool,
}

/// How a session ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The container closed its output.
    Output,
    /// The user typed the detach keys.
    Detached,
}

impl<'c> Session<'c> {
    /// A session that is attached to nothing yet; signals are caught from here on.
    pub(crate) fn new(client: &'c Client, on_signal: OnSignal) -> Outcome<Self> {
        let signals = Some(Signals::catch(&on_signal)?);
        Ok(Self {
            client,
            stdin: false,
            stdout: false,
            stderr: false,
            tty: false,
            detach_keys: String::new(),
            on_signal,
            resize: None,
            signals,
        })
    }

    /// Runs until the output ends, the user detaches, or a signal ends the program.
    pub(crate) async fn run(mut self, stream: Hijacked) -> Outcome<End> {
        let _raw = if self.tty && self.stdin { Some(RawMode::enter()?) } else { None };
        let signals = self.signals.take();
        let has_output = self.stdout || self.stderr;
        let mut output = pin!(self.output(stream.reader));
        let mut input = pin!(self.input(stream.writer));
        let mut resizing = pin!(self.resizing());
        let mut signalled = pin!(async {
            match signals {
                Some(signals) => signals::handle(signals, &self.on_signal, self.client).await,
                None => std::future::pending().await,
            }
        });
        let (mut input_done, mut resize_done) = (false, false);
        loop {
            tokio::select! {
                result = &mut output => return result.map(|()| End::Output).map_err(output_failure),
                detached = &mut input, if !input_done => {
                    if detached {
                        return Ok(End::Detached);
                    }
                    if !has_output {
                        return Ok(End::Output);
                    }
                    input_done = true;
                }
                () = &mut resizing, if !resize_done => resize_done = true,
                status = &mut signalled => return Err(Failure::status(status)),
            }
        }
    }

    async fn output(&self, mut reader: ReadHalf) -> io::Result<()> {
        let mut buffer = vec![0; 32 * 1024];
        let mut demultiplexer = Demultiplexer::default();
        loop {
            let length = match reader.read(&mut buffer).await {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                // The other side is gone: of an end without TLS's own farewell no more is known either.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
                    ) =>
                {
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            if self.tty {
                Sink::Stdout.write(&buffer[..length]).await?;
                continue;
            }
            demultiplexer.feed(&buffer[..length]);
            copy_frames(&mut demultiplexer, self.stdout, self.stderr).await?;
        }
    }

    /// Sends input until its end, then closes that half; true when the user detached.
    async fn input(&self, mut writer: WriteHalf) -> bool {
        if self.stdin {
            let mut typed = input::read();
            let mut keys = (self.tty && raw::stdin_is_terminal()).then(|| Keys::new(&self.detach_keys));
            let mut passed = Vec::new();
            while let Some(piece) = typed.recv().await {
                let (detached, bytes) = match &mut keys {
                    None => (false, &piece),
                    Some(keys) => {
                        passed.clear();
                        (keys.filter(&piece, &mut passed), &passed)
                    }
                };
                // A container that closed its input tells so on its output's side.
                if !bytes.is_empty() && writer.write_all(bytes).await.is_err() {
                    break;
                }
                if detached {
                    return true;
                }
            }
        }
        writer.close().await.ok();
        // Keep the half: dropping it would not end the connection, but holding it is what the peer expects.
        std::mem::forget(writer);
        false
    }

    /// Tells the window's size now and at each change.
    async fn resizing(&self) {
        let Some(resize) = &self.resize else { return };
        let Ok(mut changes) = signal(SignalKind::window_change()) else { return };
        if resize.nudge {
            let (rows, columns) = raw::size();
            self.tell_size(resize, rows.saturating_add(1), columns.saturating_add(1)).await.ok();
        }
        let (rows, columns) = raw::size();
        for attempt in 1..=10 {
            // The process may be between its start and its terminal.
            if self.tell_size(resize, rows, columns).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(attempt * 10)).await;
        }
        while changes.recv().await.is_some() {
            let (rows, columns) = raw::size();
            self.tell_size(resize, rows, columns).await.ok();
        }
    }

    async fn tell_size(&self, resize: &Resize, rows: u16, columns: u16) -> engine_client::Result<()> {
        if rows == 0 && columns == 0 {
            return Ok(());
        }
        let request = self.client.post(&resize.path).query("h", rows.to_string());
        request.query("w", columns.to_string()).done().await.map(drop)
    }
}

/// Writes all frames that are there to where they belong.
pub(crate) async fn copy_frames(
    demultiplexer: &mut Demultiplexer,
    stdout: bool,
    stderr: bool,
) -> io::Result<()> {
    while let Some(frame) = demultiplexer.next_frame().map_err(io::Error::other)? {
        match frame.stream {
            StreamKind::Stdout if stdout => Sink::Stdout.write(&frame.data).await?,
            StreamKind::Stderr if stderr => Sink::Stderr.write(&frame.data).await?,
            StreamKind::Stdout | StreamKind::Stderr => {}
            StreamKind::System => {
                let text = String::from_utf8_lossy(&frame.data).into_owned();
                return Err(io::Error::other(format!("error from daemon in stream: {text}")));
            }
        }
    }
    Ok(())
}

/// A reader of our output that went away ends the command as SIGPIPE would.
fn output_failure(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe { Failure::status(141) } else { error.into() }
}
