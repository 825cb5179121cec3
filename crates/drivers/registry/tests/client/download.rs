//! Blobs that break off, and what comes in their place.

use crate::scripted::{Act, Registry};
use crate::support::{app, blob, hasty, noise, rest, text};
use registry::{Purpose, RegistryError};
use std::time::{Duration, Instant};

const SIZE: usize = 500_000;

#[tokio::test]
async fn a_broken_blob_goes_on_where_it_broke() {
    let registry = Registry::start().await;
    let (digest, content) = blob(&registry, SIZE);
    let path = format!("app/blobs/{digest}");
    // More breaks than tries: each that brought something counts as a new beginning.
    let breaks = [100_000, 70_000, 1, 90_000, 10_000].map(Act::BreakAfter);
    registry.script("GET", &path, breaks);
    let mut download = app(&registry, Purpose::Pull).download(&digest, Some(SIZE as u64), 0);
    assert!(rest(&mut download).await.unwrap() == content);
    assert_eq!(registry.served(), SIZE as u64, "no byte came twice");
    let seen = registry.seen();
    let ranges: Vec<_> = seen.iter().map(|seen| seen.header("range")).collect();
    assert_eq!(ranges[..3], ["", "bytes=100000-", "bytes=170000-"]);
}

#[tokio::test]
async fn a_download_begins_in_the_middle() {
    let registry = Registry::start().await;
    let (digest, content) = blob(&registry, SIZE);
    for (act, requests) in [
        (Act::Right, 1),
        (Act::IgnoreRange, 1),
        (Act::RangeFrom(1000), 1),
        // Of one that would leave a hole, all of it is asked for.
        (Act::RangeFrom(450_000), 2),
        (Act::Answer(416, vec![], String::new()), 2),
    ] {
        let before = registry.seen().len();
        registry.script("GET", &format!("app/blobs/{digest}"), [act.clone()]);
        let mut download = app(&registry, Purpose::Pull).download(&digest, Some(SIZE as u64), 400_000);
        assert!(rest(&mut download).await.unwrap() == content[400_000..], "{act:?}");
        // The first request of a client finds out that the registry speaks plain HTTP; that one is not counted here.
        assert_eq!(registry.seen().len() - before, requests, "{act:?}");
    }
}

#[tokio::test]
async fn what_is_here_or_empty_is_not_asked_for() {
    let registry = Registry::start().await;
    let (digest, content) = blob(&registry, 10);
    let repository = app(&registry, Purpose::Pull);
    assert_eq!(rest(&mut repository.download(&digest, Some(10), 10)).await.unwrap(), b"");
    assert_eq!(rest(&mut repository.download(&digest, Some(0), 0)).await.unwrap(), b"");
    assert_eq!(registry.seen().len(), 0);
    assert_eq!(rest(&mut repository.download(&digest, None, 0)).await.unwrap(), content);
}

#[tokio::test]
async fn too_much_and_too_little_are_refused() {
    let registry = Registry::start().await;
    let (digest, _) = blob(&registry, SIZE);
    let repository = app(&registry, Purpose::Pull);
    let long = rest(&mut repository.download(&digest, Some(SIZE as u64 - 1), 0)).await.unwrap_err();
    assert!(matches!(long, RegistryError::Size { .. }), "{}", text(&long));
    let before = registry.seen().len();
    let short = rest(&mut repository.download(&digest, Some(SIZE as u64 + 1), 0)).await.unwrap_err();
    assert!(text(&short).ends_with("has 500000 bytes, expected 500001"), "{}", text(&short));
    assert_eq!(registry.seen().len() - before, 1, "a registry that has no more is not asked for more");
    let wrong = Act::Instead(noise(SIZE + 1));
    registry.always("GET", &format!("app/blobs/{digest}"), wrong);
    let wrong = repository.blob(&digest, 1 << 20).await.unwrap_err();
    assert!(matches!(wrong, RegistryError::Mismatch { .. }), "{}", text(&wrong));
    let large = repository.blob(&digest, 1000).await.unwrap_err();
    assert!(text(&large).ends_with("exceeds 1000 bytes"), "{}", text(&large));
}

#[tokio::test]
async fn silence_ends_after_a_while() {
    let registry = Registry::start().await;
    let (digest, content) = blob(&registry, SIZE);
    let path = format!("app/blobs/{digest}");
    registry.script("GET", &path, [Act::Hang, Act::HangAfter(200_000)]);
    let repository = app(&registry, Purpose::Pull);
    assert!(rest(&mut repository.download(&digest, Some(SIZE as u64), 0)).await.unwrap() == content);
    assert_eq!(registry.served(), SIZE as u64);
    registry.always("GET", &path, Act::Hang);
    let begun = Instant::now();
    let error = rest(&mut repository.download(&digest, Some(SIZE as u64), 0)).await.unwrap_err();
    assert!(text(&error).contains("broke off at byte 0 for the 3th time"), "{}", text(&error));
    assert!(begun.elapsed() >= hasty().silence * 3 && begun.elapsed() < Duration::from_secs(10));
    // Slow is not silent.
    registry.behave();
    registry.script("GET", &path, [Act::Slow(hasty().silence / 2)]);
    assert!(rest(&mut repository.download(&digest, Some(SIZE as u64), 0)).await.unwrap() == content);
}

#[tokio::test]
async fn a_registry_that_is_busy_is_asked_again() {
    let registry = Registry::start().await;
    let (digest, content) = blob(&registry, 1000);
    let path = format!("app/blobs/{digest}");
    let busy = |status, headers: &[(&'static str, &str)]| {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Act::Answer(status, headers, String::new())
    };
    let repository = app(&registry, Purpose::Pull);
    registry.script("GET", &path, [busy(503, &[]), busy(500, &[])]);
    assert_eq!(rest(&mut repository.download(&digest, Some(1000), 0)).await.unwrap(), content);
    registry.script("GET", &path, [busy(429, &[("retry-after", "1")])]);
    let begun = Instant::now();
    assert_eq!(rest(&mut repository.download(&digest, Some(1000), 0)).await.unwrap(), content);
    assert!(begun.elapsed() >= Duration::from_secs(1), "it waits as long as it is told to");
    registry.script("GET", &path, [busy(429, &[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")])]);
    assert_eq!(rest(&mut repository.download(&digest, Some(1000), 0)).await.unwrap(), content);
    registry.always("GET", &path, busy(429, &[("retry-after", "3600")]));
    let before = registry.seen().len();
    let error = rest(&mut repository.download(&digest, Some(1000), 0)).await.unwrap_err();
    assert!(
        text(&error).ends_with("toomanyrequests: Too Many Requests (try again in 3600 s)"),
        "{}",
        text(&error)
    );
    assert_eq!(registry.seen().len() - before, 1);
    registry.always("GET", &path, busy(501, &[]));
    let error = rest(&mut repository.download(&digest, Some(1000), 0)).await.unwrap_err();
    assert!(text(&error).contains("501"), "{}", text(&error));
}
