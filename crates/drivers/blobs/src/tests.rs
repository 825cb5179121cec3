//! The store of blobs as its callers see it.

use super::*;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;

fn store() -> (tempfile::TempDir, Blobs) {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    (dir, blobs)
}

#[test]
fn what_goes_in_comes_out_under_its_digest() {
    let (dir, blobs) = store();
    let mut ingest = blobs.ingest().unwrap();
    ingest.write_all(b"hel").unwrap();
    ingest.write_all(b"lo").unwrap();
    let hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let expected = Expected { digest: Some(hello.parse().unwrap()), size: Some(5) };
    let digest = ingest.commit(expected).unwrap();
    assert_eq!(digest.as_str(), hello);
    assert_eq!(blobs.put(b"hello").unwrap(), digest, "a second time is a success");
    assert_eq!(blobs.read(&digest, 5).unwrap(), b"hello");
    assert_eq!(blobs.list().unwrap(), [(digest.clone(), 5)]);
    blobs.sync().unwrap();
    blobs.remove(&digest).unwrap();
    blobs.remove(&digest).unwrap();
    assert!(matches!(blobs.read(&digest, 5), Err(BlobError::NotFound { .. })));
    assert_eq!(fs::read_dir(dir.path().join("ingest")).unwrap().count(), 0);
}

#[test]
fn unexpected_content_is_refused_and_leaves_nothing() {
    let (dir, blobs) = store();
    let other = Digest::sha256([0; 32]);
    let commit = |expected| {
        let mut ingest = blobs.ingest().unwrap();
        ingest.append(b"hello").unwrap();
        ingest.commit(expected)
    };
    assert!(matches!(commit(Expected { digest: Some(other), size: None }), Err(BlobError::Mismatch { .. })));
    assert!(matches!(
        commit(Expected { digest: None, size: Some(4) }),
        Err(BlobError::Size { found: 5, .. })
    ));
    drop(blobs.ingest().unwrap());
    assert_eq!(blobs.list().unwrap(), []);
    assert_eq!(fs::read_dir(dir.path().join("ingest")).unwrap().count(), 0);
}

#[test]
fn damaged_content_is_noticed_by_both_readers() {
    let (_dir, blobs) = store();
    let digest = blobs.put(b"hello").unwrap();
    fs::remove_file(blobs.path(&digest)).unwrap();
    fs::write(blobs.path(&digest), b"hullo").unwrap();
    assert!(matches!(blobs.read(&digest, 9), Err(BlobError::Mismatch { .. })));
    let error = blobs.open_blob(&digest).unwrap().read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(matches!(blobs.read(&digest, 4), Err(BlobError::TooLarge { .. })));
}

#[test]
fn a_restart_deletes_half_written_blobs() {
    let (dir, blobs) = store();
    let mut ingest = blobs.ingest().unwrap();
    ingest.append(b"half").unwrap();
    std::mem::forget(ingest);
    Blobs::open(dir.path()).unwrap();
    assert_eq!(fs::read_dir(dir.path().join("ingest")).unwrap().count(), 0);
}

#[test]
fn a_half_written_blob_outlives_its_writer() {
    let (dir, blobs) = store();
    let hello = Digest::sha256(sha256(b"hello"));
    let mut partial = blobs.resume("pull", Some(&hello)).unwrap();
    partial.append(b"hel").unwrap();
    assert!(matches!(blobs.resume("pull", None), Err(BlobError::Busy { .. })), "one writer at a time");
    drop(partial);
    let blobs = Blobs::open(dir.path()).unwrap();
    assert_eq!(blobs.partials().unwrap()[0].size, 3);
    let mut partial = blobs.resume("pull", Some(&hello)).unwrap();
    assert_eq!(partial.size(), 3);
    partial.append(b"lo").unwrap();
    let expected = Expected { digest: Some(hello.clone()), size: Some(5) };
    assert_eq!(partial.commit(&expected).unwrap(), hello);
    assert_eq!(blobs.read(&hello, 5).unwrap(), b"hello");
    assert!(blobs.partials().unwrap().is_empty());
}

#[test]
fn a_half_written_blob_of_other_content_is_deleted() {
    let (_dir, blobs) = store();
    let mut partial = blobs.resume("upload", None).unwrap();
    partial.append(b"hello").unwrap();
    let expected = Expected { digest: Some(Digest::sha256([0; 32])), size: None };
    assert!(matches!(partial.commit(&expected), Err(BlobError::Mismatch { .. })));
    assert!(blobs.partials().unwrap().is_empty());
    for bad in ["", ".x", "a/b", "..", &"x".repeat(201)] {
        assert!(matches!(blobs.resume(bad, None), Err(BlobError::BadName { .. })), "{bad}");
    }
    blobs.discard_partial("none").unwrap();
}

#[test]
fn other_algorithms_are_computed_when_they_are_asked_for() {
    let (_dir, blobs) = store();
    let digest: Digest = format!(
        "sha512:{}",
        "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7\
        2323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043"
    )
    .parse()
    .unwrap();
    for announced in [None, Some(&digest)] {
        let mut partial = blobs.resume("upload", announced).unwrap();
        partial.append(b"hello").unwrap();
        let expected = Expected { digest: Some(digest.clone()), size: None };
        assert_eq!(partial.commit(&expected).unwrap(), digest);
        assert_eq!(blobs.read(&digest, 5).unwrap(), b"hello");
        assert_eq!(blobs.list().unwrap(), [(digest.clone(), 5)]);
        blobs.remove(&digest).unwrap();
    }
}

#[test]
fn content_of_the_directory_beside_is_taken_without_a_copy() {
    let (theirs_dir, theirs) = store();
    let dir = tempfile::tempdir().unwrap();
    let ours = Blobs::open(dir.path()).unwrap().beside(theirs_dir.path());
    let digest = theirs.put(b"hello").unwrap();
    assert!(!ours.contains(&digest), "nothing comes that nobody asks for");
    assert!(ours.obtain(&digest).unwrap() && ours.obtain(&digest).unwrap());
    let inode = |blobs: &Blobs| fs::metadata(blobs.path(&digest)).unwrap().ino();
    assert_eq!(inode(&ours), inode(&theirs));
    assert!(ours.usage().unwrap().shared.contains(&digest));
    theirs.remove(&digest).unwrap();
    assert_eq!(ours.read(&digest, 9).unwrap(), b"hello", "what is deleted there stays here");
    assert!(ours.usage().unwrap().shared.is_empty());
    assert!(!ours.obtain(&Digest::sha256([0; 32])).unwrap());
    let alone = Blobs::open(dir.path()).unwrap().beside(&theirs_dir.path().join("none"));
    assert!(!alone.obtain(&Digest::sha256([0; 32])).unwrap(), "the other directory need not exist");
}

#[test]
fn what_arrived_is_exchanged_for_sound_content_only() {
    let (theirs_dir, theirs) = store();
    let dir = tempfile::tempdir().unwrap();
    let ours = Blobs::open(dir.path()).unwrap().beside(theirs_dir.path());
    let arrive = || {
        let mut partial = ours.resume("upload", None).unwrap();
        partial.append(b"hello").unwrap();
        partial.commit(&Expected::default()).unwrap()
    };
    let digest = theirs.put(b"hello").unwrap();
    assert_eq!(arrive(), digest);
    let inode = |blobs: &Blobs| fs::metadata(blobs.path(&digest)).unwrap().ino();
    assert_eq!(inode(&ours), inode(&theirs), "it is on disk once");
    ours.remove(&digest).unwrap();
    fs::remove_file(theirs.path(&digest)).unwrap();
    fs::write(theirs.path(&digest), b"hullo").unwrap();
    assert_eq!(arrive(), digest);
    assert_eq!(ours.read(&digest, 9).unwrap(), b"hello", "nothing good is given away for something damaged");
}
