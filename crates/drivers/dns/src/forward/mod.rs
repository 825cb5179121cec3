//! Asking servers outside, once for all who ask the same at the same time.

mod exchange;
mod race;

use crate::answer::Known;
use crate::cache::Asked;
use crate::message::{Query, Response};
use crate::servers::Servers;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// What is asked outside at the same time at most; what comes beyond that is told at once that it failed.
const MOST: usize = 1024;

/// Who waits for one answer.
type Waiting = Vec<oneshot::Sender<Option<Arc<Response>>>>;

/// Asks outside.
#[derive(Debug)]
pub(crate) struct Forwarder {
    known: Arc<Known>,
    waiting: Mutex<HashMap<Box<[u8]>, Waiting>>,
}

impl Forwarder {
    pub(crate) fn new(known: Arc<Known>) -> Self {
        Self { known, waiting: Mutex::default() }
    }

    /// The answer to a question whose packet is `packet`; none when nobody had one in time.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        query: Query,
        packet: &[u8],
        servers: Arc<Servers>,
    ) -> Option<Arc<Response>> {
        let asked = Asked::new(&query, &servers);
        let (sender, receiver) = oneshot::channel();
        let first = {
            let mut waiting = self.waiting.lock();
            let full = waiting.len() >= MOST;
            match waiting.get_mut(asked.bytes()) {
                Some(others) => {
                    others.push(sender);
                    false
                }
                None if full => return None,
                None => {
                    waiting.insert(asked.bytes().into(), vec![sender]);
                    true
                }
            }
        };
        if first {
            let question = packet.get(..query.end).unwrap_or_default().into();
            // On its own, so that the others get their answer when the first client has gone away.
            tokio::spawn(Arc::clone(self).find(asked, exchange::Question { query, question }, servers));
        }
        receiver.await.ok().flatten()
    }

    async fn find(self: Arc<Self>, asked: Asked, question: exchange::Question, servers: Arc<Servers>) {
        let response = race::race(Arc::new(question), &servers).await.map(Arc::new);
        if let Some(response) = &response {
            self.known.cache.lock().keep(&asked, response, Instant::now());
        }
        for waiter in self.waiting.lock().remove(asked.bytes()).unwrap_or_default() {
            // Who has gone needs no answer.
            let _ = waiter.send(response.clone());
        }
    }
}
