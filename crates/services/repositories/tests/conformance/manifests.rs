//! Manifests, tags, referrers and the catalog.

use super::kit::{Kit, digest, image, index, name};
use repositories::{RepositoryError, Target};

super::cases!(
    manifests_are_found_by_tag_and_digest,
    missing_parts_are_named,
    tags_are_listed_moved_and_deleted,
    a_deleted_manifest_takes_its_tags_along,
    referrers_are_listed_and_filtered,
    the_catalog_lists_what_has_manifests,
);

async fn manifests_are_found_by_tag_and_digest(kit: &Kit) {
    let (config, layer) = (kit.blob("a", b"{}").await, kit.blob("a", b"layer").await);
    let document = image(&config, &layer, None);
    let image = kit.put("a", &document, &["one", "two"]).await.unwrap();
    let list = kit.put("a", &index(&[&image]), &["list"]).await.unwrap();
    for (target, digest, media_type) in [
        ("one", &image, oci::media::MANIFEST),
        ("two", &image, oci::media::MANIFEST),
        (image.as_str(), &image, oci::media::MANIFEST),
        ("list", &list, oci::media::INDEX),
    ] {
        let found = kit.restarted().manifest(&name("a"), &target.parse().unwrap()).await.unwrap();
        assert_eq!((&found.digest, found.media_type.as_str()), (digest, media_type), "{target}");
    }
    let target = Target::Digest(image.clone());
    assert_eq!(kit.repositories.manifest(&name("a"), &target).await.unwrap().content, document);
    assert!(!kit.has("a", "three").await && !kit.has("b", image.as_str()).await);
}

async fn missing_parts_are_named(kit: &Kit) {
    let config = kit.blob("a", b"{}").await;
    let elsewhere = kit.blob("b", b"layer").await;
    let refused = kit.put("a", &image(&config, &elsewhere, None), &["x"]).await;
    let Err(RepositoryError::ReferencesUnknown { missing, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(missing, [elsewhere]);
    assert!(!kit.has("a", "x").await);
    assert!(kit.put("a", &index(&[&digest(b"none")]), &[]).await.is_err());
}

async fn tags_are_listed_moved_and_deleted(kit: &Kit) {
    let unknown = kit.repositories.tags(&name("a"), None, None).await;
    assert!(matches!(unknown, Err(RepositoryError::NameUnknown { .. })), "{unknown:?}");
    let blob = kit.blob("a", b"x").await;
    assert!(kit.tags("a").await.is_empty());
    let first = kit.put("a", &image(&blob, &blob, None), &["b", "a", "B", "c"]).await.unwrap();
    assert_eq!(kit.tags("a").await, ["B", "a", "b", "c"]);
    let page = kit.repositories.tags(&name("a"), Some("B"), Some(2)).await.unwrap();
    assert_eq!((page.items.len(), page.more), (2, true));
    let second = kit.put("a", &index(&[&first]), &["b"]).await.unwrap();
    let moved = kit.repositories.manifest(&name("a"), &"b".parse().unwrap()).await.unwrap();
    assert_eq!(moved.digest, second);
    kit.repositories.delete_manifest(&name("a"), &"c".parse().unwrap()).await.unwrap();
    assert!(kit.repositories.delete_manifest(&name("a"), &"c".parse().unwrap()).await.is_err());
    assert_eq!(kit.tags("a").await, ["B", "a", "b"]);
    assert!(kit.has("a", first.as_str()).await);
}

async fn a_deleted_manifest_takes_its_tags_along(kit: &Kit) {
    let blob = kit.blob("a", b"x").await;
    let image = kit.put("a", &image(&blob, &blob, None), &["one", "two"]).await.unwrap();
    kit.put("a", &index(&[&image]), &["list"]).await.unwrap();
    let target = Target::Digest(image.clone());
    kit.repositories.delete_manifest(&name("a"), &target).await.unwrap();
    assert_eq!(kit.tags("a").await, ["list"]);
    assert!(!kit.has("a", image.as_str()).await);
    let again = kit.repositories.delete_manifest(&name("a"), &target).await;
    assert!(matches!(again, Err(RepositoryError::ManifestUnknown { .. })), "{again:?}");
}

async fn referrers_are_listed_and_filtered(kit: &Kit) {
    let blob = kit.blob("a", b"x").await;
    let subject = digest(image(&blob, &blob, None).as_bytes());
    let about = image(&blob, &blob, Some(&subject));
    assert_eq!(kit.pushed("a", &about, &[]).await.unwrap().subject, Some(subject.clone()));
    let artifact = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","artifactType":"application/z","config":{{"mediaType":"application/x","digest":"{blob}","size":1}},"layers":[],"subject":{{"mediaType":"a","digest":"{subject}","size":1}}}}"#,
        oci::media::MANIFEST
    );
    let artifact = kit.put("a", &artifact, &[]).await.unwrap();
    let list = |kind: Option<&'static str>| {
        let subject = subject.clone();
        async move { kit.repositories.referrers(&name("a"), &subject, kind).await.unwrap() }
    };
    assert_eq!(list(None).await.len(), 2);
    let found = list(Some("application/x")).await;
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].digest, found[0].size), (&digest(about.as_bytes()), about.len() as u64));
    assert_eq!(found[0].annotations["a"], "b");
    assert_eq!(list(Some("application/z")).await[0].digest, artifact);
    assert!(list(Some("application/none")).await.is_empty());
    kit.repositories.delete_manifest(&name("a"), &Target::Digest(artifact)).await.unwrap();
    assert_eq!(list(None).await.len(), 1);
    assert!(kit.repositories.referrers(&name("none"), &subject, None).await.unwrap().is_empty());
}

async fn the_catalog_lists_what_has_manifests(kit: &Kit) {
    for repository in ["b/c", "a", "b"] {
        let blob = kit.blob(repository, b"x").await;
        kit.put(repository, &image(&blob, &blob, None), &[]).await.unwrap();
    }
    kit.blob("only/blobs", b"x").await;
    let page = kit.repositories.catalog(None, None).await.unwrap();
    assert_eq!(page.items, [name("a"), name("b"), name("b/c")]);
    let page = kit.repositories.catalog(Some("a"), Some(1)).await.unwrap();
    assert_eq!((page.items, page.more), (vec![name("b")], true));
}
