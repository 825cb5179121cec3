//! What is told of an etcd that goes away.

use super::open_etcd;
use super::server::Etcd as Server;
use super::tests::{back, options, put};
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber, subscriber};

/// Takes down what is logged as a warning.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target().starts_with("store")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// On one thread, since that is who the subscriber is for.
#[tokio::test]
async fn a_store_that_goes_away_is_told_of_once_and_why() {
    let warnings = Warnings::default();
    let _guard = subscriber::set_default(warnings.clone());
    let told = || warnings.0.lock().unwrap().clone();
    let server = Server::start(&[]);
    let store = open_etcd(&options(&server, "p", "one")).await.unwrap();
    for round in 1..=2 {
        server.freeze();
        put(&store, "a", b"1").await.unwrap_err();
        let end = Instant::now() + Duration::from_secs(20);
        while told().len() < round {
            assert!(Instant::now() < end, "nothing is told of");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        put(&store, "a", b"1").await.unwrap_err();
        server.thaw();
        back(&store).await;
        let told = told();
        assert!(told.len() == round && told[round - 1].contains("no answer in time"), "{told:?}");
    }
}

/// As a commit finds it, before the keeper of the lock does.
#[tokio::test]
async fn a_lost_lock_is_told_of_as_that() {
    let warnings = Warnings::default();
    let _guard = subscriber::set_default(warnings.clone());
    let server = Server::start(&[]);
    let store = open_etcd(&options(&server, "p", "one")).await.unwrap();
    let thief = serde_json::json!({ "owner": "two", "holder": "host of two" }).to_string();
    server.control(&["put", "p/lock", &thief]);
    put(&store, "a", b"1").await.unwrap_err();
    let told = warnings.0.lock().unwrap().clone();
    assert!(told.len() == 1 && told[0].contains("are in use by"), "{told:?}");
}
