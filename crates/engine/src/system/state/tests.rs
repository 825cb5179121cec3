//! The ways between the local drivers; etcd's are walked end to end.

use super::super::StoreAge;
use super::{export_offline, import, migrate, open, place};
use config::{Settings, StateDriver};
use errors::Class;
use std::path::Path;
use store::{Entry, Listing, Transaction};

fn settings(root: &tempfile::TempDir, driver: StateDriver) -> Settings {
    let mut settings = Settings::default();
    settings.runtime.root_dir = root.path().to_owned();
    settings.state.driver = driver;
    settings
}

async fn fill(settings: &Settings) -> Listing {
    let store = open(settings).await.unwrap();
    for number in 0..30 {
        let key = format!("containers/{}", number % 20);
        store.commit(Transaction::new().put(key, format!("{{\"n\":{number}}}").into_bytes())).await.unwrap();
    }
    store.list("").await.unwrap()
}

async fn records(settings: &Settings) -> Listing {
    open(settings).await.unwrap().list("").await.unwrap()
}

#[tokio::test]
async fn records_go_to_another_driver_and_back_with_their_revisions() {
    let root = tempfile::tempdir().unwrap();
    let (redb, file) = (settings(&root, StateDriver::Redb), settings(&root, StateDriver::File));
    let before = fill(&redb).await;
    let error = open(&file).await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict);
    assert!(error.to_string().contains("state migrate --to file"), "{error}");
    let done = migrate(&redb, StateDriver::File).await.unwrap();
    assert_eq!((done.records, done.from), (before.entries.len(), StateDriver::Redb));
    assert!(done.kept.ends_with("state.redb.before-file") && done.kept.exists());
    assert_eq!(records(&file).await, before);
    assert_eq!(open(&redb).await.unwrap_err().class(), Class::Conflict);
    migrate(&file, StateDriver::Redb).await.unwrap();
    assert_eq!(records(&redb).await, before);
    // A second time: the name of what is kept is taken.
    let done = migrate(&redb, StateDriver::File).await.unwrap();
    assert!(done.kept.ends_with("state.redb.before-file-1"), "{}", done.kept.display());
}

#[tokio::test]
async fn what_can_not_be_migrated_is_told() {
    let root = tempfile::tempdir().unwrap();
    let redb = settings(&root, StateDriver::Redb);
    assert_eq!(migrate(&redb, StateDriver::File).await.unwrap_err().class(), Class::NotFound);
    fill(&redb).await;
    assert_eq!(migrate(&redb, StateDriver::Redb).await.unwrap_err().class(), Class::Invalid);
    std::fs::create_dir(root.path().join("state.files")).unwrap();
    assert_eq!(migrate(&redb, StateDriver::File).await.unwrap_err().class(), Class::Conflict);
}

#[tokio::test]
async fn a_backup_brings_back_what_it_was_made_of() {
    let root = tempfile::tempdir().unwrap();
    let redb = settings(&root, StateDriver::Redb);
    let before = fill(&redb).await;
    let backup = export_offline(&redb).await.unwrap();
    let store = open(&redb).await.unwrap();
    store.commit(Transaction::new().delete("containers/1").put("containers/new", *b"{}")).await.unwrap();
    drop(store);
    let error = import(&redb, &backup, false).await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict);
    assert!(error.to_string().contains("--replace"), "{error}");
    let done = import(&redb, &backup, true).await.unwrap();
    assert_eq!(done.records, before.entries.len());
    assert!(done.kept[0].exists());
    assert_eq!(records(&redb).await, before);
}

/// The next step that a damaged store's error names works.
#[tokio::test]
async fn a_damaged_store_is_replaced_by_a_backup() {
    let root = tempfile::tempdir().unwrap();
    let redb = settings(&root, StateDriver::Redb);
    let before = fill(&redb).await;
    let backup = export_offline(&redb).await.unwrap();
    std::fs::write(place(&redb, StateDriver::Redb), b"nothing that could be read").unwrap();
    assert!(open(&redb).await.unwrap_err().to_string().contains("damaged"));
    import(&redb, &backup, false).await.unwrap_err();
    import(&redb, &backup, true).await.unwrap();
    assert_eq!(records(&redb).await, before);
}

#[tokio::test]
async fn a_broken_backup_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let redb = settings(&root, StateDriver::Redb);
    let before = fill(&redb).await;
    let mut backup = export_offline(&redb).await.unwrap();
    let middle = backup.len() / 2;
    backup[middle] ^= 1;
    assert_eq!(import(&redb, &backup, true).await.unwrap_err().class(), Class::Invalid);
    assert_eq!(records(&redb).await, before);
}

/// As a crash leaves it between putting the old store aside and taking the new one.
#[tokio::test]
async fn an_import_that_was_cut_off_does_not_begin_anew() {
    let root = tempfile::tempdir().unwrap();
    let redb = settings(&root, StateDriver::Redb);
    let before = fill(&redb).await;
    let backup = export_offline(&redb).await.unwrap();
    let place = place(&redb, StateDriver::Redb);
    std::fs::rename(&place, root.path().join("state.redb.before-import")).unwrap();
    let error = open(&redb).await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict);
    assert!(error.to_string().contains("state.redb.before-import"), "{error}");
    import(&redb, &backup, false).await.unwrap();
    assert_eq!(records(&redb).await, before);
}

/// Whether the next start takes what the store does not know for a container from after it.
async fn is_older(settings: &Settings) -> bool {
    let store = open(settings).await.unwrap();
    let age = StoreAge::of(&settings.runtime.root_dir, &store).await.unwrap();
    age.is_older()
}

fn note(root: &Path, revision: u64) {
    std::fs::write(root.join("state.revision"), revision.to_string()).unwrap();
}

fn export(listing: &Listing) -> Vec<u8> {
    let mut text = Vec::new();
    store::write_export(listing, &mut text).unwrap();
    text
}

/// An export of etcd's has etcd's revisions.
#[tokio::test]
async fn a_backup_is_older_than_the_disk_whatever_its_revision() {
    let root = tempfile::tempdir().unwrap();
    let redb = settings(&root, StateDriver::Redb);
    let mut before = fill(&redb).await;
    note(root.path(), before.revision);
    before.revision += 1_000_000;
    import(&redb, &export(&before), true).await.unwrap();
    assert!(is_older(&redb).await);
}

#[tokio::test]
async fn records_that_moved_are_as_old_as_they_were() {
    let root = tempfile::tempdir().unwrap();
    let (redb, file) = (settings(&root, StateDriver::Redb), settings(&root, StateDriver::File));
    let before = fill(&redb).await;
    note(root.path(), before.revision);
    migrate(&redb, StateDriver::File).await.unwrap();
    // In the other one they may have lower revisions.
    assert!(!root.path().join("state.revision").exists());
    note(root.path(), before.revision + 1);
    migrate(&file, StateDriver::Redb).await.unwrap();
    assert!(is_older(&redb).await);
}

/// A daemon that begins with an empty prefix of an etcd in which others write.
#[tokio::test]
async fn a_store_that_knows_no_engine_is_not_the_disks() {
    let root = tempfile::tempdir().unwrap();
    let redb = settings(&root, StateDriver::Redb);
    fill(&redb).await;
    note(root.path(), 3);
    assert!(is_older(&redb).await);
}

/// As a crash leaves it before the old store is put aside.
#[tokio::test]
async fn a_migration_that_was_cut_off_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let (redb, file) = (settings(&root, StateDriver::Redb), settings(&root, StateDriver::File));
    let before = fill(&redb).await;
    store::create_files(&place(&redb, StateDriver::File), &before).unwrap();
    migrate(&redb, StateDriver::File).await.unwrap();
    assert_eq!(records(&file).await, before);
}

/// Files that are of a later revision than their store are refused when they are read back.
#[tokio::test]
async fn what_does_not_come_back_is_not_left_there() {
    let root = tempfile::tempdir().unwrap();
    let (redb, file) = (settings(&root, StateDriver::Redb), settings(&root, StateDriver::File));
    let entry = Entry { value: (*b"{}").into(), created: 1, modified: 7 };
    let bad = Listing { revision: 5, entries: vec![("containers/1".to_owned(), entry)] };
    import(&file, &export(&bad), false).await.unwrap_err();
    assert!(!place(&file, StateDriver::File).exists());
    store::create_redb(&place(&redb, StateDriver::Redb), &bad).unwrap();
    for _ in 0..2 {
        let error = migrate(&redb, StateDriver::File).await.unwrap_err();
        assert_ne!(error.class(), Class::Conflict, "{error}");
    }
    let good = fill(&redb).await;
    import(&redb, &export(&good), true).await.unwrap();
}
