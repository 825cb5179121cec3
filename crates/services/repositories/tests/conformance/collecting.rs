//! Garbage collection.

use super::kit::{Kit, digest, image, index, name};
use bytes::Bytes;
use repositories::{Collected, Collection, RepositoryError};
use std::time::Duration;

super::cases!(
    what_manifests_need_stays,
    untagged_manifests_go_only_if_asked,
    the_young_stay,
    idle_uploads_go,
    a_dry_run_deletes_nothing,
    a_sweep_takes_nothing_from_a_push,
    of_a_repository_with_a_damaged_manifest_all_stays,
);

/// Everything is old, and nothing was announced.
fn now() -> Collection {
    Collection { grace: Duration::ZERO, ..Collection::default() }
}

async fn what_manifests_need_stays(kit: &Kit) {
    let (config, layer) = (kit.blob("a", b"{}").await, kit.blob("a", b"layer").await);
    kit.put("a", &image(&config, &layer, None), &["x"]).await.unwrap();
    let unused = kit.blob("a", b"unused").await;
    kit.blob("b", b"layer").await;
    let collected = kit.restarted().collect(&now()).await.unwrap();
    assert_eq!(collected, Collected { links: 2, blobs: 1, bytes: 6, ..Collected::default() });
    assert!(kit.repositories.blob(&name("a"), &layer).await.is_ok());
    assert!(kit.repositories.blob(&name("a"), &unused).await.is_err());
    assert!(kit.repositories.blob(&name("b"), &layer).await.is_err());
    assert_eq!(kit.restarted().collect(&now()).await.unwrap(), Collected::default());
    assert_eq!(kit.blob("a", b"unused").await, unused, "it can be pushed again");
}

async fn untagged_manifests_go_only_if_asked(kit: &Kit) {
    let blob = kit.blob("a", b"x").await;
    let kept = kit.put("a", &image(&blob, &blob, None), &[]).await.unwrap();
    let list = kit.put("a", &index(&[&kept]), &["list"]).await.unwrap();
    let about = kit.put("a", &image(&blob, &blob, Some(&list)), &[]).await.unwrap();
    let lost = kit.put("a", &image(&blob, &blob, Some(&digest(b"none"))), &[]).await.unwrap();
    assert_eq!(kit.restarted().collect(&now()).await.unwrap(), Collected::default());
    let rules = Collection { untagged: true, ..now() };
    let collected = kit.restarted().collect(&rules).await.unwrap();
    assert_eq!((collected.manifests, collected.blobs), (1, 1));
    assert!(!kit.has("a", lost.as_str()).await);
    for digest in [kept, list, about] {
        assert!(kit.has("a", digest.as_str()).await);
    }
}

async fn the_young_stay(kit: &Kit) {
    kit.blob("a", b"x").await;
    assert_eq!(kit.restarted().collect(&Collection::default()).await.unwrap(), Collected::default());
}

async fn idle_uploads_go(kit: &Kit) {
    let mut session = kit.repositories.begin_upload(&name("a"), "sha256").await.unwrap();
    session.append(vec![Bytes::from_static(b"half")]).await.unwrap();
    let id = session.id().clone();
    session.pause().await.unwrap();
    let rules = Collection { idle_upload: Duration::ZERO, ..now() };
    assert_eq!(kit.repositories.collect(&rules).await.unwrap().uploads, 0, "it is open");
    kit.repositories.put_down(&name("a"), &id).await;
    let repositories = kit.restarted();
    assert_eq!(repositories.collect(&now()).await.unwrap().uploads, 0, "it is young");
    assert_eq!(repositories.collect(&rules).await.unwrap().uploads, 1);
    assert!(repositories.upload(&name("a"), &id).await.is_err());
}

async fn a_dry_run_deletes_nothing(kit: &Kit) {
    let blob = kit.blob("a", b"x").await;
    let rules = Collection { dry_run: true, ..now() };
    let found = kit.restarted().collect(&rules).await.unwrap();
    assert_eq!(found, Collected { links: 1, blobs: 1, bytes: 1, ..Collected::default() });
    assert!(kit.repositories.blob(&name("a"), &blob).await.is_ok());
}

/// Blobs that are old enough to go and named by nothing yet, pushes that name them, and sweeps, all at once: a push is refused,
/// or all that it names stays.
async fn a_sweep_takes_nothing_from_a_push(kit: &Kit) {
    const PUSHES: usize = 24;
    let grace = Duration::from_secs(1);
    let mut blobs = Vec::new();
    for number in 0..PUSHES {
        blobs.push(kit.blob("a", format!("layer {number}").as_bytes()).await);
    }
    tokio::time::sleep(grace + grace / 2).await;
    let restarted = kit.restarted();
    let sweeper = restarted.clone();
    let rules = Collection { grace, ..Collection::default() };
    let sweeping = tokio::spawn(async move {
        let mut collected = Collected::default();
        for _ in 0..4 {
            let round = sweeper.collect(&rules).await.unwrap();
            collected.links += round.links;
            tokio::task::yield_now().await;
        }
        collected
    });
    let (mut stored, mut refused) = (Vec::new(), 0);
    for (number, blob) in blobs.iter().enumerate() {
        let document = image(blob, blob, None);
        match kit.put_into(&restarted, "a", &document, &[&format!("t{number}")]).await {
            Ok(_) => stored.push((number, blob)),
            Err(RepositoryError::ReferencesUnknown { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    let collected = sweeping.await.unwrap();
    assert_eq!(collected.links, refused, "what went is what was refused");
    for (number, blob) in stored {
        assert!(kit.has("a", &format!("t{number}")).await);
        assert!(kit.repositories.blob(&name("a"), blob).await.is_ok(), "{blob} of t{number} is gone");
    }
}

async fn of_a_repository_with_a_damaged_manifest_all_stays(kit: &Kit) {
    let (blob, unused) = (kit.blob("a", b"x").await, kit.blob("b", b"unused").await);
    let manifest = kit.put("a", &image(&blob, &blob, None), &["1"]).await.unwrap();
    kit.storage.remove(&manifest).await.unwrap();
    let rules = Collection { untagged: true, ..now() };
    let collected = kit.restarted().collect(&rules).await.unwrap();
    let expected = Collected { damaged: 1, links: 1, blobs: 1, bytes: 6, ..Collected::default() };
    assert_eq!(collected, expected, "and others are collected as ever");
    assert!(kit.repositories.blob(&name("a"), &blob).await.is_ok());
    assert!(kit.repositories.blob(&name("b"), &unused).await.is_err());
    kit.put("a", &image(&blob, &blob, None), &["1"]).await.unwrap();
    assert_eq!(kit.restarted().collect(&rules).await.unwrap(), Collected::default());
}
