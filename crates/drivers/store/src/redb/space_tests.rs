//! The file's size, and disks without room.

use super::tests::put;
use crate::{StoreError, Transaction, open_redb};
use std::path::Path;

#[tokio::test]
async fn a_full_disk_fails_commits_until_there_is_room() {
    let Some(mount) = crate::small_disk::SmallDisk::mount("4m") else { return };
    full_disk(mount.path()).await;
}

async fn full_disk(dir: &Path) {
    let store = open_redb(&dir.join("s")).unwrap();
    put(&store, "kept", b"1").await.unwrap();
    std::fs::write(dir.join("ballast"), vec![0; 512 << 10]).unwrap();
    let mut number = 0;
    let error = loop {
        number += 1;
        match put(&store, &format!("k/{number}"), &[7; 100_000]).await {
            Ok(_) => assert!(number < 100, "the disk never filled up"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Io { full: true, .. }), "{}", errors::chain(&error));
    std::fs::remove_file(dir.join("ballast")).unwrap();
    let before = store.list("").await.unwrap();
    let revision = put(&store, "again", b"2").await.unwrap();
    assert_eq!(revision, before.revision + 1);
    assert_eq!(&*store.get("kept").await.unwrap().unwrap().value, b"1");
    assert!(store.get("again").await.unwrap().is_some());
}

#[tokio::test]
async fn a_file_that_was_large_once_becomes_small_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open_redb(&path).unwrap();
    for number in 0..80 {
        put(&store, &format!("k/{number:02}"), &vec![7; 500_000]).await.unwrap();
    }
    for number in 0..75 {
        store.commit(Transaction::new().delete(format!("k/{number:02}"))).await.unwrap();
    }
    let expected = store.list("").await.unwrap();
    drop(store);
    let before = std::fs::metadata(&path).unwrap().len();
    let store = open_redb(&path).unwrap();
    let after = std::fs::metadata(&path).unwrap().len();
    assert!(before > 40 << 20 && after < 10 << 20, "{before} became {after}");
    assert_eq!(store.list("").await.unwrap(), expected);
    put(&store, "more", b"").await.unwrap();
}

/// Somebody else fills the disk: what is there can still be deleted, so that room is made.
#[tokio::test]
async fn a_full_disk_lets_records_be_deleted() {
    let Some(mount) = crate::small_disk::SmallDisk::mount("16m") else { return };
    let store = open_redb(&mount.path().join("s")).unwrap();
    for number in 0..200 {
        put(&store, &format!("k/{number:03}"), &vec![b'v'; 3000]).await.unwrap();
    }
    std::fs::write(mount.path().join("last"), vec![0; 32 << 20]).unwrap_err();
    for number in 0..200 {
        let deleted = store.commit(Transaction::new().delete(format!("k/{number:03}"))).await;
        deleted.unwrap_or_else(|error| panic!("{number}: {}", errors::chain(&error)));
    }
    assert_eq!(store.list("").await.unwrap().entries, []);
}

/// The store itself fills the disk, to the last block.
#[tokio::test]
async fn a_disk_that_the_store_filled_lets_records_be_deleted() {
    let Some(mount) = crate::small_disk::SmallDisk::mount("4m") else { return };
    let store = open_redb(&mount.path().join("s")).unwrap();
    let mut number = 0;
    while put(&store, &format!("k/{number:04}"), &vec![b'v'; 3000]).await.is_ok() {
        number += 1;
        assert!(number < 5000);
    }
    let there = store.list("").await.unwrap();
    for (key, _) in there.entries {
        let deleted = store.commit(Transaction::new().delete(key.clone())).await;
        deleted.unwrap_or_else(|error| panic!("{key}: {}", errors::chain(&error)));
    }
}

/// Values that are replaced again and again: free pages are used, the file stays as it is.
#[tokio::test]
async fn a_file_does_not_grow_with_the_number_of_changes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open_redb(&path).unwrap();
    let round = async |value: u8| {
        for number in 0..100 {
            put(&store, &format!("k/{number:02}"), &vec![value; 5000]).await.unwrap();
        }
    };
    round(0).await;
    let early = std::fs::metadata(&path).unwrap().len();
    for value in 1..10 {
        round(value).await;
    }
    let late = std::fs::metadata(&path).unwrap().len();
    assert!(late <= early * 2, "{early} became {late}");
}
