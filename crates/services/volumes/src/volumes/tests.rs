//! The service against a real store, real directories and real mounts.

use super::{Pruned, Reference, Volumes};
use crate::{Create, Filter, VolumeError};
use durable::Trash;
use rustix::mount::UnmountFlags;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{StateStore, Transaction};

struct Scene {
    dir: tempfile::TempDir,
    store: Arc<dyn StateStore>,
    trash: Arc<Trash>,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store::open_redb(&dir.path().join("store.redb")).unwrap();
        let trash = Arc::new(Trash::open(&dir.path().join("trash")).unwrap());
        Self { dir, store, trash }
    }

    /// As after a restart.
    async fn open(&self) -> Volumes {
        self.open_with(false).await
    }

    async fn open_with(&self, keep_strays: bool) -> Volumes {
        let dir = self.dir.path().join("volumes");
        let (store, trash) = (Arc::clone(&self.store), Arc::clone(&self.trash));
        Volumes::open(&dir, store, trash, keep_strays).await.unwrap()
    }

    fn entries(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path().join("volumes")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn trash_is_empty(&self) -> bool {
        self.trash.wait_idle(Duration::from_secs(10)) && self.trash.stuck().is_empty()
    }
}

fn named(name: &str) -> Create {
    Create { name: Some(name.to_owned()), ..Create::default() }
}

fn with_options(name: &str, options: &[(&str, &str)]) -> Create {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Create { options, ..named(name) }
}

fn all() -> Filter {
    Filter::new(BTreeMap::from([("all".to_owned(), vec!["true".to_owned()])])).unwrap()
}

async fn names(volumes: &Volumes) -> Vec<String> {
    volumes.list(&Filter::default()).await.unwrap().into_iter().map(|volume| volume.name).collect()
}

fn reference(volume: &str, mounted: bool) -> Reference {
    Reference { volume: volume.to_owned(), container: "c1".to_owned(), mounted }
}

fn mounting_is_impossible() -> bool {
    let impossible = !rustix::process::getuid().is_root();
    if impossible {
        std::io::Write::write_all(&mut std::io::stderr(), b"skipped: mounting needs root\n").unwrap();
    }
    impossible
}

#[tokio::test]
async fn a_volume_is_made_once_and_survives_a_restart() {
    let scene = Scene::new();
    let volumes = scene.open().await;
    let (made, new) = volumes.create(named("data")).await.unwrap();
    assert!(new);
    let (again, new) = volumes.create(with_options("data", &[("nonsense", "x")])).await.unwrap();
    assert_eq!((again, new), (made.clone(), false));
    assert!(volumes.path("data").is_dir());
    drop(volumes);
    let volumes = scene.open().await;
    assert_eq!(volumes.get("data").await.unwrap(), made);
    assert_eq!(volumes.get("other").await.unwrap_err().to_string(), "get other: no such volume");
}

#[tokio::test]
async fn another_driver_or_a_bad_option_makes_nothing() {
    let scene = Scene::new();
    let volumes = scene.open().await;
    let unknown = Create { driver: Some("nope".into()), ..named("data") };
    let error = volumes.create(unknown).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "create data: error looking up volume plugin nope: plugin \"nope\" not found"
    );
    assert!(volumes.create(with_options("data", &[("foo", "x")])).await.is_err());
    assert!(scene.entries().is_empty() && names(&volumes).await.is_empty());
    let foreign = br#"{"name":"old","driver":"other","created":0}"#;
    scene.store.commit(Transaction::new().put("volumes/old", *foreign)).await.unwrap();
    let volumes = scene.open().await;
    assert!(
        matches!(volumes.create(named("old")).await, Err(VolumeError::Exists { driver, .. }) if driver == "other")
    );
}

#[tokio::test]
async fn what_a_container_has_is_not_removed() {
    let scene = Scene::new();
    let volumes = scene.open().await;
    volumes.create(named("data")).await.unwrap();
    volumes.reference("data", "c1").await.unwrap();
    volumes.mount("data", "c2").await.unwrap();
    for force in [false, true] {
        let error = volumes.remove("data", force).await.unwrap_err();
        assert_eq!(error.to_string(), "remove data: volume is in use - [c1, c2]");
    }
    volumes.unmount("data", "c2").await.unwrap();
    volumes.release("data", "c2");
    volumes.release("data", "c1");
    assert!(volumes.remove("data", false).await.unwrap());
    assert!(scene.entries().is_empty() && scene.trash_is_empty());
    assert!(!volumes.remove("data", true).await.unwrap());
    assert!(matches!(volumes.remove("data", false).await, Err(VolumeError::NotFound { .. })));
    assert!(matches!(volumes.reference("data", "c1").await, Err(VolumeError::NotFound { .. })));
    volumes.unmount("data", "c1").await.unwrap();
}

#[tokio::test]
async fn prune_takes_the_unused_anonymous_ones_or_all_unused() {
    let scene = Scene::new();
    let volumes = scene.open().await;
    let (anonymous, _) = volumes.create(Create::default()).await.unwrap();
    let (used, _) = volumes.create(Create::default()).await.unwrap();
    volumes.create(named("data")).await.unwrap();
    volumes.reference(&used.name, "c1").await.unwrap();
    std::fs::write(volumes.path(&anonymous.name).join("file"), vec![1; 10_000]).unwrap();
    let Pruned { removed, reclaimed } = volumes.prune(&Filter::default()).await.unwrap();
    assert_eq!(removed, [anonymous.name]);
    assert!(reclaimed >= 10_000, "{reclaimed}");
    assert_eq!(volumes.prune(&all()).await.unwrap().removed, ["data"]);
    assert_eq!(names(&volumes).await, [used.name]);
}

#[tokio::test]
async fn a_crash_at_any_step_leaves_the_old_state_or_the_new() {
    let scene = Scene::new();
    let volumes = scene.open().await;
    for name in ["kept", "half-removed", "without-directory"] {
        volumes.create(named(name)).await.unwrap();
        std::fs::write(volumes.path(name).join("file"), name).unwrap();
    }
    drop(volumes);
    let dir = scene.dir.path().join("volumes");
    // Killed between setting the directory aside and deleting the record, and after deleting it.
    std::fs::rename(dir.join("half-removed"), dir.join(".removing-half-removed")).unwrap();
    std::fs::create_dir_all(dir.join(".removing-gone/_data/content")).unwrap();
    // Killed before the record was made; a store that was lost; a copy that was not finished.
    std::fs::create_dir_all(dir.join("half-made/_data")).unwrap();
    std::fs::create_dir_all(dir.join("orphan/_data/content")).unwrap();
    std::fs::create_dir_all(dir.join("kept/_populate/half")).unwrap();
    std::fs::remove_dir_all(dir.join("without-directory")).unwrap();

    let volumes = scene.open().await;
    assert_eq!(names(&volumes).await, ["half-removed", "kept", "orphan", "without-directory"]);
    assert_eq!(scene.entries(), ["half-removed", "kept", "orphan", "without-directory"]);
    assert_eq!(std::fs::read(volumes.path("half-removed").join("file")).unwrap(), b"half-removed");
    assert!(volumes.path("without-directory").is_dir());
    assert!(!dir.join("kept/_populate").exists());
    assert!(scene.trash_is_empty());
}

#[tokio::test]
async fn what_an_older_store_does_not_know_is_kept() {
    let scene = Scene::new();
    let dir = scene.dir.path().join("volumes");
    std::fs::create_dir_all(dir.join("in-use/_data")).unwrap();
    std::fs::create_dir_all(dir.join("full/_data/content")).unwrap();
    std::fs::create_dir_all(dir.join(".removing-later/_data/content")).unwrap();
    let volumes = scene.open_with(true).await;
    assert_eq!(names(&volumes).await, ["full"]);
    assert_eq!(scene.entries(), [".removing-later", "full", "in-use"]);
    // Whoever asks for that name gets what the container that nobody knows has written meanwhile.
    std::fs::write(volumes.path("in-use").join("file"), b"1").unwrap();
    assert!(volumes.create(named("in-use")).await.unwrap().1);
    assert_eq!(std::fs::read(volumes.path("in-use").join("file")).unwrap(), b"1");
    assert!(scene.trash_is_empty());
}

#[tokio::test]
async fn the_drivers_mount_lasts_from_the_first_user_to_the_last() {
    if mounting_is_impossible() {
        return;
    }
    let scene = Scene::new();
    let volumes = scene.open().await;
    let options = [("type", "tmpfs"), ("device", "tmpfs"), ("o", "size=1m,mode=0750,noexec")];
    volumes.create(with_options("data", &options)).await.unwrap();
    let path = volumes.mount("data", "c1").await.unwrap();
    std::fs::write(path.join("file"), b"").unwrap();
    volumes.mount("data", "c2").await.unwrap();
    volumes.mount("data", "c2").await.unwrap();
    volumes.unmount("data", "c1").await.unwrap();
    assert!(path.join("file").exists());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let line = mounts.lines().find(|line| line.contains(&*path.to_string_lossy())).unwrap();
    assert!(line.contains("noexec") && line.contains("size=1024k") && line.contains("mode=750"), "{line}");
    volumes.unmount("data", "c2").await.unwrap();
    assert!(!path.join("file").exists() && !crate::driver::is_mounted(&path).unwrap());
    volumes.release("data", "c1");
    volumes.release("data", "c2");
    assert!(volumes.remove("data", false).await.unwrap());
}

#[tokio::test]
async fn a_read_only_bind_of_a_host_directory_shows_its_content() {
    if mounting_is_impossible() {
        return;
    }
    let scene = Scene::new();
    let volumes = scene.open().await;
    let host = scene.dir.path().join("host");
    let options = [("type", "none"), ("o", "bind,ro"), ("device", host.to_str().unwrap())];
    volumes.create(with_options("data", &options)).await.unwrap();
    let error = errors::chain(&volumes.mount("data", "c1").await.unwrap_err());
    assert!(error.starts_with("error while mounting volume '") && error.contains("No such file"), "{error}");
    std::fs::create_dir(&host).unwrap();
    std::fs::write(host.join("file"), b"precious").unwrap();
    let path = volumes.mount("data", "c1").await.unwrap();
    assert!(path.join("file").exists());
    let refused = std::fs::write(path.join("other"), b"").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    volumes.unmount("data", "c1").await.unwrap();
    volumes.release("data", "c1");
    volumes.remove("data", false).await.unwrap();
    assert!(scene.trash_is_empty() && host.join("file").exists());
}

#[tokio::test]
async fn a_restart_keeps_the_mounts_of_what_runs_and_only_these() {
    if mounting_is_impossible() {
        return;
    }
    let scene = Scene::new();
    let volumes = scene.open().await;
    let options = [("type", "tmpfs"), ("device", "tmpfs")];
    for name in ["runs", "ended", "lost"] {
        volumes.create(with_options(name, &options)).await.unwrap();
        volumes.mount(name, "c1").await.unwrap();
    }
    let mounted = |name| crate::driver::is_mounted(&volumes.path(name)).unwrap();
    rustix::mount::unmount(volumes.path("lost"), UnmountFlags::DETACH).unwrap();
    let restarted = scene.open().await;
    let references = vec![
        reference("runs", true),
        reference("ended", false),
        reference("lost", true),
        reference("absent", true),
    ];
    restarted.restore(references).await.unwrap();
    assert!(mounted("runs") && !mounted("ended") && mounted("lost"));
    assert_eq!(restarted.containers("ended"), ["c1"]);
    for name in ["runs", "lost"] {
        restarted.unmount(name, "c1").await.unwrap();
        assert!(!mounted(name));
    }
}

#[tokio::test]
async fn an_empty_volume_is_filled_from_the_image_once() {
    let scene = Scene::new();
    let volumes = scene.open().await;
    volumes.create(named("data")).await.unwrap();
    let image = scene.dir.path().join("image");
    std::fs::create_dir_all(image.join("srv/sub")).unwrap();
    std::fs::write(image.join("srv/sub/file"), b"1").unwrap();
    let root = File::open(&image).unwrap();
    let populate = |container| volumes.populate("data", container, root.as_fd(), Path::new("/srv"), None);
    volumes.mount("data", "c1").await.unwrap();
    assert!(!volumes.populate("data", "c1", root.as_fd(), Path::new("/absent"), None).await.unwrap());
    assert!(populate("c1").await.unwrap());
    assert_eq!(std::fs::read(volumes.path("data").join("sub/file")).unwrap(), b"1");
    assert!(!populate("c1").await.unwrap(), "it has content now");
    std::fs::remove_dir_all(volumes.path("data").join("sub")).unwrap();
    let inode = std::os::unix::fs::MetadataExt::ino(&volumes.path("data").metadata().unwrap());
    volumes.mount("data", "c2").await.unwrap();
    assert!(populate("c2").await.unwrap());
    let same = std::os::unix::fs::MetadataExt::ino(&volumes.path("data").metadata().unwrap());
    assert_eq!(inode, same, "the directory that another container has mounted was replaced");
    assert!(volumes.path("data").join("sub/file").exists());
}

#[tokio::test]
async fn removing_and_using_at_once_ends_with_one_winner() {
    let scene = Scene::new();
    let volumes = Arc::new(scene.open().await);
    for round in 0..30 {
        let name = format!("v{round:02}");
        volumes.create(named(&name)).await.unwrap();
        let remover = tokio::spawn({
            let (volumes, name) = (Arc::clone(&volumes), name.clone());
            async move { volumes.remove(&name, false).await }
        });
        tokio::task::yield_now().await;
        let used = volumes.mount(&name, "c1").await;
        match (remover.await.unwrap(), used) {
            (Ok(true), Err(_)) => assert!(!volumes.path(&name).exists()),
            (Err(VolumeError::InUse { .. }), Ok(path)) => assert!(path.is_dir()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_call_that_was_cut_off_does_not_get_in_the_way() {
    use futures_util::FutureExt;
    let scene = Scene::new();
    let volumes = scene.open().await;
    volumes.create(named("data")).await.unwrap();
    assert!(volumes.remove("data", false).now_or_never().is_none());
    volumes.mount("data", "c1").await.unwrap();
    // Its record was made, but it did not live to see the answer.
    let record = br#"{"name":"late","driver":"local","created":7}"#;
    scene.store.commit(Transaction::new().put("volumes/late", *record)).await.unwrap();
    let (volume, new) = volumes.create(named("late")).await.unwrap();
    assert_eq!((volume.created, new), (7, false));
    assert!(volumes.path("late").is_dir());
}

#[tokio::test]
async fn what_goes_with_a_container_that_is_not_there_goes_at_the_next_start() {
    let scene = Scene::new();
    let volumes = scene.open().await;
    for name in ["pending", "stored", "shared", "claimed"] {
        let create = Create { goes_with: Some("c1".to_owned()), ..named(name) };
        assert!(volumes.create(create).await.unwrap().1);
    }
    // One was stored with its container, one is another container's too, one is somebody's wish.
    let untied = volumes.tie(["stored"], None, Transaction::new()).unwrap();
    scene.store.commit(untied).await.unwrap();
    volumes.tied(["stored"], None);
    assert!(!volumes.create(named("claimed")).await.unwrap().1);

    for there in [true, false] {
        let volumes = scene.open().await;
        let reference = Reference { container: "c2".to_owned(), ..reference("shared", false) };
        volumes.restore(vec![reference]).await.unwrap();
        volumes.finish(|id| there && id == "c1", false).await;
        let expected: &[&str] = if there {
            &["claimed", "pending", "shared", "stored"]
        } else {
            &["claimed", "shared", "stored"]
        };
        assert_eq!(names(&volumes).await, expected);
    }
    // From the moment on in which a container is removed with it; unless it is not known which containers there are.
    for (keep, expected) in [(true, &["claimed", "shared", "stored"][..]), (false, &["claimed", "shared"])] {
        let volumes = scene.open().await;
        let tied = volumes.tie(["stored"], Some("c3"), Transaction::new()).unwrap();
        scene.store.commit(tied).await.unwrap();
        let volumes = scene.open().await;
        assert_eq!(volumes.tied_to("c3"), ["stored"]);
        volumes.finish(|_| false, keep).await;
        assert_eq!(names(&volumes).await, expected);
        assert!(volumes.tied_to("c3").is_empty());
    }
}
