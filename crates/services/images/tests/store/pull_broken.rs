//! Pulls of what is damaged, false, or no image.

use crate::scripted::{Act, Registry};
use crate::served::{Served, descriptor, name, pull, repository, text};
use crate::support::{digest, gzip, layer, on_small_disk, root, tar};
use images::Pull;
use oci::media;
use registry::Purpose;
use serde_json::json;

/// Both layers small enough for one piece.
fn image() -> Served {
    Served::new(&[layer(&[("a", "1")]), layer(&[("b", &"22".repeat(4000))])], gzip)
}

#[tokio::test]
async fn a_damaged_layer_is_refused_and_leaves_nothing() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let image = image();
    image.tag(&registry, "1");
    let before = home.files();
    let whole = &image.layers[1];
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let other = gzip(&layer(&[("b", "33")]));
    let longer = [whole.as_slice(), b"more"].concat();
    for (case, bytes, expected) in [
        ("flipped", flipped, "/app: the registry sent content with digest"),
        ("another one", other, "expected"),
        ("too short", whole[..whole.len() - 1].to_vec(), "bytes, expected"),
        ("too long", longer, "bytes or more, expected"),
        ("empty", Vec::new(), "bytes, expected"),
        ("text", b"<html>not found</html>".to_vec(), "bytes, expected"),
    ] {
        registry.always("GET", &image.layer(1), Act::Instead(bytes));
        let error = text(pull(&home, &registry, ":1").await.unwrap_err());
        assert!(error.contains(expected), "{case}: {error}");
        // What came stays until it is known to be wrong; then nothing does.
        registry.behave();
        home.wait(|home| home.layers() == 0 && home.staged() == 0).await;
        assert_eq!(home.images.count(), 0, "{case}");
    }
    pull(&home, &registry, ":1").await.unwrap();
    assert_eq!(home.half_written(), 0, "{:?}", home.files());
    assert_ne!(home.files(), before);
}

#[tokio::test]
async fn a_layer_that_is_whole_and_none_is_refused() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let config = |diff_ids: &[String]| json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let good = layer(&[("a", "1")]);
    let escaping = layer(&[("../x", "1")]);
    for (case, diff_ids, blob, expected) in [
        (
            "no tar",
            vec![digest(&good)],
            gzip(&b"nothing that is a tar archive".repeat(40)),
            "not a tar archive",
        ),
        ("cut inside", vec![digest(&good)], gzip(&tar(&[("a", vec![1; 4000])])[..2000]), "truncated"),
        ("escaping", vec![digest(&escaping)], gzip(&escaping), "has '..' in its name"),
        ("another diff id", vec![digest(b"x")], gzip(&good), "invalid diffID for layer 0"),
        ("too few diff ids", vec![], gzip(&good), "layers length mismatch: expected 0, got 1"),
        (
            "too many",
            vec![digest(&good), digest(&good)],
            gzip(&good),
            "layers length mismatch: expected 2, got 1",
        ),
    ] {
        Served::with(&config(&diff_ids), vec![blob]).tag(&registry, "1");
        let error = text(pull(&home, &registry, ":1").await.unwrap_err());
        assert!(error.contains(expected), "{case}: {error}");
        home.wait(|home| home.layers() == 0 && home.staged() == 0).await;
        assert_eq!(home.images.count(), 0, "{case}");
    }
}

#[tokio::test]
async fn what_an_earlier_try_left_may_be_wrong() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let image = Served::new(&[tar(&[("a", (0..200_000_u32).flat_map(u32::to_le_bytes).collect())])], gzip);
    image.tag(&registry, "1");
    let path = image.layer(0);
    // Zeros, as after a power cut, and then nothing.
    registry.script("GET", &path, [Act::Instead(vec![0; 100_000])]);
    pull(&home, &registry, ":1").await.unwrap_err();
    pull(&home, &registry, ":1").await.unwrap();
    assert_eq!((home.layers(), home.half_written()), (1, 0));
}

#[tokio::test]
async fn what_is_no_image_is_refused_by_name() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let app = name(&registry, ":1").familiar();
    let refused = async |manifest: &serde_json::Value| {
        registry.put("app/manifests/1", None, manifest.to_string());
        text(pull(&home, &registry, ":1").await.unwrap_err())
    };
    let schema1 = json!({"schemaVersion": 1, "name": "app", "fsLayers": [], "history": []});
    assert!(
        refused(&schema1).await.starts_with("Docker Image Format v1 and Docker Image manifest version 2")
    );
    let mut artifact = image().manifest;
    artifact["config"]["mediaType"] = json!("application/vnd.cncf.helm.config.v1+json");
    let words = "is not an image that can run: its config has the media type application/vnd.cncf.helm.config.v1+json";
    assert_eq!(refused(&artifact).await, format!("{app} {words}"));
    let mut layers = image().manifest;
    layers["layers"][0]["mediaType"] = json!("application/vnd.cncf.helm.chart.content.v1.tar+gzip");
    let words = "its layer has the media type application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    assert_eq!(refused(&layers).await, format!("{app} is not an image that can run: {words}"));
    let mut odd = image().manifest;
    odd["mediaType"] = json!("application/x-odd");
    assert!(refused(&odd).await.ends_with("its manifest has the media type application/x-odd"));
    let mut short = image().manifest;
    short["layers"][0]["digest"] = json!("sha256:12");
    let error = refused(&short).await;
    assert!(error.contains("is not a valid document: Invalid digest length 2"), "{error}");
    assert!(refused(&json!({"schemaVersion": 2, "config": 7})).await.contains("is not a valid document"));
    assert_eq!((home.images.count(), registry.count("GET", "/blobs/")), (0, 0));
}

#[tokio::test]
async fn documents_have_their_limits() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let mut image = image();
    let mut config: serde_json::Value = serde_json::from_slice(&image.config).unwrap();
    config["author"] = json!("x".repeat(9 << 20));
    image.config = config.to_string().into_bytes();
    image.manifest["config"] = descriptor(media::CONFIG, &image.config);
    image.tag(&registry, "1");
    let error = text(pull(&home, &registry, ":1").await.unwrap_err());
    assert!(error.ends_with("exceeds 8388608 bytes"), "{error}");
    registry.put("app/manifests/1", Some(media::MANIFEST), vec![b' '; 5 << 20]);
    let error = text(pull(&home, &registry, ":1").await.unwrap_err());
    assert!(error.ends_with("exceeds 4194304 bytes"), "{error}");
}

/// They are fetched as any other if the registry has them.
#[tokio::test]
async fn foreign_layers_come_from_the_registry_or_not_at_all() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let mut image = image();
    image.manifest["layers"][0]["mediaType"] =
        json!("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
    image.manifest["layers"][0]["urls"] = json!(["http://127.0.0.1:1/x"]);
    image.tag(&registry, "1");
    pull(&home, &registry, ":1").await.unwrap();
    let lacking = Served::new(&[layer(&[("other", "1")])], gzip);
    lacking.tag(&registry, "2");
    registry.always("GET", &lacking.layer(0), Act::Answer(404, vec![], String::new()));
    let error = text(pull(&home, &registry, ":2").await.unwrap_err());
    assert!(error.contains("does not exist in the registry"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_left_as_it_was() {
    let Some((home, _mounted)) = on_small_disk(1 << 20).await else { return };
    let registry = Registry::start().await;
    let noise: Vec<u8> = (0..600_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    // The small one is whole, and not recorded, when the large one fails.
    Served::new(&[layer(&[("b", "1")]), tar(&[("a", noise)])], gzip).tag(&registry, "1");
    let error = text(pull(&home, &registry, ":1").await.unwrap_err());
    assert!(error.contains("No space left on device"), "{error}");
    home.wait(|home| home.staged() == 0 && home.layers() == 0 && home.half_written() == 0).await;
    assert_eq!(home.images.count(), 0);
}

/// A registry that vanishes in the middle is not asked for ever, and what came stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_breaks_off_each_time_is_given_up() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let content: Vec<u8> =
        (0..300_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let image = Served::new(&[tar(&[("a", content)])], gzip);
    image.tag(&registry, "1");
    registry.script("GET", &image.layer(0), [Act::BreakAfter(200_000)]);
    registry.always("GET", &image.layer(0), Act::BreakAfter(0));
    let pull = Pull { reference: name(&registry, ":1"), platform: None };
    let error = home.images.pull(&repository(&registry, Purpose::Pull), &pull, &|_| {}).await.unwrap_err();
    let error = text(error);
    assert!(error.contains("broke off at byte 200000"), "{error}");
    assert_eq!(home.half_written(), 200_000);
}
