//! What only this backend can show: its file, its lock, its history, a full disk and a crash.

use super::open_redb_with;
use crate::history::Limits;
use crate::{StateStore, StoreError, Transaction, conformance, open_redb};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const SMALL: Limits = Limits { changes: 10, bytes: 1 << 20 };

pub(super) async fn put(store: &Arc<dyn StateStore>, key: &str, value: &[u8]) -> Result<u64, StoreError> {
    store.commit(Transaction::new().put(key, value)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conformance_suite_passes() {
    let dir = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicU32::new(0);
    let empty = async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        open_redb(&dir.path().join(number.to_string())).unwrap()
    };
    assert_eq!(conformance::run(empty).await, Vec::<String>::new());
    conformance::reopen(async || open_redb(&dir.path().join("deep/below/again")).unwrap()).await;
}

#[tokio::test]
async fn a_slow_watcher_is_told_to_list_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_redb_with(&dir.path().join("s"), SMALL).unwrap();
    let mut slow = store.watch("", 0).await.unwrap();
    for number in 0..30 {
        put(&store, &format!("k/{number}"), b"").await.unwrap();
    }
    assert!(matches!(slow.next().await, Some(Err(StoreError::Compacted { from: 0, oldest: 20 }))));
    assert!(matches!(store.watch("", 19).await, Err(StoreError::Compacted { from: 19, oldest: 20 })));
    let mut kept = store.watch("", 20).await.unwrap();
    assert_eq!(kept.next().await.unwrap().unwrap().revision, 21);
    drop(store);
    while let Some(change) = kept.next().await {
        change.unwrap();
    }
}

#[tokio::test]
async fn a_revision_is_forgotten_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_redb_with(&dir.path().join("s"), SMALL).unwrap();
    put(&store, "first", b"").await.unwrap();
    let eleven = (0..11).fold(Transaction::new(), |all, number| all.put(format!("k/{number}"), *b""));
    store.commit(eleven).await.unwrap();
    assert!(matches!(store.watch("", 1).await, Err(StoreError::Compacted { oldest: 2, .. })));
    store.watch("", 2).await.unwrap();
}

#[tokio::test]
async fn the_second_to_open_learns_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open_redb(&path).unwrap();
    let error = open_redb(&path).unwrap_err();
    let expected = format!("in use by process {}", std::process::id());
    assert!(error.to_string().contains(&expected), "{error}");
    drop(store);
    open_redb(&path).unwrap();
}

#[test]
fn a_newer_schema_is_refused_with_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    drop(open_redb(&path).unwrap());
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(super::file::META).unwrap().insert("schema", 7).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = open_redb(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 7, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("start the newer version"), "{error}");
}

/// Whatever happens to the bytes, opening says so or the records are right: no panic, no wrong record.
#[tokio::test]
async fn damage_anywhere_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open_redb(&path).unwrap();
    for number in 0..200 {
        put(&store, &format!("k/{number}"), &[b'v'; 300]).await.unwrap();
    }
    let listing = store.list("").await.unwrap();
    drop(store);
    let sound = std::fs::read(&path).unwrap();
    let mut found = 0;
    for place in (0..sound.len()).step_by(sound.len() / 150) {
        let mut bytes = sound.clone();
        let end = (place + 64).min(bytes.len());
        bytes[place..end].iter_mut().for_each(|byte| *byte ^= 0x5a);
        std::fs::write(&path, bytes).unwrap();
        found += usize::from(refused_or_right(&path, &listing).await);
    }
    for length in [1, 100, 4096, sound.len() / 2, sound.len() - 1] {
        std::fs::write(&path, &sound[..length]).unwrap();
        found += usize::from(refused_or_right(&path, &listing).await);
    }
    assert!(found > 10, "hardly any damage was found: {found}");
}

async fn refused_or_right(path: &Path, listing: &crate::Listing) -> bool {
    match open_redb(path) {
        Ok(store) => {
            assert_eq!(&store.list("").await.unwrap(), listing);
            false
        }
        Err(error) => {
            assert!(matches!(error, StoreError::Damaged { .. }), "{}", errors::chain(&error));
            assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
            true
        }
    }
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    for foreign in [&b""[..], b"{\"containers\": {}}", &[0; 100_000]] {
        std::fs::write(&path, foreign).unwrap();
        let error = open_redb(&path).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{}", errors::chain(&error));
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(open_redb(&path), Err(StoreError::Open { .. })));
}

#[test]
fn a_first_start_that_crashed_does_not_stop_the_second() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("s.new"), b"half a file").unwrap();
    open_redb(&dir.path().join("s")).unwrap();
    assert!(!dir.path().join("s.new").exists());
}

#[tokio::test]
async fn crashing_child() {
    crate::crash::child(open_redb).await;
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    crate::crash::rounds("redb::tests::crashing_child", &path, || open_redb(&path)).await;
}

/// A bit in the header may take the file back to the transaction before: that must not pass for the state.
#[tokio::test]
async fn a_flipped_bit_anywhere_gives_the_right_records_or_a_named_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open_redb(&path).unwrap();
    for number in 0..50 {
        put(&store, &format!("k/{}", number % 20), format!("{{\"n\":{number}}}").as_bytes()).await.unwrap();
    }
    let listing = store.list("").await.unwrap();
    // As a crash leaves it, and as a close does.
    let crashed = std::fs::read(&path).unwrap();
    drop(store);
    let closed = std::fs::read(&path).unwrap();
    let (seed, mut random) = crate::random::seeded();
    let mut found = 0;
    for round in 0..300 {
        let mut bytes = if round % 2 == 0 { crashed.clone() } else { closed.clone() };
        let within = if round % 3 == 0 { bytes.len() } else { 512 };
        let bit = random.below(within * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, bytes).unwrap();
        match open_redb(&path) {
            Ok(store) => {
                assert_eq!(store.list("").await.unwrap(), listing, "seed {seed}, round {round}, bit {bit}")
            }
            Err(error) => {
                let named = matches!(error, StoreError::Damaged { .. } | StoreError::Newer { .. });
                assert!(named, "seed {seed}, round {round}, bit {bit}: {}", errors::chain(&error));
                found += 1;
            }
        }
    }
    assert!(found > 10, "hardly any damage was found: {found}, seed {seed}");
}

/// Somebody who puts an older copy there is told how to make it count.
#[tokio::test]
async fn an_older_copy_counts_only_on_purpose() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open_redb(&path).unwrap();
    put(&store, "a", b"1").await.unwrap();
    drop(store);
    let copy = std::fs::read(&path).unwrap();
    let store = open_redb(&path).unwrap();
    put(&store, "a", b"2").await.unwrap();
    drop(store);
    std::fs::write(&path, copy).unwrap();
    let told = errors::chain(&open_redb(&path).unwrap_err());
    assert!(told.contains("at revision 1, though revision 2") && told.contains("s.mark"), "{told}");
    std::fs::remove_file(dir.path().join("s.mark")).unwrap();
    assert_eq!(open_redb(&path).unwrap().list("").await.unwrap().revision, 1);
}

/// What the error of a damaged store advises.
#[tokio::test]
async fn a_store_that_was_moved_away_makes_room_for_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open_redb(&path).unwrap();
    put(&store, "a", b"1").await.unwrap();
    drop(store);
    std::fs::rename(&path, dir.path().join("away")).unwrap();
    for _ in 0..2 {
        assert_eq!(open_redb(&path).unwrap().list("").await.unwrap().revision, 0);
    }
}

/// A store that is made with records is the one that they are from, in both local backends.
#[tokio::test]
async fn a_copy_has_the_same_revisions() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_redb(&dir.path().join("from")).unwrap();
    for number in 0..100 {
        put(&store, &format!("k/{}", number % 30), format!("{number}").as_bytes()).await.unwrap();
    }
    let listing = store.list("").await.unwrap();
    let (to, files) = (dir.path().join("to"), dir.path().join("files"));
    crate::create_redb(&to, &listing).unwrap();
    crate::create_files(&files, &listing).unwrap();
    for copy in [open_redb(&to).unwrap(), crate::open_files(&files).unwrap()] {
        assert_eq!(copy.list("").await.unwrap(), listing);
        assert_eq!(put(&copy, "more", b"").await.unwrap(), listing.revision + 1);
    }
    assert!(matches!(crate::create_redb(&to, &listing), Err(StoreError::NotEmpty { .. })));
    assert!(matches!(crate::create_files(&files, &listing), Err(StoreError::NotEmpty { .. })));
}

/// A reader must not stand in a queue behind the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_answered_while_commits_are_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_redb(&dir.path().join("s")).unwrap();
    put(&store, "k/0", b"0").await.unwrap();
    let large = Transaction::new().put("large", vec![1; 8 << 20]);
    let commit = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(large).await }
    });
    let mut reads = 0_u32;
    while !commit.is_finished() {
        assert!(store.get("k/0").await.unwrap().is_some());
        reads += 1;
        tokio::task::yield_now().await;
    }
    commit.await.unwrap().unwrap();
    assert!(reads > 20, "only {reads} reads during a large commit");
    tokio::time::timeout(Duration::from_secs(5), store.list("")).await.unwrap().unwrap();
}
