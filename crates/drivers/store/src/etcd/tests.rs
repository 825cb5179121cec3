//! What only this backend can show: a server that is away, several engines, limits, users.

use super::server::Etcd as Server;
use super::{Options, fill_etcd, open_etcd};
use crate::{StateStore, StoreError, Transaction, conformance};
use errors::{Class, Classified};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(super) type Store = Arc<dyn StateStore>;

pub(super) fn options(server: &Server, prefix: &str, owner: &str) -> Options {
    let mut options =
        Options::new(vec![server.url()], prefix.to_owned(), owner.to_owned(), format!("host of {owner}"));
    options.lease = Duration::from_secs(2);
    options
}

pub(super) async fn put(store: &Store, key: &str, value: &[u8]) -> Result<u64, StoreError> {
    store.commit(Transaction::new().put(key, value)).await
}

async fn value(store: &Store, key: &str) -> Option<Vec<u8>> {
    store.get(key).await.unwrap().map(|entry| entry.value.to_vec())
}

/// Tries until the store takes changes again.
pub(super) async fn back(store: &Store) {
    let end = Instant::now() + Duration::from_secs(20);
    while let Err(error) = put(store, "back", b"1").await {
        assert!(Instant::now() < end, "{}", errors::chain(&error));
        assert_eq!(error.class(), Class::Unavailable, "{}", errors::chain(&error));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conformance_suite_passes() {
    let server = Server::start(&[]);
    let number = AtomicU32::new(0);
    let empty = async || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        open_etcd(&options(&server, &format!("engines/{number}"), "one")).await.unwrap()
    };
    assert_eq!(conformance::run(empty).await, Vec::<String>::new());
    conformance::reopen(async || open_etcd(&options(&server, "again", "one")).await.unwrap()).await;
}

/// Others write to the same etcd all the time: revisions have gaps, and nothing of theirs is seen.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_write_is_not_seen() {
    let server = Server::start(&[]);
    let other = open_etcd(&options(&server, "engine", "one")).await.unwrap();
    // Begins with the same letters.
    let store = open_etcd(&options(&server, "engine2", "two")).await.unwrap();
    put(&other, "a", b"other").await.unwrap();
    let begin = store.list("").await.unwrap();
    assert_eq!(begin.entries, []);
    let first = put(&store, "a", b"1").await.unwrap();
    put(&other, "b", b"other").await.unwrap();
    let second = put(&store, "a", b"2").await.unwrap();
    assert!(second > first + 1);
    let mut watch = store.watch("", begin.revision).await.unwrap();
    for revision in [first, second] {
        assert_eq!(watch.next().await.unwrap().unwrap().revision, revision);
    }
    assert_eq!(value(&other, "a").await.unwrap(), b"other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_fails_changes_clearly_and_catches_up() {
    let server = Server::start(&[]);
    let store = open_etcd(&options(&server, "p", "one")).await.unwrap();
    put(&store, "a", b"1").await.unwrap();
    let mut watch = store.watch("", store.list("").await.unwrap().revision).await.unwrap();
    server.freeze();
    let begin = Instant::now();
    let error = put(&store, "a", b"2").await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
    assert_eq!(error.class(), Class::Unavailable);
    let told = error.to_string();
    for part in [server.url().as_str(), "containers go on", "whether this change was made"] {
        assert!(told.contains(part), "{told}");
    }
    // The second one was not even sent.
    let error = put(&store, "b", b"2").await.unwrap_err();
    assert!(!error.to_string().contains("whether this change"), "{error}");
    assert_eq!(value(&store, "a").await.unwrap(), b"1", "reads go on");
    server.thaw();
    back(&store).await;
    assert_eq!(value(&store, "b").await, None);
    // Made or not, what is read is what etcd has, and the watch saw it.
    let stored = server.control(&["get", "--print-value-only", "p/records/a"]);
    assert_eq!(value(&store, "a").await.unwrap(), stored.trim_end().as_bytes());
    let mut seen = Vec::new();
    while seen.last().map(String::as_str) != Some("back") {
        seen.push(watch.next().await.unwrap().unwrap().key);
    }
    assert_eq!(seen.len(), 1 + usize::from(stored.trim_end() == "2"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_also_after_the_lock_ran_out() {
    let mut server = Server::start(&[]);
    let store = open_etcd(&options(&server, "p", "one")).await.unwrap();
    let first = put(&store, "a", b"1").await.unwrap();
    for pause in [0, 4] {
        server.kill();
        let error = put(&store, "b", b"1").await.unwrap_err();
        assert_eq!(error.class(), Class::Unavailable, "{error}");
        assert_eq!(store.list("").await.unwrap().entries[0].1.modified, first);
        tokio::time::sleep(Duration::from_secs(pause)).await;
        server.start_again();
        back(&store).await;
        assert_eq!(value(&store, "b").await, None, "a refused change was not made");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn history_that_etcd_forgot_is_listed_again() {
    let server = Server::start(&[]);
    let store = open_etcd(&options(&server, "p", "one")).await.unwrap();
    put(&store, "a", b"1").await.unwrap();
    let from = store.list("").await.unwrap().revision;
    let mut watch = store.watch("", from).await.unwrap();
    // While the watch stands still somebody changes a record behind our back, and etcd forgets how.
    let shared_away = {
        server.freeze();
        put(&store, "b", b"1").await.unwrap_err()
    };
    assert_eq!(shared_away.class(), Class::Unavailable);
    server.thaw();
    for number in 0..5 {
        server.control(&["put", "p/records/a", &number.to_string()]);
    }
    let revision: serde_json::Value =
        serde_json::from_str(&server.control(&["get", "p/records/a", "-w", "json"])).unwrap();
    server.control(&["compact", &revision["header"]["revision"].to_string()]);
    back(&store).await;
    assert_eq!(value(&store, "a").await.unwrap(), b"4");
    // Either the watch was quick enough to see all, or it says that it was not.
    let mut values = Vec::new();
    loop {
        match watch.next().await.unwrap() {
            Ok(change) if change.key == "back" => break,
            Ok(change) if change.key == "a" => values.push(change.value.unwrap().value.to_vec()),
            Ok(_) => {}
            Err(error) => {
                assert!(matches!(error, StoreError::Compacted { .. }), "{error}");
                return;
            }
        }
    }
    assert_eq!(values, ["0", "1", "2", "3", "4"].map(|value| value.as_bytes().to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_is_one_engines() {
    let server = Server::start(&[]);
    let store = open_etcd(&options(&server, "p", "one")).await.unwrap();
    put(&store, "a", b"1").await.unwrap();
    let error = open_etcd(&options(&server, "p", "two")).await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict);
    for part in ["host of one", "state.etcd.prefix", "2 seconds"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    open_etcd(&options(&server, "q", "two")).await.unwrap();
    // Longer than the lease: it is kept.
    tokio::time::sleep(Duration::from_secs(4)).await;
    open_etcd(&options(&server, "p", "two")).await.unwrap_err();
    drop(store);
    let end = Instant::now() + Duration::from_secs(5);
    let taken = loop {
        match open_etcd(&options(&server, "p", "two")).await {
            Ok(store) => break store,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(value(&taken, "a").await.unwrap(), b"1");
}

/// An engine that was cut off too long finds another one in its place: it must not write any more.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_lost_its_lock_writes_nothing() {
    let server = Server::start(&[]);
    let store = open_etcd(&options(&server, "p", "one")).await.unwrap();
    put(&store, "a", b"1").await.unwrap();
    let thief = serde_json::json!({ "owner": "two", "holder": "host of two" }).to_string();
    server.control(&["put", "p/lock", &thief]);
    let error = put(&store, "a", b"2").await.unwrap_err();
    assert!(matches!(error, StoreError::HeldByEngine { .. }), "{error}");
    assert!(error.to_string().contains("host of two"), "{error}");
    assert_eq!(value(&store, "a").await.unwrap(), b"1");
    server.control(&["del", "p/lock"]);
    let end = Instant::now() + Duration::from_secs(10);
    while put(&store, "a", b"3").await.is_err() {
        assert!(Instant::now() < end);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_named() {
    let server = Server::start(&[]);
    let store = open_etcd(&options(&server, "p", "one")).await.unwrap();
    let before = store.list("").await.unwrap();
    let large = put(&store, "large", &vec![b'x'; 3 << 20]).await.unwrap_err();
    assert!(large.to_string().contains("--max-request-bytes"), "{large}");
    let long = (0..5000).fold(Transaction::new(), |all, n| all.put(format!("k/{n}"), *b""));
    let long = store.commit(long).await.unwrap_err();
    assert!(matches!(long, StoreError::TooLarge { found: 5000, limit: 4096, .. }), "{long}");
    let compared = (0..200).fold(Transaction::new().put("a", *b""), |all, n| all.absent(format!("k/{n}")));
    let compared = store.commit(compared).await.unwrap_err();
    assert!(matches!(compared, StoreError::TooLarge { what: "comparisons", .. }), "{compared}");
    for error in [large, long, compared] {
        assert_eq!(error.class(), Class::Invalid);
    }
    assert_eq!(store.list("").await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_and_bad_options_are_refused() {
    let server = Server::start(&[]);
    drop(open_etcd(&options(&server, "p", "one")).await.unwrap());
    server.control(&["put", "p/schema", "7"]);
    let error = open_etcd(&options(&server, "p", "one")).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 7, known: 1, .. }), "{error}");
    let nobody = Options::new(vec!["http://127.0.0.1:1".to_owned()], "p".into(), "o".into(), "h".into());
    let begin = Instant::now();
    let error = open_etcd(&nobody).await.unwrap_err();
    assert!(error.to_string().contains("http://127.0.0.1:1 does not answer"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    for endpoints in [vec![], vec!["127.0.0.1:2379".to_owned()]] {
        let error = open_etcd(&Options { endpoints, ..nobody.clone() }).await.unwrap_err();
        assert_eq!(error.class(), Class::Invalid, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_copied_in_whole_or_not_opened() {
    let server = Server::start(&[]);
    let entry = |n: usize| crate::Entry { value: vec![b'v'; n].into(), created: 1, modified: 2 };
    let entries = (0..700).map(|n| (format!("k/{n:04}"), entry(n * 3))).collect();
    let listing = crate::Listing { revision: 5, entries };
    let options = options(&server, "p", "one");
    fill_etcd(&options, &listing, false).await.unwrap();
    let values = |listing: &crate::Listing| -> Vec<_> {
        listing.entries.iter().map(|(key, entry)| (key.clone(), entry.value.clone())).collect()
    };
    let store = open_etcd(&options).await.unwrap();
    assert_eq!(values(&store.list("").await.unwrap()), values(&listing));
    drop(store);
    fill_etcd(&options, &listing, false).await.expect("it was cut off after its end");
    let less = crate::Listing { revision: 5, entries: listing.entries[..10].to_vec() };
    let error = fill_etcd(&options, &less, false).await.unwrap_err();
    assert!(matches!(error, StoreError::NotEmpty { .. }), "{error}");
    // As a copy leaves it that was cut off.
    server.control(&["put", "p/records/state/half-copied", "true"]);
    let error = open_etcd(&options).await.unwrap_err();
    assert!(matches!(error, StoreError::HalfCopied { .. }), "{error}");
    fill_etcd(&options, &less, false).await.unwrap();
    fill_etcd(&options, &listing, true).await.unwrap();
    fill_etcd(&options, &less, true).await.unwrap();
    let store = open_etcd(&options).await.unwrap();
    assert_eq!(values(&store.list("").await.unwrap()), values(&less));
}

/// One member of two that never answers.
#[tokio::test(flavor = "multi_thread")]
async fn another_member_is_asked() {
    let server = Server::start(&[]);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = options(&server, "p", "one");
    options.endpoints = vec![
        "http://127.0.0.1:1".to_owned(),
        format!("http://{}", silent.local_addr().unwrap()),
        server.url(),
    ];
    options.patience = Duration::from_secs(6);
    let store = open_etcd(&options).await.unwrap();
    put(&store, "a", b"1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_passwords() {
    // Tokens that soon run out.
    let server = Server::start(&["--auth-token-ttl", "2"]);
    for words in [
        &["user", "add", "root:secret"][..],
        &["user", "add", "engine:word"],
        &["role", "add", "engine"],
        &["role", "grant-permission", "--prefix=true", "engine", "readwrite", "p/"],
        &["user", "grant-role", "engine", "engine"],
        &["role", "add", "root"],
        &["user", "grant-role", "root", "root"],
        &["auth", "enable"],
    ] {
        server.control(words);
    }
    let error = open_etcd(&options(&server, "p", "one")).await.unwrap_err();
    assert!(error.to_string().contains("state.etcd.user"), "{error}");
    let with = |prefix: &str, password: &str| Options {
        user: Some("engine".to_owned()),
        password: Some(password.to_owned()),
        ..options(&server, prefix, "one")
    };
    let error = open_etcd(&with("p", "wrong")).await.unwrap_err();
    assert!(error.to_string().contains("authentication failed"), "{error}");
    let error = open_etcd(&with("elsewhere", "word")).await.unwrap_err();
    assert_eq!(error.class(), Class::Denied, "{error}");
    let store = open_etcd(&with("p", "word")).await.unwrap();
    put(&store, "a", b"1").await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    put(&store, "a", b"2").await.unwrap();
    assert_eq!(value(&store, "a").await.unwrap(), b"2");
}
