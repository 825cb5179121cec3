//! One connection to a shim: many calls at once, none of which can take it down.
//!
//! ttrpc's own client closes the connection when a caller's time is over while its request is half written, and with
//! it goes every other call, the wait for the container among them. Here a request that was begun is written to its
//! end, whoever still wants the answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use ttrpc::MessageHeader;
use ttrpc::proto::{GenMessage, GenMessageError, MESSAGE_TYPE_RESPONSE};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The connection broke before the shim was told anything.
    Unsent(String),
    /// The connection broke later: whether the shim did what was asked is not known.
    Unanswered(String),
    /// An answer that can't be read.
    Unintelligible(String),
}

/// A connection; dropping it closes it.
#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
    task: AbortHandle,
}

#[derive(Debug, Default)]
struct Shared {
    calls: Mutex<Calls>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Calls {
    made: u32,
    /// Requests of which nothing is written yet, by stream.
    unsent: BTreeMap<u32, Vec<u8>>,
    /// Who waits for an answer.
    waiting: HashMap<u32, oneshot::Sender<Result<Vec<u8>, Failure>>>,
    /// When the last answer came.
    answered: Option<Instant>,
    /// Why it broke, once it has.
    broken: Option<String>,
}

impl Connection {
    /// Over a connected socket.
    pub(crate) fn new(stream: UnixStream) -> Self {
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(Arc::clone(&shared).serve(stream)).abort_handle();
        Self { shared, task }
    }

    /// Sends an encoded request and waits for the encoded response. Who stops waiting disturbs nobody.
    pub(crate) async fn exchange(&self, request: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let (call, answer) = self.begin(request)?;
        self.shared.more.notify_one();
        let answer = answer.await;
        drop(call);
        answer.unwrap_or_else(|_| Err(Failure::Unanswered("closed".to_owned())))
    }

    /// Why it broke; none: it is intact.
    pub(crate) fn broken(&self) -> Option<String> {
        self.shared.lock().broken.clone()
    }

    /// When the last answer came.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.shared.lock().answered
    }

    fn begin(&self, request: Vec<u8>) -> Result<(Call<'_>, Answer), Failure> {
        let mut calls = self.shared.lock();
        if let Some(why) = &calls.broken {
            return Err(Failure::Unsent(why.clone()));
        }
        // Streams of clients have odd numbers.
        let stream = calls.made.wrapping_mul(2) | 1;
        calls.made = calls.made.wrapping_add(1);
        let (sender, answer) = oneshot::channel();
        calls.unsent.insert(stream, request);
        calls.waiting.insert(stream, sender);
        Ok((Call { shared: &self.shared, stream }, answer))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Answer = oneshot::Receiver<Result<Vec<u8>, Failure>>;

/// A call that somebody waits for; dropping it forgets it.
struct Call<'a> {
    shared: &'a Shared,
    stream: u32,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut calls = self.shared.lock();
        calls.unsent.remove(&self.stream);
        calls.waiting.remove(&self.stream);
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, stream: UnixStream) {
        let (reader, writer) = stream.into_split();
        let why = tokio::select! {
            why = self.read(reader) => why,
            why = self.write(writer) => why,
        };
        self.lock().fail(&why);
    }

    async fn write(&self, mut writer: impl AsyncWrite + Unpin) -> String {
        loop {
            let next = self.lock().unsent.pop_first();
            let Some((stream, payload)) = next else {
                self.more.notified().await;
                continue;
            };
            let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            // In one piece: a shim wakes up once for it.
            let mut frame = Vec::from(MessageHeader::new_request(stream, length));
            frame.extend_from_slice(&payload);
            if let Err(error) = writer.write_all(&frame).await {
                return error.to_string();
            }
        }
    }

    async fn read(&self, mut reader: OwnedReadHalf) -> String {
        loop {
            let (stream, answer) = match GenMessage::read_from(&mut reader).await {
                Ok(message) if message.header.type_ == MESSAGE_TYPE_RESPONSE => {
                    (message.header.stream_id, Ok(message.payload))
                }
                Ok(message) => {
                    let kind = message.header.type_;
                    (message.header.stream_id, Err(Failure::Unintelligible(format!("message type {kind}"))))
                }
                Err(GenMessageError::ReturnError(header, error)) => {
                    (header.stream_id, Err(Failure::Unintelligible(error.to_string())))
                }
                Err(GenMessageError::InternalError(error)) => return error.to_string(),
            };
            self.lock().answer(stream, answer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    fn answer(&mut self, stream: u32, answer: Result<Vec<u8>, Failure>) {
        self.answered = Some(Instant::now());
        if let Some(waiting) = self.waiting.remove(&stream) {
            // Who asked may have gone just now.
            let _ = waiting.send(answer);
        }
    }

    fn fail(&mut self, why: &str) {
        self.broken = Some(why.to_owned());
        let unsent = std::mem::take(&mut self.unsent);
        for (stream, waiting) in self.waiting.drain() {
            let failure = if unsent.contains_key(&stream) { Failure::Unsent } else { Failure::Unanswered };
            let _ = waiting.send(Err(failure(why.to_owned())));
        }
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
