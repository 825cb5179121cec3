//! The service as the engine uses it, on a store and a disk of its own. Needs root: layers hold other owners' files.
#![allow(clippy::print_stderr, reason = "a test that skips says why")]

mod check;
mod pull;
mod pull_broken;
mod pull_platforms;
mod push;
#[allow(dead_code, reason = "the client's tests, whose file it is, need more of it; axum serves it")]
#[path = "../../../../drivers/registry/tests/client/scripted.rs"]
mod scripted;
mod served;
mod support;
mod tools;

use images::{Filter, ImageError, Import, LoadOptions, Removal, Removed, Use, User};
use oci::Reference;
use support::{Archive, layer, root};

const SOFT: Removal = Removal { force: false, prune: true, unused: false };
const FORCE: Removal = Removal { force: true, prune: true, unused: false };

#[tokio::test]
async fn the_embedded_image_is_there_without_a_network() {
    let Some(home) = root().await else { return };
    assert!(home.images.load_embedded("busybox").await.unwrap().is_none());
    let image = home.images.load_embedded("hello-world").await.unwrap().unwrap();
    assert_eq!(image.repo_tags(), ["hello-world:latest"]);
    assert_eq!(image.config.config.cmd.as_deref().unwrap(), ["/hello"]);
    home.images.prepare(&image, "one", None).await.unwrap();
    let root = home.images.open_root("one").unwrap();
    let program = images::read_in_root(&root, "hello", 1 << 20).unwrap().unwrap();
    assert!(program.starts_with(b"\x7fELF") && program.len() < 4096, "{}", program.len());
    assert_eq!(home.images.resolve(image.id.short()).unwrap(), image);
}

#[tokio::test]
async fn an_imported_root_becomes_an_image_with_the_changes() {
    let Some(home) = root().await else { return };
    let import = Import {
        reference: Some("my/os:1".parse().unwrap()),
        changes: vec!["CMD [\"sh\"]".to_owned(), "ENV A=b".to_owned()],
        ..Import::default()
    };
    let body = layer(&[("etc/passwd", "root:x:0:0")]);
    let image = home.images.import(std::io::Cursor::new(body), import).await.unwrap();
    assert_eq!(image.repo_tags(), ["my/os:1"]);
    assert_eq!((image.config.comment.as_str(), image.size), ("Imported from -", 10));
    assert_eq!(image.config.config.env, ["A=b"]);
    let bad = Import { changes: vec!["RUN x".to_owned()], ..Import::default() };
    assert!(home.images.import(std::io::Cursor::new(vec![]), bad).await.is_err());
    let history = home.images.history(&image);
    assert_eq!(
        (history.len(), history[0].size, history[0].tags.as_slice()),
        (1, 10, &["my/os:1".to_owned()][..])
    );
}

#[tokio::test]
async fn both_formats_and_every_compression_give_the_same_image() {
    let Some(home) = root().await else { return };
    let archive =
        Archive::new(&[layer(&[("a", "1")]), layer(&[("b", "22")])], &["app:1", "other/app:latest"]);
    let mut ids = Vec::new();
    for body in [
        archive.docker(),
        archive.docker_old(),
        archive.layout(support::plain),
        archive.layout(support::gzip),
        archive.layout(support::zstd),
        support::gzip(&archive.docker()),
        support::zstd(&archive.layout(support::gzip)),
    ] {
        let loaded = home.load(body).await.unwrap();
        ids.extend(loaded.iter().map(|loaded| loaded.id.clone()));
        assert!(loaded.iter().all(|loaded| loaded.replaced.is_none()), "{loaded:?}");
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let image = home.images.resolve("app:1").unwrap();
    assert_eq!(image.repo_tags(), ["app:1", "other/app:latest"]);
    assert_eq!(image.size, 3);
    assert_eq!(home.layers(), 2, "layers are unpacked once");
}

#[tokio::test]
async fn a_restart_finds_everything_and_deletes_what_no_record_names() {
    let Some(mut home) = root().await else { return };
    let archive = Archive::new(&[layer(&[("a", "1")])], &["app:1"]);
    home.load(archive.docker()).await.unwrap();
    let image = home.images.resolve("app:1").unwrap();
    home.images.prepare(&image, "c1", None).await.unwrap();
    std::fs::create_dir(home.root().join("layers/l/orphan")).unwrap();
    std::fs::create_dir(home.root().join("layers/tmp/half")).unwrap();
    home.reopen().await;
    assert_eq!(home.images.resolve("app:1").unwrap(), image);
    assert_eq!(home.images.snapshots(), ["c1"]);
    assert_eq!(home.layers(), 1);
    assert_eq!(home.staged(), 0);
}

#[tokio::test]
async fn names_go_before_images_and_layers_only_with_the_last_image() {
    let Some(home) = root().await else { return };
    let base = layer(&[("base", "1")]);
    home.load(Archive::new(std::slice::from_ref(&base), &["base:1", "base:2"]).docker()).await.unwrap();
    home.load(Archive::new(&[base, layer(&[("top", "1")])], &["top:1"]).docker()).await.unwrap();
    assert_eq!(home.layers(), 2);
    let removed = home.images.remove("base:1", SOFT, Vec::new).await.unwrap();
    assert_eq!(removed, [Removed::Untagged("base:1".to_owned())]);
    let id = home.images.resolve("base:2").unwrap().id.clone();
    let removed = home.images.remove("base:2", SOFT, Vec::new).await.unwrap();
    assert_eq!(removed, [Removed::Untagged("base:2".to_owned()), Removed::Deleted(id.to_string())]);
    assert_eq!(home.layers(), 2);
    let top = home.images.resolve("top:1").unwrap();
    let removed = home.images.remove(top.id.short(), SOFT, Vec::new).await.unwrap();
    assert_eq!(removed.len(), 4, "a name, an image, two layers: {removed:?}");
    assert_eq!((home.layers(), home.images.count()), (0, 0));
    let error = home.images.remove("top:1", SOFT, Vec::new).await.unwrap_err();
    assert_eq!(error.to_string(), "No such image: top:1");
}

#[tokio::test]
async fn conflicts_are_dockers() {
    let Some(home) = root().await else { return };
    home.load(Archive::new(&[layer(&[("a", "1")])], &["a:1", "b:1"]).docker()).await.unwrap();
    let image = home.images.resolve("a:1").unwrap();
    let container = "0123456789abcdef".to_owned();
    let user =
        |running| [Use { image: image.id.clone(), by: User::Container { id: container.clone(), running } }];
    let short = image.id.short();
    let text = |error: ImageError| error.to_string();
    let by_id = home.images.remove(short, SOFT, Vec::new).await.unwrap_err();
    let several = "image is referenced in multiple repositories";
    assert_eq!(text(by_id), format!("conflict: unable to delete {short} (must be forced) - {several}"));
    home.images.remove("b:1", SOFT, || user(true).to_vec()).await.unwrap();
    let by_name = home.images.remove("a:1", SOFT, || user(false).to_vec()).await.unwrap_err();
    let expected = format!(
        "conflict: unable to remove repository reference \"a:1\" (must force) - container 0123456789ab is using its \
         referenced image {short}"
    );
    assert_eq!(text(by_name), expected);
    let stopped = home.images.remove(short, SOFT, || user(false).to_vec()).await.unwrap_err();
    let by = "image is being used by";
    assert_eq!(
        text(stopped),
        format!("conflict: unable to delete {short} (must be forced) - {by} stopped container 0123456789ab")
    );
    let running = home.images.remove(short, FORCE, || user(true).to_vec()).await.unwrap_err();
    assert_eq!(
        text(running),
        format!(
            "conflict: unable to delete {short} (cannot be forced) - {by} running container 0123456789ab"
        )
    );
    let removed = home.images.remove("a:1", FORCE, || user(true).to_vec()).await.unwrap();
    assert_eq!(removed, [Removed::Untagged("a:1".to_owned())], "it runs: only the name goes");
    home.images.prepare(&image, "c1", None).await.unwrap();
    home.images.remove(short, FORCE, || user(false).to_vec()).await.unwrap();
    assert_eq!((home.images.count(), home.layers()), (0, 1), "the container keeps its layers");
    home.images.release("c1").await.unwrap();
    home.wait(|home| home.layers() == 0).await;
}

#[tokio::test]
async fn a_name_moves_and_leaves_the_old_image_dangling() {
    let Some(home) = root().await else { return };
    home.load(Archive::new(&[layer(&[("a", "1")])], &["app:1"]).docker()).await.unwrap();
    let old = home.images.resolve("app:1").unwrap().id.clone();
    let loaded = home.load(Archive::new(&[layer(&[("a", "2")])], &["app:1"]).docker()).await.unwrap();
    assert_eq!(loaded[0].to_string(), "Loaded image: app:1");
    assert_eq!(loaded[0].replaced.as_ref(), Some(&old));
    let list = |filter: Filter| home.images.list(&filter).unwrap();
    let dangling = list(Filter { dangling: Some(true), ..Filter::default() });
    assert_eq!(
        dangling.iter().map(|summary| summary.image.id.clone()).collect::<Vec<_>>(),
        std::slice::from_ref(&old)
    );
    let named = list(Filter { references: vec!["ap*".to_owned()], ..Filter::default() });
    assert_eq!(named[0].repo_tags, ["app:1"]);
    assert!(home.images.list(&Filter { before: Some("none".to_owned()), ..Filter::default() }).is_err());
    let target: Reference = "again".parse().unwrap();
    home.images.tag(old.as_str(), &target).await.unwrap();
    assert_eq!(home.images.resolve("again").unwrap().id, old);
    let untagged = home.load(Archive::new(&[layer(&[("x", "1")])], &[]).docker()).await.unwrap();
    assert_eq!(untagged[0].to_string(), format!("Loaded image ID: {}", untagged[0].id));
}

#[tokio::test]
async fn a_broken_archive_is_refused_and_leaves_nothing() {
    let Some(home) = root().await else { return };
    let before = home.files();
    let archive = Archive::new(&[layer(&[("a", "1")])], &["app:1"]);
    let whole = archive.docker();
    let mut cases: Vec<(String, Vec<u8>, &str)> = Vec::new();
    for part in 1..8 {
        let cut = whole[..whole.len() * part / 8].to_vec();
        cases.push((format!("cut after {part}/8"), cut, ""));
    }
    let zipped = support::gzip(&whole);
    cases.push(("cut gzip".to_owned(), zipped[..zipped.len() - 9].to_vec(), "truncated"));
    let other = Archive::new(&[layer(&[("b", "1")])], &[]);
    let evil = Archive::new(&[layer(&[("../escape", "1")])], &["app:1"]);
    for (name, body, error) in [
        ("empty", vec![], "holds no image"),
        ("text", b"hello, this is no archive at all".repeat(40), "not a tar archive"),
        ("no manifest", support::tar(&[("x", b"1".to_vec())]), "holds no image"),
        (
            "bad json",
            support::tar(&[("manifest.json", b"[{".to_vec())]),
            "manifest.json is not a valid document",
        ),
        ("no images", support::tar(&[("manifest.json", b"[]".to_vec())]), "lists no image"),
        ("missing layer", archive.docker_without_layer(), "is missing"),
        ("other layer", archive.docker_with_layers_of(&other), "invalid diffID for layer 0"),
        ("too many layers", archive.docker_with_layer_twice(), "layers length mismatch: expected 1, got 2"),
        ("escaping layer", evil.docker(), "has '..' in its name"),
        ("bad tag", Archive::new(&[layer(&[("a", "1")])], &["Bad:Tag"]).docker(), "invalid tag"),
        ("bad blob", archive.layout_with_bad_blob(), "has digest"),
        ("circle of links", support::circle(), "lead in a circle"),
        ("foreign", archive.foreign(), "cannot load windows image on linux"),
        ("other platform", archive.docker(), "holds no image for linux/s390x"),
    ] {
        cases.push((name.to_owned(), body, error));
    }
    for (name, body, expected) in cases {
        let platform = (name == "other platform").then(|| "linux/s390x".parse().unwrap());
        let result = home.images.load(std::io::Cursor::new(body), LoadOptions { platform }).await;
        let error = errors::Error::from(result.expect_err(&name));
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert_eq!(error.class(), errors::Class::Invalid.max_for(&name), "{name}: {error}");
    }
    home.wait(|home| home.files() == before).await;
    assert_eq!((home.images.count(), home.layers(), home.staged()), (0, 0, 0));
}

/// One case is the host's limitation rather than the archive's fault.
trait MaxFor {
    fn max_for(self, name: &str) -> Self;
}

impl MaxFor for errors::Class {
    fn max_for(self, name: &str) -> Self {
        if name == "foreign" { Self::Unsupported } else { self }
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing() {
    let Some(home) = root().await else { return };
    let before = home.files();
    let whole = Archive::new(&[layer(&[("a", &"x".repeat(3 << 20))])], &["app:1"]).docker();
    let (mut sender, receiver) = tokio::io::duplex(1 << 16);
    let load = tokio::spawn({
        let images = home.images.clone();
        async move { images.load(receiver, LoadOptions::default()).await }
    });
    tokio::io::AsyncWriteExt::write_all(&mut sender, &whole[..2 << 20]).await.unwrap();
    home.wait(|home| home.staged() == 1).await;
    load.abort();
    drop(load.await);
    home.wait(|home| home.staged() == 0 && home.files() == before).await;
    assert_eq!((home.images.count(), home.layers()), (0, 0));
}

/// More clients that send nothing than the engine has threads for blocking work, and than archives are read at a time.
#[test]
fn archives_that_never_end_hold_nobody_up() {
    const THREADS: usize = 6;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(THREADS).build();
    runtime.unwrap().block_on(async {
        let Some(home) = root().await else { return };
        let (stalled, loads): (Vec<_>, Vec<_>) = (0..THREADS + 2)
            .map(|_| {
                let (sender, receiver) = tokio::io::duplex(1 << 10);
                let images = home.images.clone();
                let load = async move { images.load(receiver, LoadOptions::default()).await };
                (sender, tokio::spawn(load))
            })
            .unzip();
        // All of them get as far as they can.
        tokio::task::yield_now().await;
        let other = tokio::task::spawn_blocking(|| ());
        tokio::time::timeout(std::time::Duration::from_secs(20), other).await.expect("a thread").unwrap();
        home.load(Archive::new(&[layer(&[("a", "1")])], &["app:1"]).docker()).await.unwrap();
        drop(stalled);
        for load in loads {
            load.await.unwrap().unwrap_err();
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_loads_unpack_a_layer_once() {
    let Some(home) = root().await else { return };
    let archive = Archive::new(&[layer(&[("a", &"x".repeat(1 << 20))])], &["app:1"]);
    let loads: Vec<_> = (0..8)
        .map(|i| {
            let body = if i % 2 == 0 { archive.layout(support::gzip) } else { archive.docker() };
            let images = home.images.clone();
            tokio::spawn(async move { images.load(std::io::Cursor::new(body), LoadOptions::default()).await })
        })
        .collect();
    for load in loads {
        load.await.unwrap().unwrap();
    }
    assert_eq!((home.images.count(), home.layers(), home.staged()), (1, 1, 0));
}

#[tokio::test]
async fn of_an_index_all_platforms_are_taken_and_the_hosts_is_meant() {
    let Some(home) = root().await else { return };
    let body = Archive::multi_platform("multi:1");
    let loaded = home.load(body.clone()).await.unwrap();
    assert_eq!(loaded.len(), 1);
    let host = oci::Platform::host();
    assert_eq!(home.images.resolve("multi:1").unwrap().platform(), host);
    let other: oci::Platform = "linux/s390x".parse().unwrap();
    assert_eq!(home.images.resolve_for("multi:1", Some(&other)).unwrap().platform(), other);
    assert_eq!(home.images.list(&Filter::default()).unwrap().len(), 1, "one name, one row");
    let removed =
        home.images.remove_platforms("multi:1", &[oci::Platform::host()], false, Vec::new).await.unwrap();
    assert_eq!(removed.len(), 2, "image and layer: {removed:?}");
    assert_eq!(home.images.count(), 2);
    assert_ne!(home.images.resolve("multi:1").unwrap().platform(), host, "the name is for the others now");
    home.images.remove("multi:1", SOFT, Vec::new).await.unwrap();
    assert_eq!((home.images.count(), home.layers()), (0, 0), "the name takes all of them along");

    home.load(body.clone()).await.unwrap();
    let meant = home.images.resolve("multi:1").unwrap().id.clone();
    let cleaning = Removal { unused: true, ..FORCE };
    let by = User::Container { id: "c1".to_owned(), running: false };
    let used = [Use { image: meant.clone(), by }];
    let refused = home.images.remove(meant.as_str(), cleaning, || used.to_vec()).await.unwrap_err();
    assert!(matches!(refused, ImageError::InUse { .. }), "force or not");
    home.images.remove(meant.as_str(), cleaning, Vec::new).await.unwrap();
    assert_eq!(home.images.count(), 0, "the name does not come to mean another platform");

    home.load(body.clone()).await.unwrap();
    let s390x = home.images.resolve_for("multi:1", Some(&other)).unwrap().id.clone();
    home.images.tag(s390x.as_str(), &"elsewhere:1".parse().unwrap()).await.unwrap();
    let removed = home.images.remove("multi:1", SOFT, Vec::new).await.unwrap();
    assert!(removed.contains(&Removed::Untagged("multi:1".to_owned())), "{removed:?}");
    assert!(home.images.resolve("multi:1").is_err(), "a name that is gone is gone");
    assert_eq!((home.images.count(), home.images.resolve("elsewhere:1").unwrap().tags.len()), (1, 1));
    home.images.remove("elsewhere:1", SOFT, Vec::new).await.unwrap();

    home.load(body.clone()).await.unwrap();
    let removed = home.images.remove(s390x.as_str(), SOFT, Vec::new).await.unwrap();
    assert!(!removed.contains(&Removed::Untagged("multi:1".to_owned())), "{removed:?}");
    assert_eq!(
        home.images.resolve("multi:1").unwrap().platform(),
        host,
        "the name means another one, and stays"
    );
    home.images.remove("multi:1", SOFT, Vec::new).await.unwrap();
    assert_eq!(home.images.count(), 0);

    let platform = Some(other.clone());
    home.images.load(std::io::Cursor::new(body), LoadOptions { platform }).await.unwrap();
    assert_eq!(home.images.resolve("multi:1").unwrap().platform(), other);
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_leaves_nothing() {
    let Some(small) = support::on_small_disk(8 << 20).await else { return };
    let (home, _mount) = small;
    let before = home.files();
    let large = layer(&[("large", &"x".repeat(16 << 20))]);
    let archive = Archive::new(&[layer(&[("a", "1")]), large.clone()], &["app:1"]);
    for body in [archive.docker(), archive.layout(support::gzip)] {
        let error = errors::Error::from(home.load(body).await.unwrap_err());
        assert!(error.to_string().contains("No space left on device"), "{error}");
        assert_eq!(error.class(), errors::Class::Unavailable, "{error}");
        home.wait(|home| home.files() == before).await;
    }
    let import = home.images.import(std::io::Cursor::new(large), Import::default()).await;
    assert!(errors::Error::from(import.unwrap_err()).to_string().contains("No space left on device"));
    home.wait(|home| home.files() == before).await;
    home.load(Archive::new(&[layer(&[("a", "1")])], &["app:1"]).docker()).await.unwrap();
}
