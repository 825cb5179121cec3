//! Damage done by hand, found by a check and mended by a repair.

use super::support::{Archive, Home, layer, root, tar};
use images::{Finding, Images, Report, Surroundings};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

fn nowhere(name: &oci::Reference) -> registry::Result<registry::Repository> {
    panic!("{name} was never in a registry")
}

async fn repair(images: &Images, running: &[&str]) -> Report {
    let is_running = |key: &str| running.contains(&key);
    images
        .check(Some(&Surroundings { repository: &nowhere, is_running: &is_running, mounted: &Vec::new }))
        .await
        .unwrap()
}

/// A store with one image of two layers.
async fn home() -> Option<Home> {
    let home = root().await?;
    let large = ("data/large", vec![7_u8; 300_000]);
    let first = tar(&[("data/small", b"content".to_vec()), large]);
    home.load(Archive::new(&[first, layer(&[("top", "2")])], &["app:1"]).docker()).await.unwrap();
    Some(home)
}

/// The file `path` of whichever layer has it.
fn in_layer(home: &Home, path: &str) -> PathBuf {
    let layers = fs::read_dir(home.root().join("layers/l")).unwrap();
    layers.map(|entry| entry.unwrap().path().join(path)).find(|path| path.exists()).unwrap()
}

/// The largest blob: that of the layer with the large file, which compresses well, or a document.
fn blobs(home: &Home) -> Vec<PathBuf> {
    let dir = home.root().join("blobs/blobs/sha256");
    let mut blobs: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    blobs.sort();
    blobs
}

fn layer_blobs(home: &Home) -> Vec<PathBuf> {
    let is_gzip = |path: &PathBuf| fs::read(path).unwrap().starts_with(&[0x1f, 0x8b]);
    blobs(home).into_iter().filter(is_gzip).collect()
}

#[track_caller]
fn only(report: &Report) -> &Finding {
    assert_eq!(report.findings.len(), 1, "{report:#?}");
    assert!(!report.is_clean() || report.findings[0].repaired == Some(true));
    &report.findings[0]
}

#[tokio::test]
async fn a_sound_store_is_clean_and_stays_as_it_is() {
    let Some(home) = home().await else { return };
    let before = home.files();
    let report = home.images.check(None).await.unwrap();
    assert!(report.is_clean() && report.findings.is_empty(), "{report:#?}");
    assert_eq!((report.images, report.layers, report.layers_without_blob), (1, 2, 0));
    assert_eq!(report.blobs, blobs(&home).len());
    home.wait(|home| home.staged() == 0).await;
    let kept = |path: &PathBuf| !path.to_string_lossy().contains("/trash/");
    home.wait(|home| {
        home.files().into_iter().filter(kept).count() == before.iter().filter(|p| kept(p)).count()
    })
    .await;
}

#[tokio::test]
async fn damage_to_a_layers_files_is_found_and_mended() {
    type Damage = fn(PathBuf);
    let damages: [(&str, Damage, &str); 8] = [
        ("data/large", |path| fs::write(path, vec![0; 300_000]).unwrap(), "was modified"),
        ("data/small", |path| fs::write(path, "").unwrap(), "data/small"),
        ("data/small", |path| fs::remove_file(path).unwrap(), "data/small is missing"),
        ("data", |path| fs::remove_dir_all(path).unwrap(), "data is missing"),
        (
            "data/small",
            |path| fs::write(path.with_file_name("more"), "").unwrap(),
            "data/more does not belong there",
        ),
        (
            "top",
            |path| fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap(),
            "top has mode 0600, expected 0644",
        ),
        (
            "top",
            |path| std::os::unix::fs::chown(path, Some(5), None).unwrap(),
            "top belongs to 5:0, expected 0:0",
        ),
        (
            "top",
            |path| {
                fs::remove_file(&path).unwrap();
                std::os::unix::fs::symlink("x", path).unwrap();
            },
            "top is a symbolic link, expected a file",
        ),
    ];
    let Some(home) = home().await else { return };
    for (path, damage, expected) in damages {
        damage(in_layer(&home, path));
        let found = home.images.check(None).await.unwrap();
        let finding = only(&found);
        assert_eq!((finding.kind, finding.images.as_slice()), ("layer", &["app:1".to_owned()][..]));
        assert!(finding.problem.contains(expected), "{finding:?}");
        assert_eq!(finding.repaired, None);
        let mended = repair(&home.images, &[]).await;
        assert_eq!(only(&mended).repaired, Some(true), "{mended:#?}");
        assert!(home.images.check(None).await.unwrap().findings.is_empty(), "{path}");
    }
}

/// What a power cut leaves: the right size, the right times, and nothing in it.
#[tokio::test]
async fn a_file_full_of_zeros_is_found_though_its_attributes_are_right() {
    let Some(home) = home().await else { return };
    let path = in_layer(&home, "data/large");
    let times = fs::metadata(&path).unwrap().modified().unwrap();
    let file = fs::File::create(&path).unwrap();
    file.set_len(300_000).unwrap();
    file.set_modified(times).unwrap();
    let found = home.images.check(None).await.unwrap();
    let problem = &only(&found).problem;
    assert_eq!(problem, "differs from its archive: data/large has zeros from byte 0 on");
    repair(&home.images, &[]).await;
    assert_eq!(fs::read(in_layer(&home, "data/large")).unwrap(), vec![7; 300_000]);
}

#[tokio::test]
async fn a_missing_layer_is_unpacked_again_but_not_below_a_running_container() {
    let Some(home) = home().await else { return };
    let image = home.images.resolve("app:1").unwrap();
    home.images.prepare(&image, "c1", None).await.unwrap();
    let top = in_layer(&home, "top");
    let dir = top.parent().unwrap();
    fs::remove_dir_all(dir).unwrap();
    let refused = repair(&home.images, &["c1"]).await;
    let finding = only(&refused);
    assert_eq!((finding.problem.as_str(), finding.repaired), ("has no directory", Some(false)));
    assert!(finding.outcome.as_ref().unwrap().contains("in use by container c1"), "{finding:?}");
    assert!(!dir.exists());
    // A stopped one finds the layer where it was.
    assert!(repair(&home.images, &[]).await.is_clean());
    assert_eq!(fs::read_to_string(&top).unwrap(), "2");
}

#[tokio::test]
async fn a_damaged_blob_of_an_image_from_nowhere_is_forgotten_and_the_image_still_runs() {
    for truncated in [true, false] {
        let Some(home) = home().await else { return };
        let path = layer_blobs(&home).remove(0);
        let mut bytes = fs::read(&path).unwrap();
        if truncated {
            bytes.truncate(bytes.len() / 2);
        } else {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        let found = home.images.check(None).await.unwrap();
        let finding = only(&found);
        assert_eq!(finding.kind, "blob");
        assert!(finding.problem.starts_with("is damaged: "), "{finding:?}");
        assert!(finding.remedy.contains("docker pull app:1"), "{finding:?}");
        let report = repair(&home.images, &[]).await;
        assert_eq!(only(&report).repaired, Some(false));
        assert!(!path.exists());
        let after = home.images.check(None).await.unwrap();
        assert!(after.is_clean() && after.layers_without_blob == 1, "{after:#?}");
        let image = home.images.resolve("app:1").unwrap();
        home.images.prepare(&image, "c1", None).await.unwrap();
    }
}

#[tokio::test]
async fn a_layer_without_anything_to_unpack_it_from_is_forgotten_so_that_a_load_brings_it() {
    let Some(home) = home().await else { return };
    let archive = Archive::new(&[layer(&[("a", "1")])], &["other:1"]);
    home.load(archive.docker()).await.unwrap();
    let dir = in_layer(&home, "a").parent().unwrap().to_owned();
    for path in layer_blobs(&home) {
        fs::remove_file(path).unwrap();
    }
    fs::remove_dir_all(dir).unwrap();
    let report = repair(&home.images, &[]).await;
    let lost = report.findings.iter().find(|finding| finding.kind == "layer").unwrap();
    assert!(lost.outcome.as_ref().unwrap().contains("docker pull other:1"), "{lost:?}");
    let missing = home.images.check(None).await.unwrap();
    assert!(only(&missing).problem.starts_with("lacks its layer"), "{missing:#?}");
    home.load(archive.docker()).await.unwrap();
    assert!(home.images.check(None).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn orphans_are_found_and_removed() {
    let Some(home) = home().await else { return };
    let before = home.layers();
    fs::create_dir(home.root().join("layers/l/orphan")).unwrap();
    fs::create_dir(home.root().join("layers/l/something else")).unwrap();
    let stray = home.root().join("blobs/blobs/sha256").join("0".repeat(64));
    fs::write(&stray, "stray").unwrap();
    let found = home.images.check(None).await.unwrap();
    let kinds: Vec<_> = found.findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, ["orphan"; 3], "{found:#?}");
    assert!(stray.exists(), "a mere check changes nothing");
    assert!(repair(&home.images, &[]).await.is_clean());
    assert_eq!((home.layers(), stray.exists()), (before, false));
    assert!(home.images.check(None).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn an_image_whose_config_is_damaged_is_named_and_keeps_its_layers() {
    let Some(mut home) = home().await else { return };
    let image = home.images.resolve("app:1").unwrap();
    let config = home.root().join("blobs/blobs/sha256").join(image.id.hex());
    let document = fs::read(&config).unwrap();
    fs::remove_file(&config).unwrap();
    fs::write(&config, b"{}").unwrap();
    home.reopen().await;
    assert_eq!(home.images.count(), 0);
    let found = home.images.check(None).await.unwrap();
    let kinds: Vec<_> =
        found.findings.iter().map(|finding| (finding.kind, finding.images.as_slice())).collect();
    let named = &["app:1".to_owned()][..];
    assert!(kinds.contains(&("image", named)) && kinds.contains(&("blob", named)), "{found:#?}");
    assert!(!repair(&home.images, &[]).await.is_clean());
    assert_eq!(home.layers(), 2, "whose they are nobody knows, so they stay");
    // It comes back.
    fs::write(&config, document).unwrap();
    assert!(repair(&home.images, &[]).await.is_clean());
    assert_eq!(home.images.resolve("app:1").unwrap(), image);
}

#[tokio::test]
async fn what_comes_again_is_written_over_what_is_damaged() {
    let Some(home) = root().await else { return };
    let archive = Archive::new(&[layer(&[("a", "1")])], &["app:1"]).docker();
    home.load(archive.clone()).await.unwrap();
    let image = home.images.resolve("app:1").unwrap();
    let config = home.root().join("blobs/blobs/sha256").join(image.id.hex());
    let length = fs::metadata(&config).unwrap().len();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&config, vec![0; length as usize]).unwrap();
    home.load(archive).await.unwrap();
    assert!(home.images.check(None).await.unwrap().is_clean());
}

#[tokio::test]
async fn a_layer_under_a_mount_of_the_image_is_not_exchanged() {
    let Some(home) = home().await else { return };
    fs::write(in_layer(&home, "top"), "3").unwrap();
    let image = home.images.resolve("app:1").unwrap().id.clone();
    let mounted = move || vec![images::MountedImage { image: image.clone(), path: "/somewhere".into() }];
    let surroundings = Surroundings { repository: &nowhere, is_running: &|_| false, mounted: &mounted };
    let report = home.images.check(Some(&surroundings)).await.unwrap();
    assert!(only_left(&report).contains("in use by /somewhere"), "{report:#?}");
    assert!(repair(&home.images, &[]).await.is_clean() || home.images.check(None).await.unwrap().is_clean());
}

#[track_caller]
fn only_left(report: &Report) -> String {
    assert_eq!(report.findings.len(), 1, "{report:#?}");
    assert_eq!(report.findings[0].repaired, Some(false));
    report.findings[0].outcome.clone().unwrap()
}
