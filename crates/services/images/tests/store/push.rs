//! Pushes, and pulls of what was pushed.

use crate::FORCE;
use crate::scripted::{Act, Registry};
use crate::served::{Served, index, name, pull, pull_for, push_of, repository, text};
use crate::support::{Archive, gzip, layer, root};
use images::{LayerStep, Progress, Push};
use registry::Purpose;
use std::sync::Mutex;

async fn push(
    home: &crate::support::Home,
    registry: &Registry,
    push: &Push,
) -> images::Result<images::Pushed> {
    home.images.push(&repository(registry, Purpose::Push), push, &|_| {}).await
}

#[tokio::test]
async fn what_was_pulled_is_pushed_byte_for_byte() {
    let (Some(home), from, to) = (root().await, Registry::start().await, Registry::start().await) else {
        return;
    };
    let one = layer(&[("a", "1")]);
    let image = Served::new(&[one.clone(), layer(&[("b", "2")]), one], gzip);
    image.tag(&from, "1");
    pull(&home, &from, ":1").await.unwrap();
    home.images.tag(&name(&from, ":1").to_string(), &name(&to, ":2")).await.unwrap();
    let pushed = push(&home, &to, &push_of(&to, ":2")).await.unwrap();
    assert_eq!((pushed.digest.to_string(), pushed.size), (image.digest(), image.bytes().len() as u64));
    assert_eq!(to.content("app/manifests/2").unwrap(), image.bytes());
    assert_eq!(to.count("PUT", "/blobs/"), 3, "a layer that stands in the stack twice goes once");
    let paths: Vec<String> = to.seen().into_iter().filter(|s| s.method == "PUT").map(|s| s.path).collect();
    assert!(
        paths.last().unwrap().ends_with("/manifests/2"),
        "what names the blobs comes after them: {paths:?}"
    );
    assert!(push(&home, &to, &push_of(&to, ":2")).await.is_ok());
    assert_eq!(to.count("PUT", "/blobs/"), 3);
    let digest = format!("{}/app@{}", to.host(), pushed.digest);
    assert!(home.images.resolve(&digest).is_ok(), "it is known by what the registry has it under");
}

#[tokio::test]
async fn what_was_loaded_is_pushed_and_comes_back() {
    let (Some(home), registry) = (root().await, Registry::start().await) else { return };
    let tag = name(&registry, ":1").to_string();
    home.load(Archive::new(&[layer(&[("a", "1")])], &[&tag]).docker()).await.unwrap();
    let id = home.images.resolve(&tag).unwrap().id.clone();
    let pushed = push(&home, &registry, &push_of(&registry, ":1")).await.unwrap();
    let Some(other) = root().await else { return };
    let pulled = pull(&other, &registry, ":1").await.unwrap();
    assert_eq!((pulled.id, pulled.digest), (id, pushed.digest));
    let nothing = push(&home, &registry, &push_of(&registry, ":none")).await.unwrap_err();
    assert_eq!(text(nothing), format!("tag does not exist: {}", name(&registry, ":none")));
    home.images.remove(&tag, FORCE, Vec::new).await.unwrap();
    let nothing = push(&home, &registry, &push_of(&registry, ":1")).await.unwrap_err();
    assert!(text(nothing).starts_with("An image does not exist locally with the tag: "));
}

#[tokio::test]
async fn an_index_goes_whole_or_not_at_all() {
    let (Some(home), from, to) = (root().await, Registry::start().await, Registry::start().await) else {
        return;
    };
    let images = ["amd64", "arm64"].map(|arch| Served::of(arch, &[layer(&[("arch", arch)])], gzip));
    images.iter().for_each(|image| image.put(&from));
    let list = [images[0].descriptor("linux/amd64"), images[1].descriptor("linux/arm64")];
    let (bytes, digest) = index(&from, Some("1"), &list);
    pull(&home, &from, ":1").await.unwrap();
    let source = name(&from, ":1").to_string();
    home.images.tag(&source, &name(&to, ":1")).await.unwrap();
    assert_eq!(push(&home, &to, &push_of(&to, ":1")).await.unwrap().digest.to_string(), images[0].digest());
    pull_for(&home, &from, ":1", Some("linux/arm64")).await.unwrap();
    home.images.tag(&source, &name(&to, ":1")).await.unwrap();
    assert_eq!(push(&home, &to, &push_of(&to, ":1")).await.unwrap().digest.to_string(), digest);
    assert_eq!(to.content("app/manifests/1").unwrap(), bytes);
    let one = Push { platform: Some("linux/arm64".parse().unwrap()), ..push_of(&to, ":1") };
    assert_eq!(push(&home, &to, &one).await.unwrap().digest.to_string(), images[1].digest());
}

#[tokio::test]
async fn a_push_that_fails_names_nothing_there() {
    let (Some(home), from, to) = (root().await, Registry::start().await, Registry::start().await) else {
        return;
    };
    let image = Served::new(&[layer(&[("a", "1")]), layer(&[("b", "2")])], gzip);
    image.tag(&from, "1");
    pull(&home, &from, ":1").await.unwrap();
    home.images.tag(&name(&from, ":1").to_string(), &name(&to, ":1")).await.unwrap();
    to.always("PUT", "app/blobs/uploads/7", Act::Answer(507, vec![], "disk full".to_owned()));
    let error = text(push(&home, &to, &push_of(&to, ":1")).await.unwrap_err());
    assert!(error.contains("507") && error.ends_with("disk full"), "{error}");
    assert!(to.content("app/manifests/1").is_none());
    to.behave();
    let told = Mutex::new(Vec::new());
    let tell = |progress| told.lock().unwrap().push(progress);
    home.images.push(&repository(&to, Purpose::Push), &push_of(&to, ":1"), &tell).await.unwrap();
    let told = told.into_inner().unwrap();
    assert!(matches!(told[0], Progress::Layer { step: LayerStep::Preparing, .. }), "{told:?}");
    assert!(matches!(told.last(), Some(Progress::Layer { step: LayerStep::Pushed, .. })), "{told:?}");
}
