//! Several at once.

use super::{Store, next, put, text};
use crate::{Entry, StoreError, Transaction};
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn a_watch_follows_a_list_also_while_others_write(store: Store) {
    const WRITES: u32 = 1000;
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 0..WRITES {
                put(&store, &format!("a/{}", number % 10), &number.to_string()).await;
            }
        }
    });
    let number = |entry: &Entry| std::str::from_utf8(&entry.value).unwrap().parse::<u32>().unwrap();
    while !writer.is_finished() {
        let listing = store.list("a/").await.unwrap();
        let newest = listing.entries.iter().map(|(_, entry)| entry).max_by_key(|entry| entry.modified);
        let written = newest.map_or(0, |entry| {
            assert_eq!(entry.modified, listing.revision, "a list is true at its revision");
            number(entry) + 1
        });
        let mut watch = store.watch("a/", listing.revision).await.unwrap();
        if written < WRITES {
            let change = next(&mut watch).await;
            assert_eq!(number(&change.value.unwrap()), written, "nothing is left out");
        }
    }
    writer.await.unwrap();
}

pub(super) async fn counting_up_concurrently_loses_nothing(store: Store) {
    const CLIENTS: usize = 10;
    const EACH: usize = 20;
    let begin = put(&store, "counter", "0").await;
    let mut watch = store.watch("counter", begin).await.unwrap();
    let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(count_up(Arc::clone(&store), EACH))).collect();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(text(&store, "counter").await.unwrap(), (CLIENTS * EACH).to_string());
    for expected in 1..=CLIENTS * EACH {
        let seen = next(&mut watch).await.value.unwrap().value;
        assert_eq!(std::str::from_utf8(&seen).unwrap(), expected.to_string());
    }
}

async fn count_up(store: Store, times: usize) {
    let mut done = 0;
    while done < times {
        let entry = store.get("counter").await.unwrap().unwrap();
        let value: u64 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
        let transaction = Transaction::new().unchanged("counter", entry.modified);
        match store.commit(transaction.put("counter", (value + 1).to_string().into_bytes())).await {
            Ok(_) => done += 1,
            Err(StoreError::Conflict { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Writers move amounts between accounts; whoever lists at any moment finds the same sum.
pub(super) async fn concurrent_transactions_over_two_keys_are_seen_whole(store: Store) {
    const ACCOUNTS: usize = 4;
    let all = (0..ACCOUNTS).fold(Transaction::new(), |all, n| all.put(format!("account/{n}"), *b"100"));
    store.commit(all).await.unwrap();
    let writers: Vec<_> = (0..6).map(|n| tokio::spawn(transfer(Arc::clone(&store), n, 15))).collect();
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let listing = store.list("account/").await.unwrap();
        let amounts = listing.entries.iter().map(|(_, entry)| number(entry));
        assert_eq!(amounts.sum::<i64>(), 100 * ACCOUNTS as i64);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

fn number(entry: &Entry) -> i64 {
    std::str::from_utf8(&entry.value).unwrap().parse().unwrap()
}

async fn transfer(store: Store, writer: usize, times: usize) {
    let mut done = 0;
    while done < times {
        let (from, to) =
            (format!("account/{}", (writer + done) % 4), format!("account/{}", (writer + 2 * done + 1) % 4));
        if from == to {
            done += 1;
            continue;
        }
        let (old, new) = (store.get(&from).await.unwrap().unwrap(), store.get(&to).await.unwrap().unwrap());
        let amount = |entry: &Entry, more: i64| (number(entry) + more).to_string().into_bytes();
        let move_one = Transaction::new().unchanged(&from, old.modified).unchanged(&to, new.modified);
        let move_one = move_one.put(&from, amount(&old, -1)).put(&to, amount(&new, 1));
        match store.commit(move_one).await {
            Ok(_) => done += 1,
            Err(StoreError::Conflict { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}
