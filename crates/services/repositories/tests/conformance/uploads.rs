//! Uploads and blobs.

use super::kit::{Kit, digest, name};
use bytes::Bytes;
use futures_util::TryStreamExt;
use oci::Digest;
use repositories::{Mounted, RepositoryError, UploadId};

super::cases!(
    of_many_open_uploads_each_goes_on,
    pieces_become_a_blob,
    large_content_comes_back_whole_and_in_parts,
    another_process_goes_on,
    content_of_another_digest_leaves_nothing,
    other_algorithms_work_announced_or_not,
    cancelled_uploads_are_gone,
    one_request_at_a_time_writes,
    blobs_belong_to_repositories,
);

async fn read(kit: &Kit, repository: &str, digest: &Digest, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let content = kit.repositories.open_blob(&name(repository), digest, range).await.unwrap();
    let length = content.range.end - content.range.start;
    let bytes: Vec<Bytes> = content.body.try_collect().await.unwrap();
    let bytes = bytes.concat();
    assert_eq!(bytes.len() as u64, length);
    bytes
}

async fn pieces_become_a_blob(kit: &Kit) {
    let repository = name("a/b");
    let session = kit.repositories.begin_upload(&repository, "sha256").await.unwrap();
    let id = session.id().clone();
    session.pause().await.unwrap();
    let mut session = kit.repositories.upload(&repository, &id).await.unwrap();
    session.append(vec![Bytes::from_static(b"he"), Bytes::new(), Bytes::from_static(b"l")]).await.unwrap();
    session.pause().await.unwrap();
    let mut session = kit.repositories.upload(&repository, &id).await.unwrap();
    assert_eq!(session.size(), 3);
    session.append(vec![Bytes::from_static(b"lo")]).await.unwrap();
    session.commit(&digest(b"hello")).await.unwrap();
    assert_eq!(kit.repositories.blob(&repository, &digest(b"hello")).await.unwrap().size, 5);
    assert_eq!(read(kit, "a/b", &digest(b"hello"), None).await, b"hello");
    assert!(kit.repositories.upload(&repository, &id).await.is_err(), "it has ended");
    assert!(kit.storage.uploads(&repository).await.unwrap().is_empty());
    let empty = kit.blob("a/b", b"").await;
    assert_eq!(read(kit, "a/b", &empty, None).await, b"");
}

async fn large_content_comes_back_whole_and_in_parts(kit: &Kit) {
    let content: Vec<u8> = (0..30_000_000u32).map(|number| (number / 7) as u8).collect();
    let repository = name("large");
    let mut session = kit.repositories.begin_upload(&repository, "sha256").await.unwrap();
    for piece in content.chunks(1 << 20) {
        session.append(vec![Bytes::copy_from_slice(piece)]).await.unwrap();
    }
    let digest = digest(&content);
    session.commit(&digest).await.unwrap();
    assert!(read(kit, "large", &digest, None).await == content);
    let part = 1_000_001..29_000_003;
    assert!(read(kit, "large", &digest, Some(1_000_001..29_000_003)).await == content[part]);
    assert_eq!(read(kit, "large", &digest, Some(29_999_999..99_000_000)).await.len(), 1);
    assert_eq!(read(kit, "large", &digest, Some(40_000_000..99_000_000)).await.len(), 0);
}

async fn another_process_goes_on(kit: &Kit) {
    let repository = name("a");
    let content = vec![7u8; 20_000_000];
    let mut session = kit.repositories.begin_upload(&repository, "sha256").await.unwrap();
    session.append(vec![Bytes::copy_from_slice(&content[..19_000_000])]).await.unwrap();
    let id = session.id().clone();
    session.pause().await.unwrap();
    kit.repositories.put_down(&repository, &id).await;
    let restarted = kit.restarted();
    let mut session = restarted.upload(&repository, &id).await.unwrap();
    assert_eq!(session.size(), 19_000_000);
    session.append(vec![Bytes::copy_from_slice(&content[19_000_000..])]).await.unwrap();
    session.commit(&digest(&content)).await.unwrap();
    assert!(read(kit, "a", &digest(&content), None).await == content);
}

async fn content_of_another_digest_leaves_nothing(kit: &Kit) {
    let repository = name("a");
    let mut session = kit.repositories.begin_upload(&repository, "sha256").await.unwrap();
    session.append(vec![Bytes::from_static(b"hullo")]).await.unwrap();
    let id = session.id().clone();
    let refused = session.commit(&digest(b"hello")).await;
    assert!(matches!(refused, Err(RepositoryError::DigestMismatch { .. })), "{refused:?}");
    assert!(kit.repositories.upload(&repository, &id).await.is_err());
    assert!(kit.storage.uploads(&repository).await.unwrap().is_empty());
    assert!(kit.storage.list().await.unwrap().is_empty());
}

async fn other_algorithms_work_announced_or_not(kit: &Kit) {
    let sha512: Digest = format!(
        "sha512:{}{}",
        "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7",
        "2323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043"
    )
    .parse()
    .unwrap();
    for (repository, announced) in [("a", "sha512"), ("b", "sha256")] {
        let mut session = kit.repositories.begin_upload(&name(repository), announced).await.unwrap();
        session.append(vec![Bytes::from_static(b"hello")]).await.unwrap();
        session.commit(&sha512).await.unwrap();
        assert_eq!(read(kit, repository, &sha512, None).await, b"hello");
    }
}

async fn cancelled_uploads_are_gone(kit: &Kit) {
    let repository = name("a");
    let mut session = kit.repositories.begin_upload(&repository, "sha256").await.unwrap();
    session.append(vec![Bytes::from(vec![1; 6_000_000])]).await.unwrap();
    let id = session.id().clone();
    assert_eq!(kit.storage.uploads(&repository).await.unwrap().len(), 1);
    session.cancel().await.unwrap();
    assert!(kit.storage.uploads(&repository).await.unwrap().is_empty());
    let gone = kit.repositories.upload(&repository, &id).await;
    assert!(matches!(gone, Err(RepositoryError::UploadUnknown { .. })), "{gone:?}");
    let never = kit.repositories.upload(&repository, &UploadId::new().unwrap()).await;
    assert!(matches!(never, Err(RepositoryError::UploadUnknown { .. })), "{never:?}");
}

async fn one_request_at_a_time_writes(kit: &Kit) {
    let repository = name("a");
    let session = kit.repositories.begin_upload(&repository, "sha256").await.unwrap();
    let id = session.id().clone();
    let (repositories, waiting) = (kit.repositories.clone(), id.clone());
    let other = tokio::spawn(async move { repositories.upload(&name("a"), &waiting).await.map(drop) });
    tokio::task::yield_now().await;
    assert!(!other.is_finished());
    session.pause().await.unwrap();
    other.await.unwrap().unwrap();
    let elsewhere = kit.repositories.upload(&name("b"), &id).await;
    assert!(matches!(elsewhere, Err(RepositoryError::UploadUnknown { .. })), "{elsewhere:?}");
}

async fn blobs_belong_to_repositories(kit: &Kit) {
    let hello = kit.blob("a", b"hello").await;
    let unknown = kit.repositories.blob(&name("b"), &hello).await;
    assert!(matches!(unknown, Err(RepositoryError::BlobUnknown { .. })));
    assert!(kit.repositories.open_blob(&name("b"), &hello, None).await.is_err());
    let mount = |from| async move {
        let hello = digest(b"hello");
        kit.repositories.mount_blob(&name("b"), &hello, &name(from)).await.unwrap()
    };
    assert_eq!(mount("c").await, Mounted::No);
    assert_eq!(mount("a").await, Mounted::Yes);
    kit.repositories.delete_blob(&name("a"), &hello).await.unwrap();
    assert!(kit.repositories.delete_blob(&name("a"), &hello).await.is_err());
    assert!(kit.repositories.blob(&name("a"), &hello).await.is_err());
    assert_eq!(read(kit, "b", &hello, None).await, b"hello");
}

async fn of_many_open_uploads_each_goes_on(kit: &Kit) {
    let mut ids = Vec::new();
    for _ in 0..260 {
        let mut session = kit.repositories.begin_upload(&name("a"), "sha256").await.unwrap();
        session.append(vec![Bytes::from_static(b"half")]).await.unwrap();
        ids.push(session.id().clone());
    }
    // The first ones have been put down meanwhile.
    let mut session = kit.repositories.upload(&name("a"), &ids[0]).await.unwrap();
    session.append(vec![Bytes::from_static(b"rest")]).await.unwrap();
    session.commit(&digest(b"halfrest")).await.unwrap();
}
