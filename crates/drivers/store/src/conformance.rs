//! The suite that every backend must pass.
//!
//! A backend's test calls [`run`] with a way to get an empty store, and [`reopen`] with a way to open the same one
//! again, and asserts that nothing failed.

mod concurrent;

use crate::{Change, StateStore, StoreError, Transaction, Watch};
use concurrent::{
    a_watch_follows_a_list_also_while_others_write, concurrent_transactions_over_two_keys_are_seen_whole,
    counting_up_concurrently_loses_nothing,
};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

type Store = Arc<dyn StateStore>;
type Case = fn(Store) -> BoxFuture<'static, ()>;

/// How long a change may take to arrive; only a failure waits that long.
const PATIENCE: Duration = Duration::from_secs(10);

macro_rules! cases {
    ($($name:ident),* $(,)?) => { [$((stringify!($name), (|store| Box::pin($name(store))) as Case)),*] };
}

/// Runs each case on a store of its own and returns the names of those that failed, each with what it said.
pub async fn run(empty: impl AsyncFn() -> Store) -> Vec<String> {
    let cases = cases![
        puts_are_read_back_with_their_revisions,
        a_key_that_comes_again_is_created_anew,
        lists_are_ordered_and_limited_to_their_prefix,
        a_transaction_is_one_revision_and_all_or_nothing,
        comparisons_hold_or_name_the_key,
        what_changes_nothing_takes_no_revision,
        malformed_transactions_are_refused,
        values_may_be_empty_or_large,
        a_watch_follows_a_list_without_gap,
        a_watch_follows_a_list_also_while_others_write,
        a_watch_replays_what_is_kept,
        a_watch_from_the_future_is_refused,
        counting_up_concurrently_loses_nothing,
        concurrent_transactions_over_two_keys_are_seen_whole,
        a_transaction_may_be_long,
        a_commit_goes_on_when_nobody_waits,
    ];
    let mut failed = Vec::new();
    for (name, case) in cases {
        if let Err(error) = tokio::spawn(case(empty().await)).await {
            failed.push(format!("{name}: {error}"));
        }
    }
    failed
}

/// Whether a store keeps everything when it is closed and opened again.
pub async fn reopen(open: impl AsyncFn() -> Store) {
    let store = open().await;
    let begin = store.list("").await.unwrap().revision;
    put(&store, "a/1", "x").await;
    put(&store, "a/1", "y").await;
    put(&store, "a/2", "z").await;
    store.commit(Transaction::new().delete("a/2")).await.unwrap();
    let before = store.list("").await.unwrap();
    drop(store);

    let store = open().await;
    let after = store.list("").await.unwrap();
    assert_eq!(after.entries, before.entries);
    assert!(after.revision >= before.revision);
    let mut watch = store.watch("", after.revision).await.unwrap();
    let revision = put(&store, "a/3", "new").await;
    assert!(revision > after.revision, "revisions go on");
    assert_eq!(next(&mut watch).await.key, "a/3");
    // A backend may remember older changes or not, but must not skip them.
    match store.watch("", begin).await {
        Ok(mut watch) => {
            assert_eq!(next(&mut watch).await.value.map(|entry| entry.value), Some((*b"x").into()))
        }
        Err(error) => assert!(matches!(error, StoreError::Compacted { .. }), "{error}"),
    }
}

async fn put(store: &Store, key: &str, value: &str) -> u64 {
    store.commit(Transaction::new().put(key, value.as_bytes())).await.unwrap()
}

async fn text(store: &Store, key: &str) -> Option<String> {
    let entry = store.get(key).await.unwrap()?;
    Some(String::from_utf8(entry.value.to_vec()).unwrap())
}

async fn next(watch: &mut Watch) -> Change {
    tokio::time::timeout(PATIENCE, watch.next()).await.expect("no change came").unwrap().unwrap()
}

async fn puts_are_read_back_with_their_revisions(store: Store) {
    assert_eq!(store.get("a").await.unwrap(), None);
    let first = put(&store, "a", "1").await;
    let second = put(&store, "a", "2").await;
    assert!(second > first);
    let entry = store.get("a").await.unwrap().unwrap();
    assert_eq!((&*entry.value, entry.created, entry.modified), (&b"2"[..], first, second));
    store.commit(Transaction::new().delete("a")).await.unwrap();
    assert_eq!(store.get("a").await.unwrap(), None);
}

async fn a_key_that_comes_again_is_created_anew(store: Store) {
    put(&store, "a", "1").await;
    store.commit(Transaction::new().delete("a")).await.unwrap();
    let again = put(&store, "a", "2").await;
    assert_eq!(store.get("a").await.unwrap().unwrap().created, again);
}

async fn lists_are_ordered_and_limited_to_their_prefix(store: Store) {
    for key in ["b/2", "b/10", "b", "b/1", "c/1", "bc/1", "b/ü"] {
        put(&store, key, key).await;
    }
    let last = put(&store, "a/1", "").await;
    let listing = store.list("b/").await.unwrap();
    assert_eq!(listing.revision, last);
    let keys: Vec<_> = listing.entries.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["b/1", "b/10", "b/2", "b/ü"]);
    assert_eq!(store.list("").await.unwrap().entries.len(), 8);
    assert_eq!(store.list("zzz").await.unwrap().entries, []);
}

async fn a_transaction_is_one_revision_and_all_or_nothing(store: Store) {
    let both = Transaction::new().absent("name").put("name", *b"1").put("record", *b"r");
    let revision = store.commit(both.clone()).await.unwrap();
    for key in ["name", "record"] {
        assert_eq!(store.get(key).await.unwrap().unwrap().modified, revision);
    }
    let before = store.list("").await.unwrap();
    let taken = both.put("other", *b"o").delete("third");
    assert!(matches!(store.commit(taken).await, Err(StoreError::Conflict { .. })));
    assert_eq!(store.list("").await.unwrap(), before);
}

async fn comparisons_hold_or_name_the_key(store: Store) {
    let revision = put(&store, "a", "1").await;
    let changing = |transaction: Transaction| store.commit(transaction.put("x", *b"x"));
    changing(Transaction::new().unchanged("a", revision).present("a").absent("b")).await.unwrap();
    for (transaction, key, found) in [
        (Transaction::new().unchanged("a", revision + 1), "a", Some(revision)),
        (Transaction::new().absent("a"), "a", Some(revision)),
        (Transaction::new().present("b"), "b", None),
        (Transaction::new().unchanged("b", 0), "b", None),
        (Transaction::new().present("a").present("c").present("b"), "c", None),
    ] {
        match changing(transaction.clone()).await {
            Err(StoreError::Conflict { key: named, found: seen, .. }) => {
                assert_eq!((named.as_str(), seen), (key, found));
            }
            other => panic!("{transaction:?}: {other:?}"),
        }
    }
}

async fn what_changes_nothing_takes_no_revision(store: Store) {
    let revision = put(&store, "a", "1").await;
    for nothing in
        [Transaction::new(), Transaction::new().present("a"), Transaction::new().delete("b").delete("c")]
    {
        assert_eq!(store.commit(nothing).await.unwrap(), revision);
    }
    assert_eq!(store.list("").await.unwrap().revision, revision);
}

async fn malformed_transactions_are_refused(store: Store) {
    let before = store.list("").await.unwrap();
    for bad in ["", "/a", "a/", "a//b", "../a", "a/./b", "a\nb", &"k".repeat(1025)] {
        let error = store.commit(Transaction::new().put(bad, *b"")).await.unwrap_err();
        assert!(matches!(error, StoreError::BadKey { .. }), "{bad}: {error}");
        assert!(store.get(bad).await.is_err(), "{bad}");
    }
    let twice = Transaction::new().put("a", *b"").delete("a");
    assert!(matches!(store.commit(twice).await, Err(StoreError::DuplicateKey { key }) if key == "a"));
    assert_eq!(store.list("").await.unwrap(), before);
}

async fn values_may_be_empty_or_large(store: Store) {
    let large: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    store.commit(Transaction::new().put("empty", *b"").put("large", large.clone())).await.unwrap();
    assert_eq!(store.get("empty").await.unwrap().unwrap().value.len(), 0);
    assert_eq!(*store.get("large").await.unwrap().unwrap().value, large[..]);
}

async fn a_watch_follows_a_list_without_gap(store: Store) {
    put(&store, "a/old", "").await;
    let listing = store.list("a/").await.unwrap();
    let mut watch = store.watch("a/", listing.revision).await.unwrap();
    put(&store, "b/other", "").await;
    let revision =
        store.commit(Transaction::new().put("a/1", *b"v").put("b/1", *b"").put("a/2", *b"")).await.unwrap();
    let deleted = store.commit(Transaction::new().delete("a/old")).await.unwrap();

    let first = next(&mut watch).await;
    assert_eq!((first.key.as_str(), first.revision), ("a/1", revision));
    assert_eq!(first.value.as_ref(), store.get("a/1").await.unwrap().as_ref());
    let second = next(&mut watch).await;
    assert_eq!((second.key.as_str(), second.revision), ("a/2", revision));
    let third = next(&mut watch).await;
    assert_eq!(third, Change { revision: deleted, key: "a/old".into(), value: None });
}

async fn a_watch_replays_what_is_kept(store: Store) {
    let first = put(&store, "a/1", "").await;
    put(&store, "a/2", "").await;
    put(&store, "a/3", "").await;
    let mut watch = store.watch("a/", first).await.unwrap();
    assert_eq!(next(&mut watch).await.key, "a/2");
    assert_eq!(next(&mut watch).await.key, "a/3");
    put(&store, "a/4", "").await;
    assert_eq!(next(&mut watch).await.key, "a/4");
}

async fn a_watch_from_the_future_is_refused(store: Store) {
    let revision = put(&store, "a", "").await;
    let error = store.watch("", revision + 1).await.unwrap_err();
    assert!(matches!(error, StoreError::FutureRevision { current, .. } if current == revision), "{error}");
}

async fn a_transaction_may_be_long(store: Store) {
    const MANY: usize = 1000;
    let puts = (0..MANY).fold(Transaction::new(), |all, n| all.put(format!("many/{n}"), *b"{}"));
    let refused = store.commit(puts.clone().present("absent")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict { .. }), "{refused}");
    assert_eq!(store.list("many/").await.unwrap().entries, []);
    let revision = store.commit(puts).await.unwrap();
    let listing = store.list("many/").await.unwrap();
    assert_eq!(listing.entries.len(), MANY);
    assert!(listing.entries.iter().all(|(_, entry)| entry.modified == revision));
    let mut watch = store.watch("many/", revision).await.unwrap();
    let deletes = (0..MANY).fold(Transaction::new(), |all, n| all.delete(format!("many/{n}")));
    let deleted = store.commit(deletes.clone()).await.unwrap();
    assert_eq!(store.list("many/").await.unwrap().entries, []);
    for _ in 0..MANY {
        assert_eq!(next(&mut watch).await.revision, deleted);
    }
    assert_eq!(store.commit(deletes).await.unwrap(), deleted, "nothing was left to delete");
}

async fn a_commit_goes_on_when_nobody_waits(store: Store) {
    let begin = store.list("").await.unwrap().revision;
    let mut watch = store.watch("", begin).await.unwrap();
    drop(store.commit(Transaction::new().put("a", *b"1")));
    assert_eq!(next(&mut watch).await.key, "a");
    assert_eq!(text(&store, "a").await.as_deref(), Some("1"));
}
