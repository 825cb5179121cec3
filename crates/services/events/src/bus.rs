//! The bus: a bounded history and the subscribers' places in it.

use crate::Event;
use futures_util::Stream;
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How much of the past is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// At most so many events.
    pub events: usize,
    /// Of at most so many bytes, roughly counted.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { events: 4096, bytes: 4 << 20 }
    }
}

/// What a subscriber gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The next event.
    Event(Arc<Event>),
    /// So many events went by unseen because the subscriber was too slow; the next ones follow.
    Missed(u64),
}

/// The bus. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Events {
    shared: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    history: VecDeque<Arc<Event>>,
    /// How many events were published before `history[0]`.
    first: u64,
    bytes: usize,
    limits: Limits,
    next_subscriber: u64,
    waiting: HashMap<u64, Waker>,
    closed: bool,
}

impl Events {
    /// Without a past.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Events::new`], with limits of the caller's choice.
    pub fn with_limits(limits: Limits) -> Self {
        Self { shared: Arc::new(Mutex::new(State { limits, ..State::default() })) }
    }

    /// With these before all others: of an earlier daemon's time.
    pub fn with_past(self, past: Vec<Event>) -> Self {
        let mut state = lock(&self.shared);
        past.into_iter().for_each(|event| state.push(Arc::new(event)));
        drop(state);
        self
    }

    /// Tells every subscriber. Never waits for one.
    pub fn publish(&self, event: Event) {
        let mut state = lock(&self.shared);
        state.push(Arc::new(event));
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
    }

    /// Follows the events from now on; with `since` (nanoseconds since 1970) those kept from then on come first.
    pub fn subscribe(&self, since: Option<i64>) -> Subscription {
        let mut state = lock(&self.shared);
        let id = state.next_subscriber;
        state.next_subscriber += 1;
        let end = state.first + state.history.len() as u64;
        let at_or_after = |since: i64| state.history.iter().position(|event| event.at >= since);
        let position = match since.and_then(at_or_after) {
            Some(index) => state.first + index as u64,
            None => end,
        };
        Subscription { shared: Arc::clone(&self.shared), id, position }
    }

    /// Lets every subscription end after what it has not read yet: the daemon stops.
    pub fn close(&self) {
        let mut state = lock(&self.shared);
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
    }
}

impl State {
    fn push(&mut self, event: Arc<Event>) {
        self.bytes += weight(&event);
        self.history.push_back(event);
        // The latest stays in any case, or nobody would ever see an event larger than the limit.
        while self.history.len() > 1
            && (self.history.len() > self.limits.events || self.bytes > self.limits.bytes)
        {
            let Some(oldest) = self.history.pop_front() else { return };
            self.bytes -= weight(&oldest);
            self.first += 1;
        }
    }

    /// What is next at `position`, and where that leaves the reader.
    fn read(&self, position: u64) -> Option<(Received, u64)> {
        if let Some(missed) = self.first.checked_sub(position).filter(|missed| *missed > 0) {
            return Some((Received::Missed(missed), self.first));
        }
        let index = usize::try_from(position - self.first).ok()?;
        self.history.get(index).map(|event| (Received::Event(Arc::clone(event)), position + 1))
    }
}

fn weight(event: &Event) -> usize {
    let attribute = |(name, value): (&String, &String)| 2 * size_of::<String>() + name.len() + value.len();
    size_of::<Event>()
        + event.action.len()
        + event.id.len()
        + event.attributes.iter().map(attribute).sum::<usize>()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One reader's place in the stream of events. Ends when the bus is closed.
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Mutex<State>>,
    id: u64,
    position: u64,
}

impl Subscription {
    /// The next event, as soon as there is one. Cancel-safe.
    pub async fn next(&mut self) -> Option<Received> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// The next event, if it is already there.
    pub fn try_next(&mut self) -> Option<Received> {
        let (received, position) = lock(&self.shared).read(self.position)?;
        self.position = position;
        Some(received)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Received>> {
        let mut state = lock(&self.shared);
        match state.read(self.position) {
            Some((received, position)) => {
                self.position = position;
                Poll::Ready(Some(received))
            }
            None if state.closed => Poll::Ready(None),
            None => {
                state.waiting.insert(self.id, cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Stream for Subscription {
    type Item = Received;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Received>> {
        self.poll(cx)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        lock(&self.shared).waiting.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use futures_util::{FutureExt, StreamExt};
    use std::collections::BTreeMap;

    fn event(number: i64) -> Event {
        let mut event = Event::new(Kind::Container, "start", number.to_string(), BTreeMap::new());
        event.at = number;
        event
    }

    fn ids(subscription: &mut Subscription) -> Vec<String> {
        let id = |received| match received {
            Received::Event(event) => event.id.clone(),
            Received::Missed(number) => format!("missed {number}"),
        };
        std::iter::from_fn(|| subscription.try_next()).map(id).collect()
    }

    #[test]
    fn subscribers_see_what_comes_and_what_they_ask_for_of_the_past() {
        let events = Events::new();
        (1..=3).for_each(|number| events.publish(event(number)));
        let (mut now, mut past) = (events.subscribe(None), events.subscribe(Some(2)));
        let mut future = events.subscribe(Some(99));
        events.publish(event(4));
        assert_eq!(ids(&mut now), ["4"]);
        assert_eq!(ids(&mut past), ["2", "3", "4"]);
        assert_eq!(ids(&mut future), ["4"]);
    }

    #[test]
    fn who_is_too_slow_is_told_how_many_went_by() {
        let events = Events::with_limits(Limits { events: 3, bytes: 1 << 20 });
        let mut slow = events.subscribe(None);
        (1..=5).for_each(|number| events.publish(event(number)));
        assert_eq!(ids(&mut slow), ["missed 2", "3", "4", "5"]);
        assert_eq!(ids(&mut events.subscribe(Some(0))), ["3", "4", "5"]);
    }

    #[test]
    fn the_history_is_bounded_by_bytes_but_keeps_the_latest() {
        let events = Events::with_limits(Limits { events: 100, bytes: 1000 });
        let mut slow = events.subscribe(None);
        let large = BTreeMap::from([("label".to_owned(), "x".repeat(5000))]);
        (0..3).for_each(|_| events.publish(Event::new(Kind::Image, "pull", "large", large.clone())));
        assert_eq!(ids(&mut slow), ["missed 2", "large"]);
    }

    #[tokio::test]
    async fn a_waiting_subscriber_is_woken_and_ends_with_the_bus() {
        let events = Events::new();
        let mut subscription = events.subscribe(None);
        assert!(subscription.next().now_or_never().is_none());
        let publisher = events.clone();
        let waiting = tokio::spawn(async move { (subscription.next().await, subscription) });
        tokio::task::yield_now().await;
        publisher.publish(event(1));
        let (received, mut subscription) = waiting.await.unwrap();
        assert!(matches!(received, Some(Received::Event(event)) if event.id == "1"));
        let waiting = tokio::spawn(async move { StreamExt::next(&mut subscription).await });
        tokio::task::yield_now().await;
        publisher.close();
        assert_eq!(waiting.await.unwrap(), None);
        assert!(lock(&events.shared).waiting.is_empty());
    }

    #[test]
    fn a_subscription_that_is_dropped_leaves_nothing() {
        let events = Events::new();
        let mut subscription = events.subscribe(None);
        assert!(subscription.next().now_or_never().is_none());
        drop(subscription);
        assert!(lock(&events.shared).waiting.is_empty());
    }
}
