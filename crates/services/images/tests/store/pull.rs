//! Pulls that go well, once or several at a time.

use crate::scripted::{Act, Registry};
use crate::served::{Served, name, notes, pull, repository};
use crate::support::{gzip, layer, plain, root, tar, zstd};
use images::Pull;
use registry::Purpose;
use std::time::Duration;

/// A layer of one incompressible file.
fn large(file: &str, size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let bytes = (0..size).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    });
    tar(&[(file, bytes.collect())])
}

#[tokio::test]
async fn every_kind_of_layer_comes() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let layers = [layer(&[("a", "1")]), layer(&[("b", "22")])];
    for (tag, image) in [
        ("gzip", Served::new(&layers, gzip)),
        ("zstd", Served::new(&layers, zstd)),
        ("plain", Served::new(&layers, plain)),
        ("docker", Served::new(&layers, gzip).docker()),
        ("empty", Served::new(&[], gzip)),
        ("empty-layer", Served::new(&[tar(&[]), layers[0].clone()], gzip)),
        ("twice", Served::new(&[layers[0].clone(), layers[1].clone(), layers[0].clone()], gzip)),
    ] {
        image.tag(&registry, tag);
        let pulled = pull(&home, &registry, &format!(":{tag}")).await.unwrap();
        assert_eq!((pulled.id.to_string(), pulled.digest.to_string()), (image.id(), image.digest()), "{tag}");
        let here = home.images.resolve(&name(&registry, &format!(":{tag}")).to_string()).unwrap();
        assert_eq!(here.layers().len(), image.layers.len(), "{tag}");
        let digest = format!("{}/app@{}", registry.host(), image.digest());
        assert!(here.repo_digests().contains(&digest), "{tag}: {:?}", here.repo_digests());
    }
    assert_eq!((home.layers(), home.staged()), (3, 0));
    // By whatever blob it came, a layer that is here does not come again; one that stands in a stack twice comes once.
    assert_eq!(registry.count("GET", "/blobs/"), 2 + 4 + 1, "two layers, four configs, the empty layer");
}

#[tokio::test]
async fn what_has_not_changed_is_said_to_be_up_to_date() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let image = Served::new(&[layer(&[("a", "1")])], gzip);
    image.tag(&registry, "1");
    let app = format!("{}/app:1", registry.host());
    let digest = format!("Digest: {}", image.digest());
    let newer = async || pull(&home, &registry, ":1").await.unwrap().newer;
    assert!(newer().await);
    let blobs = registry.count("GET", "/blobs/");
    assert_eq!(notes(&home, &registry, ":1").await, ["Pulling from app", &digest]);
    assert!(!newer().await);
    assert_eq!(registry.count("GET", "/blobs/"), blobs);
    // The tag moves: the old image stays under its digest.
    let moved = Served::new(&[layer(&[("a", "1")]), layer(&[("b", "1")])], gzip);
    moved.tag(&registry, "1");
    assert!(newer().await);
    assert_eq!(registry.count("GET", "/blobs/"), blobs + 2, "the new layer and the new config");
    assert_eq!(home.images.resolve(&app).unwrap().id.to_string(), moved.id());
    let old = home.images.resolve(&image.id()).unwrap();
    assert_eq!((old.tags.len(), old.digests.len()), (0, 1));
    let unused = images::Filter { dangling: Some(true), ..images::Filter::default() };
    assert_eq!(home.images.list(&unused).unwrap().len(), 1, "a prune takes it, as docker's does");
    let by_digest = format!("@{}", image.digest());
    assert!(!pull(&home, &registry, &by_digest).await.unwrap().newer);
    assert_eq!(home.images.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pulls_fetch_common_layers_once() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let common = [large("a", 400_000, 1), large("b", 300_000, 2)];
    let one = Served::new(&[common.to_vec(), vec![layer(&[("one", "1")])]].concat(), gzip);
    let two = Served::new(&[common.to_vec(), vec![layer(&[("two", "2")])]].concat(), gzip);
    one.tag(&registry, "one");
    two.tag(&registry, "two");
    for number in [0, 1] {
        registry.always("GET", &one.layer(number), Act::Slow(Duration::from_millis(20)));
    }
    let pulls = [":one", ":two", ":one", ":two"].map(|tag| pull(&home, &registry, tag));
    for pulled in futures_util::future::join_all(pulls).await {
        pulled.unwrap();
    }
    for number in 0..3 {
        for image in [&one, &two] {
            assert_eq!(registry.count("GET", &image.layer(number)), 1);
        }
    }
    assert_eq!((home.images.count(), home.layers(), home.staged()), (2, 4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_is_given_up_does_not_take_others_along() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let image = Served::new(&[large("a", 2_000_000, 3)], gzip);
    image.tag(&registry, "1");
    registry.always("GET", &image.layer(0), Act::Slow(Duration::from_millis(10)));
    let spawned = |home: &crate::support::Home| {
        let (images, repository) = (home.images.clone(), repository(&registry, Purpose::Pull));
        let pull = Pull { reference: name(&registry, ":1"), platform: None };
        tokio::spawn(async move { images.pull(&repository, &pull, &|_| {}).await })
    };
    let (first, second) = (spawned(&home), spawned(&home));
    home.wait(|_| registry.served() > 300_000).await;
    first.abort();
    second.await.unwrap().unwrap();
    assert_eq!(registry.count("GET", &image.layer(0)), 1);
    assert_eq!(registry.served(), (image.layers[0].len() + 2 * image.config.len()) as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_was_given_up_goes_on_where_it_was() {
    let (Some(mut home), registry) = (root().await, Registry::start().await) else { return };
    let image = Served::new(&[large("a", 2_000_000, 4), layer(&[("b", "1")])], gzip);
    image.tag(&registry, "1");
    registry.always("GET", &image.layer(0), Act::HangAfter(1_000_000));
    let (images, at) = (home.images.clone(), repository(&registry, Purpose::Pull));
    let wanted = Pull { reference: name(&registry, ":1"), platform: None };
    let given_up = tokio::spawn(async move { images.pull(&at, &wanted, &|_| {}).await });
    home.wait(|home| registry.served() > 1_000_000 && home.half_written() >= 1_000_000).await;
    given_up.abort();
    drop(given_up.await);
    home.wait(|home| home.staged() == 0).await;
    assert_eq!((home.images.count(), home.layers()), (0, 0));
    // As after a restart, too.
    home.reopen().await;
    registry.behave();
    pull(&home, &registry, ":1").await.unwrap();
    let all = image.layers.iter().map(Vec::len).sum::<usize>() + 2 * image.config.len();
    assert!(registry.served() <= all as u64, "{} of {all} bytes were sent", registry.served());
    assert_eq!(home.half_written(), 0);
    assert_eq!((home.images.count(), home.layers(), home.staged()), (1, 2, 0));
}

#[tokio::test]
async fn what_a_registry_beside_has_is_not_fetched() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let beside = blobs::Blobs::open(&home.root().join("registry")).unwrap();
    let image = Served::new(&[layer(&[("a", "1")]), layer(&[("b", "22")])], gzip);
    image.tag(&registry, "1");
    for content in image.layers.iter().chain([&image.config]) {
        beside.put(content).unwrap();
    }
    let pulled = pull(&home, &registry, ":1").await.unwrap();
    assert_eq!(pulled.id.to_string(), image.id());
    assert_eq!(registry.count("GET", "/blobs/"), 0);
    // It is the store's own from now on, and frees something only then.
    let nothing = images::StoreUsage::default();
    let shared = home.images.disk_usage().await.unwrap().gone_in(&nothing);
    for (digest, _) in beside.list().unwrap() {
        beside.remove(&digest).unwrap();
    }
    assert!(home.images.disk_usage().await.unwrap().gone_in(&nothing) > shared);
    assert!(home.images.check(None).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn what_is_damaged_beside_is_fetched() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let beside = blobs::Blobs::open(&home.root().join("registry")).unwrap();
    let image = Served::new(&[layer(&[("a", "1")])], gzip);
    image.tag(&registry, "1");
    for content in image.layers.iter().chain([&image.config]) {
        let digest = beside.put(content).unwrap();
        std::fs::remove_file(beside.path(&digest)).unwrap();
        std::fs::write(beside.path(&digest), "something else").unwrap();
    }
    pull(&home, &registry, ":1").await.unwrap();
    assert_eq!(registry.count("GET", "/blobs/"), 2);
    assert!(home.images.check(None).await.unwrap().findings.is_empty());
}
