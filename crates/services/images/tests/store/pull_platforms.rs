//! Pulls by way of an index.

use crate::scripted::Registry;
use crate::served::{Served, descriptor, index, name, pull, pull_for, repository, text};
use crate::support::{gzip, layer, root};
use images::{Filter, Pull};
use oci::media;
use registry::Purpose;
use serde_json::{Value, json};

fn platforms() -> [Served; 2] {
    ["amd64", "arm64"].map(|architecture| Served::of(architecture, &[layer(&[("arch", architecture)])], gzip))
}

/// Both, and what buildkit adds.
fn multi(registry: &Registry, tag: &str) -> ([Served; 2], String) {
    let images = platforms();
    images.iter().for_each(|image| image.put(registry));
    let mut attestation = descriptor(media::MANIFEST, b"attestation");
    attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    let list: Vec<Value> =
        vec![attestation, images[1].descriptor("linux/arm64"), images[0].descriptor("linux/amd64")];
    let (_, digest) = index(registry, Some(tag), &list);
    (images, digest)
}

#[tokio::test]
async fn platforms_stay_side_by_side() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let ([amd64, arm64], digest) = multi(&registry, "1");
    let app = name(&registry, ":1").to_string();
    let resolved = |platform: Option<&str>| {
        let platform = platform.map(|platform| platform.parse().unwrap());
        home.images.resolve_for(&app, platform.as_ref()).map(|image| image.id.to_string())
    };
    let pulled = pull_for(&home, &registry, ":1", Some("linux/arm64")).await.unwrap();
    assert_eq!((pulled.id.to_string(), pulled.digest.to_string()), (arm64.id(), digest.clone()));
    assert_eq!(resolved(None).unwrap(), arm64.id(), "what is here is meant");
    assert!(resolved(Some("linux/amd64")).is_err());
    assert_eq!(pull(&home, &registry, ":1").await.unwrap().id.to_string(), amd64.id());
    assert_eq!(resolved(None).unwrap(), amd64.id(), "the host's is meant when it is there");
    assert_eq!(resolved(Some("linux/arm64")).unwrap(), arm64.id());
    assert_eq!(resolved(Some("linux/arm64/v8")).unwrap(), arm64.id());
    assert_eq!((home.images.count(), home.layers()), (2, 2));
    assert_eq!(home.images.list(&Filter::default()).unwrap().len(), 1, "one name, one row");
    for platform in ["linux/arm64", "linux/amd64"] {
        assert!(!pull_for(&home, &registry, ":1", Some(platform)).await.unwrap().newer, "{platform}");
    }
    assert!(!pull(&home, &registry, &format!("@{digest}")).await.unwrap().newer);
    let error = text(pull_for(&home, &registry, ":1", Some("linux/s390x")).await.unwrap_err());
    let words = format!("no matching manifest for linux/s390x in the manifest list entries of {app}");
    assert!(error.starts_with(&words), "{error}");
}

#[tokio::test]
async fn an_index_may_be_in_an_index_and_in_docker_s_words() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let [amd64, _] = platforms();
    amd64.put(&registry);
    let mut inner = index(&registry, None, &[amd64.descriptor("linux/amd64")]).0;
    for depth in 0..3 {
        let mut entry = descriptor(media::INDEX, &inner);
        entry["platform"] = json!({"os": "linux", "architecture": "amd64"});
        inner = index(&registry, (depth == 0).then_some("nested"), &[entry]).0;
    }
    assert_eq!(pull(&home, &registry, ":nested").await.unwrap().id.to_string(), amd64.id());
    let mut list = json!({
        "schemaVersion": 2, "mediaType": media::DOCKER_LIST,
        "manifests": [amd64.clone().docker().descriptor("linux/amd64")],
    });
    list["manifests"][0]["mediaType"] = json!(media::DOCKER_MANIFEST);
    amd64.clone().docker().put(&registry);
    registry.put("app/manifests/list", Some(media::DOCKER_LIST), list.to_string());
    assert_eq!(pull(&home, &registry, ":list").await.unwrap().id.to_string(), amd64.id());
    // Deeper than anybody builds them.
    let mut deep = inner;
    for _ in 0..3 {
        let mut entry = descriptor(media::INDEX, &deep);
        entry["platform"] = json!({"os": "linux", "architecture": "amd64"});
        deep = index(&registry, Some("deep"), &[entry]).0;
    }
    let error = text(pull(&home, &registry, ":deep").await.unwrap_err());
    assert!(error.contains("its manifest has the media type application/vnd.oci.image.index"), "{error}");
}

#[tokio::test]
async fn a_manifest_for_another_platform_is_told_from_a_wish() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let [_, arm64] = platforms();
    arm64.tag(&registry, "1");
    // Without a choice and without a wish, what is there is taken.
    assert_eq!(pull(&home, &registry, ":1").await.unwrap().id.to_string(), arm64.id());
    // With a wish it is taken too, as docker does, and told.
    let wanted = Pull { reference: name(&registry, ":1"), platform: Some("linux/s390x".parse().unwrap()) };
    let pulled = home.images.pull(&repository(&registry, Purpose::Pull), &wanted, &|_| {}).await.unwrap();
    let words = format!(
        "image with reference {} was found but its platform (linux/arm64) does not match the specified \
         platform (linux/s390x)",
        name(&registry, ":1")
    );
    assert_eq!(pulled.warning, Some(words));
    // A digest that is here is still asked for where it is not known to be.
    let elsewhere = Registry::start().await;
    let error = text(pull(&home, &elsewhere, &format!("@{}", arm64.digest())).await.unwrap_err());
    assert!(error.contains("not found"), "{error}");
}
