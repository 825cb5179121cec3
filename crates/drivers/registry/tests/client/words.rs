//! Manifests, and what registries say in their place.

use crate::scripted::{Act, Registry, says};
use crate::support::{app, sha256, text};
use oci::media;
use registry::{Purpose, RegistryError, Target};

fn tag(tag: &str) -> Target {
    Target::Tag(tag.to_owned())
}

#[tokio::test]
async fn a_manifest_is_what_it_says_it_is_or_what_the_registry_says() {
    let registry = Registry::start().await;
    let repository = app(&registry, Purpose::Pull);
    for (document, header, expected) in [
        (r#"{"schemaVersion":2,"config":{},"layers":[]}"#, None, media::MANIFEST),
        (r#"{"schemaVersion":2,"manifests":[]}"#, None, media::INDEX),
        (r#"{"schemaVersion":2,"mediaType":"a/b","config":{}}"#, Some("text/plain"), "a/b"),
        (r#"{"schemaVersion":1,"fsLayers":[]}"#, Some("application/json"), media::DOCKER_SCHEMA1),
        (r#"{"x":1}"#, Some("application/odd; charset=utf-8"), "application/odd"),
    ] {
        registry.put("app/manifests/t", header, document);
        let found = repository.manifest(&tag("t")).await.unwrap();
        assert_eq!(found.media_type, expected, "{document}");
        assert_eq!(
            (found.digest, found.bytes.as_slice()),
            (sha256(document.as_bytes()), document.as_bytes())
        );
    }
    registry.put("app/manifests/t", None, "{}");
    let nothing = repository.manifest(&tag("t")).await.unwrap_err();
    assert!(matches!(nothing, RegistryError::Protocol { .. }), "{}", text(&nothing));
}

#[tokio::test]
async fn a_digest_is_a_promise() {
    let registry = Registry::start().await;
    let repository = app(&registry, Purpose::Pull);
    let document = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let digest = sha256(document);
    registry.put(&format!("app/manifests/{digest}"), None, &document[..]);
    repository.manifest(&Target::Digest(digest.clone())).await.unwrap();
    registry.put(&format!("app/manifests/{digest}"), None, "{}");
    let other = repository.manifest(&Target::Digest(digest.clone())).await.unwrap_err();
    assert!(matches!(other, RegistryError::Mismatch { .. }), "{}", text(&other));
    registry.put("app/manifests/large", None, vec![b' '; (4 << 20) + 1]);
    let large = repository.manifest(&tag("large")).await.unwrap_err();
    assert!(text(&large).ends_with("/app:large exceeds 4194304 bytes"), "{}", text(&large));
    registry.put("app/manifests/limit", Some(media::MANIFEST), vec![b' '; 4 << 20]);
    repository.manifest(&tag("limit")).await.unwrap();
}

#[tokio::test]
async fn a_registry_that_is_busy_is_asked_again() {
    let registry = Registry::start().await;
    let repository = app(&registry, Purpose::Push);
    registry.put("app/manifests/t", None, r#"{"schemaVersion":2,"manifests":[]}"#);
    let busy = |status| Act::Answer(status, vec![("retry-after", "0".to_owned())], String::new());
    registry.script("GET", "app/manifests/t", [busy(500), busy(429)]);
    repository.manifest(&tag("t")).await.unwrap();
    registry.script("PUT", "app/manifests/t", [busy(503)]);
    repository.put_manifest(&tag("t"), media::INDEX, b"{}").await.unwrap();
    assert_eq!(registry.content("app/manifests/t").unwrap(), "{}");
    // What says nothing either; only nobody at all is not.
    registry.put("app/manifests/t", Some(media::INDEX), "{}");
    registry.script("GET", "app/manifests/t", [Act::Hang]);
    repository.manifest(&tag("t")).await.unwrap();
}

#[tokio::test]
async fn refusals_are_told_in_the_words_that_people_know() {
    let registry = Registry::start().await;
    let host = registry.host();
    let unknown = app(&registry, Purpose::Pull).manifest(&tag("no")).await.unwrap_err();
    let words = format!("manifest for {host}/app:no not found: manifest unknown: manifest unknown");
    assert_eq!(unknown.to_string(), words);
    registry.guard(|_| {
        Some(says(
            403,
            &[],
            r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#,
        ))
    });
    let denied = app(&registry, Purpose::Pull).manifest(&tag("no")).await.unwrap_err();
    let words = format!(
        "pull access denied for {host}/app, repository does not exist or may require 'docker login': denied: \
         requested access to the resource is denied"
    );
    assert_eq!(denied.to_string(), words);
    registry.guard(|_| {
        Some(says(
            404,
            &[],
            r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#,
        ))
    });
    let unknown = app(&registry, Purpose::Pull).tags().await.unwrap_err();
    assert!(matches!(unknown, RegistryError::NameUnknown { .. }), "{}", text(&unknown));
    assert!(app(&registry, Purpose::Pull).head_manifest(&tag("no")).await.unwrap().is_none());
}
