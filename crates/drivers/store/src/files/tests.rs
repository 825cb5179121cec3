//! What only this backend can show: its files, its journal, damage, a full disk, crashes.

use super::{open_files, open_files_with};
use crate::{Listing, StateStore, StoreError, Transaction, conformance};
use std::path::Path;
use std::sync::Arc;

async fn put(store: &Arc<dyn StateStore>, key: &str, value: &[u8]) -> u64 {
    store.commit(Transaction::new().put(key, value)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conformance_suite_passes() {
    let dir = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicU32::new(0);
    let empty = async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        open_files(&dir.path().join(number.to_string())).unwrap()
    };
    assert_eq!(conformance::run(empty).await, Vec::<String>::new());
    conformance::reopen(async || open_files(&dir.path().join("deep/below/again")).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conformance_suite_passes_with_many_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicU32::new(0);
    let empty = async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        open_files_with(&dir.path().join(number.to_string()), 2000).unwrap()
    };
    assert_eq!(conformance::run(empty).await, Vec::<String>::new());
}

#[tokio::test]
async fn records_are_readable_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_files(dir.path()).unwrap();
    put(&store, "volumes/data", br#"{"name":"data"}"#).await;
    let file = dir.path().join("records/volumes%2Fdata.json");
    let read: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!((&read["key"], &read["json"]["name"]), (&"volumes/data".into(), &"data".into()));
    store.commit(Transaction::new().delete("volumes/data")).await.unwrap();
    drop(store);
    assert!(!file.exists(), "a deletion's trace goes with the checkpoint");
    assert_eq!(std::fs::metadata(dir.path().join("journal")).unwrap().len(), 0);
}

#[tokio::test]
async fn the_second_to_open_learns_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_files(dir.path()).unwrap();
    let error = open_files(dir.path()).unwrap_err();
    assert!(error.to_string().contains(&format!("in use by process {}", std::process::id())), "{error}");
    drop(store);
    open_files(dir.path()).unwrap();
}

#[test]
fn a_newer_schema_is_refused_with_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_files(dir.path()).unwrap());
    let manifest = dir.path().join("manifest");
    let text = std::fs::read_to_string(&manifest).unwrap().replace("\"schema\":1", "\"schema\":7");
    std::fs::write(&manifest, text).unwrap();
    let error = open_files(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 7, known: 1, .. }), "{error}");
}

/// A closed store of some records, and what is in it.
async fn filled(dir: &Path) -> Listing {
    let store = open_files(dir).unwrap();
    for number in 0..20 {
        put(&store, &format!("k/{number}"), format!("{{\"n\":{number}}}").as_bytes()).await;
    }
    put(&store, "text", b"not json").await;
    store.list("").await.unwrap()
}

#[tokio::test]
async fn changes_by_hand_are_found_and_named() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("k%2F3.json", |dir| {
            let path = dir.join("records/k%2F3.json");
            let text = std::fs::read_to_string(&path).unwrap().replace("{\"n\":3}", "{\"n\":4}");
            std::fs::write(path, text).unwrap();
        }),
        ("k%2F4.json", |dir| std::fs::remove_file(dir.join("records/k%2F4.json")).unwrap()),
        ("k%2F5.json", |dir| {
            std::fs::copy(dir.join("records/k%2F6.json"), dir.join("records/k%2F5.json")).unwrap();
        }),
        ("mine.json", |dir| std::fs::write(dir.join("records/mine.json"), "{}").unwrap()),
        ("manifest", |dir| std::fs::remove_file(dir.join("manifest")).unwrap()),
        ("journal", |dir| {
            std::fs::write(dir.join("journal"), "something of this length is no line at all").unwrap()
        }),
    ];
    for (named, change) in changes {
        let dir = tempfile::tempdir().unwrap();
        drop(filled(dir.path()).await);
        change(dir.path());
        let error = open_files(dir.path()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{named}: {error}");
        let told = errors::chain(&error);
        assert!(told.contains(named) && told.contains("restore it from a backup"), "{named}: {told}");
    }
}

/// As a crash leaves it: what is in the journal counts, whatever became of the files.
#[tokio::test]
async fn the_journal_mends_files_that_were_not_synced() {
    let dir = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let store = open_files(dir.path()).unwrap();
    put(&store, "kept", b"{}").await;
    drop(store);
    let store = open_files(dir.path()).unwrap();
    put(&store, "a", b"[1]").await;
    put(&store, "a", b"[2]").await;
    store.commit(Transaction::new().delete("kept").put("b", *b"[3]")).await.unwrap();
    let expected = store.list("").await.unwrap();
    // What a power cut may leave of files that nobody synced: nothing, or an empty one.
    copy_tree(dir.path(), copy.path());
    std::fs::write(copy.path().join("records/a.json"), "").unwrap();
    std::fs::remove_file(copy.path().join("records/b.json")).unwrap();
    std::fs::write(copy.path().join("records/.b.json.1-1.tmp~"), "half").unwrap();
    for _ in 0..2 {
        assert_eq!(open_files(copy.path()).unwrap().list("").await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_journal_that_lost_its_end_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_files(dir.path()).unwrap();
    put(&store, "a", b"[1]").await;
    let journal = dir.path().join("journal");
    let first = std::fs::metadata(&journal).unwrap().len();
    store.commit(Transaction::new().delete("a")).await.unwrap();
    for length in [0, first, first + 10] {
        let copy = tempfile::tempdir().unwrap();
        copy_tree(dir.path(), copy.path());
        std::fs::File::options()
            .write(true)
            .open(copy.path().join("journal"))
            .unwrap()
            .set_len(length)
            .unwrap();
        let error = open_files(copy.path()).unwrap_err();
        assert!(errors::chain(&error).contains("is of 2"), "{length}: {}", errors::chain(&error));
    }
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Also under the cover of an open store: the copy is what a crash leaves.
#[tokio::test]
async fn a_flipped_bit_anywhere_gives_the_right_records_or_a_named_error() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()).await);
    let store = open_files(dir.path()).unwrap();
    put(&store, "k/1", b"[\"new\"]").await;
    store.commit(Transaction::new().delete("k/2").put("late", *b"plain")).await.unwrap();
    let right = store.list("").await.unwrap();
    let (seed, mut random) = crate::random::seeded();
    let mut found = 0;
    for round in 0..400 {
        let copy = tempfile::tempdir().unwrap();
        copy_tree(dir.path(), copy.path());
        let mut files: Vec<_> = std::fs::read_dir(copy.path().join("records"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        // A quarter of all in each of the two that matter most.
        let path = match round % 4 {
            0 => copy.path().join("journal"),
            1 => copy.path().join("manifest"),
            _ => files[random.below(files.len())].clone(),
        };
        let mut bytes = std::fs::read(&path).unwrap();
        let bit = random.below(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, bytes).unwrap();
        match open_files(copy.path()) {
            Ok(store) => {
                assert_eq!(store.list("").await.unwrap(), right, "seed {seed}, {}, bit {bit}", path.display())
            }
            Err(error) => {
                let named = matches!(error, StoreError::Damaged { .. } | StoreError::Newer { .. });
                assert!(named, "seed {seed}, {}, bit {bit}: {}", path.display(), errors::chain(&error));
                found += 1;
            }
        }
    }
    assert!(found > 100, "hardly any damage was found: {found}, seed {seed}");
}

#[tokio::test]
async fn crashing_child() {
    crate::crash::child(|path| open_files_with(path, 20_000)).await;
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    crate::crash::rounds("files::tests::crashing_child", &path, || open_files(&path)).await;
}

#[tokio::test]
async fn a_full_disk_fails_commits_until_there_is_room_but_lets_records_be_deleted() {
    let Some(mount) = crate::small_disk::SmallDisk::mount("4m") else { return };
    let dir = mount.path().join("s");
    let store = open_files(&dir).unwrap();
    put(&store, "kept", b"1").await;
    let mut number = 0;
    let error = loop {
        number += 1;
        match store.commit(Transaction::new().put(format!("k/{number}"), vec![7; 100_000])).await {
            Ok(_) => assert!(number < 100, "the disk never filled up"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Io { full: true, .. }), "{}", errors::chain(&error));
    std::fs::write(mount.path().join("ballast"), vec![0; 4 << 20]).unwrap_err();
    let before = store.list("").await.unwrap();
    // A start needs no room either.
    drop(store);
    let store = open_files(&dir).unwrap();
    assert_eq!(store.list("").await.unwrap(), before);
    for number in 1..=5 {
        store.commit(Transaction::new().delete(format!("k/{number}"))).await.unwrap();
    }
    std::fs::remove_file(mount.path().join("ballast")).unwrap();
    put(&store, "again", b"2").await;
    let after = store.list("").await.unwrap();
    assert_eq!(after.entries.len(), before.entries.len() - 4);
    drop(store);
    assert_eq!(open_files(&dir).unwrap().list("").await.unwrap(), after);
}
