//! `events`: what happened, and what happens.

use crate::Services;
use ::events::{Filter, Received};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::sync::Arc;
use std::time::Duration;

/// Events as they happen; `Missed` tells a client that was too slow how many it did not get.
pub type EventStream = BoxStream<'static, Received>;

/// The events that a filter wants: those kept since `since`, then, unless `until` has passed, those to come.
/// Times are nanoseconds since 1970.
pub fn events(
    services: &Arc<Services>,
    since: Option<i64>,
    until: Option<i64>,
    filter: Filter,
) -> EventStream {
    let subscription = services.events.subscribe(since);
    let wanted = move |received: &Received| match received {
        Received::Event(event) => filter.matches(event) && until.is_none_or(|until| event.at <= until),
        Received::Missed(_) => true,
    };
    let events = stream::unfold(subscription, move |mut subscription| async move {
        let received = match until {
            None => subscription.next().await,
            Some(until) => {
                // What happened already comes first, however late it is.
                let left = u64::try_from(until - crate::now()).unwrap_or(0);
                match subscription.try_next() {
                    Some(received) => Some(received),
                    None => {
                        tokio::time::timeout(Duration::from_nanos(left), subscription.next()).await.ok()?
                    }
                }
            }
        };
        received.map(|received| (received, subscription))
    });
    events.filter(move |received| std::future::ready(wanted(received))).boxed()
}
