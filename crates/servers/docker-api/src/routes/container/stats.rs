//! `GET /containers/{id}/stats`: a sample a second, or one.

use crate::http::answer::{Answer, json};
use crate::http::lines;
use crate::http::query::Query;
use crate::present::stats::stats as present;
use crate::routes::Context;
use axum::extract::{Path, State};
use engine::Services;
use engine::container::Stats;
use futures_util::{Stream, stream};
use std::sync::Arc;
use std::time::Duration;

const PERIOD: Duration = Duration::from_secs(1);

pub(super) async fn stats(State(api): Context, Path(id): Path<String>, query: Query) -> Answer {
    let first = engine::container::stats(&api.services, &id).await?;
    if query.flag_or("stream", true) {
        let samples = samples(Arc::clone(&api.services), first);
        return Ok(lines::growing("application/json", samples, api.shutdown.clone()));
    }
    // What a processor does is a difference of two samples, unless the client makes the difference itself.
    if query.flag("one-shot") || first.cgroup.is_none() {
        return json(&present(&first, None));
    }
    tokio::time::sleep(PERIOD).await;
    let second = engine::container::stats(&api.services, &id).await?;
    json(&present(&second, Some(&first)))
}

/// Ends when the container is gone.
fn samples(services: Arc<Services>, first: Stats) -> impl Stream<Item = bytes::Bytes> + Send + 'static {
    // Delays don't pile up: a client that is slow gets fewer samples.
    let mut clock = tokio::time::interval(PERIOD);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let start = (services, clock, None, Some(first));
    stream::unfold(start, |(services, mut clock, before, ready): (_, _, Option<Stats>, _)| async move {
        clock.tick().await;
        let sample = match (ready, &before) {
            (Some(first), _) => first,
            (None, Some(before)) => engine::container::stats(&services, before.id.as_str()).await.ok()?,
            (None, None) => return None,
        };
        let line = lines::line(&present(&sample, before.as_ref()));
        Some((line, (services, clock, Some(sample), None)))
    })
}
