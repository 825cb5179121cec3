//! docker and skopeo push to our registry, pull from it, copy whole indexes, and delete.

use std::process::Command;
use tests::fixtures::layout;
use tests::registry::skopeo;
use tests::{Need, OwnRegistry, Run, lacks, skip, with_engine};

fn lacking() -> bool {
    lacks(&[Need::Program("skopeo")]).inspect(|lacking| skip(lacking)).is_some()
}

/// Needs what the images of `cargo xtask fixtures` are made with.
fn lacks_fixtures() -> bool {
    let needs = [Need::Root, Need::Program("skopeo"), Need::Program("apt-get"), Need::Program("dpkg-deb")];
    lacks(&needs).inspect(|lacking| skip(lacking)).is_some()
}

/// Copies busybox for all platforms into the registry.
fn copy_index(registry: &OwnRegistry, name: &str) {
    let from = format!("oci:{}", layout("busybox").display());
    let to = format!("docker://{}", registry.name(name));
    skopeo(&["copy", "--quiet", "--all", "--dest-tls-verify=false", &from, &to]).ok();
}

fn inspected(registry: &OwnRegistry, name: &str, raw: &[&str]) -> String {
    let from = format!("docker://{}", registry.name(name));
    skopeo(&[&["inspect", "--tls-verify=false"], raw, &[from.as_str()]].concat()).ok()
}

#[test]
fn an_index_comes_back_as_it_went() {
    if lacks_fixtures() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let registry = OwnRegistry::start(&dir.path().join("storage"), &[]);
    copy_index(&registry, "team/busybox:1");
    let here = Run::of(
        Command::new("skopeo").args(["inspect", "--raw"]).arg(format!("oci:{}", layout("busybox").display())),
    );
    assert_eq!(inspected(&registry, "team/busybox:1", &["--raw"]), here.ok());
    // Into a directory, and into another repository of the same registry, layer by layer.
    let copy = format!("oci:{}:1", dir.path().join("copy").display());
    let from = format!("docker://{}", registry.name("team/busybox:1"));
    skopeo(&["copy", "--quiet", "--all", "--src-tls-verify=false", &from, &copy]).ok();
    let to = format!("docker://{}", registry.name("other/busybox:2"));
    skopeo(&["copy", "--quiet", "--all", "--dest-tls-verify=false", &copy, &to]).ok();
    assert_eq!(
        inspected(&registry, "other/busybox:2", &["--raw"]),
        inspected(&registry, "team/busybox:1", &["--raw"])
    );
    for architecture in ["amd64", "arm64"] {
        let said = inspected(&registry, "team/busybox:1", &["--override-arch", architecture]);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["Architecture"], architecture, "{said}");
        assert_eq!(said["RepoTags"], serde_json::json!(["1"]), "{said}");
    }
}

#[test]
fn an_engine_takes_its_platform_of_an_index_and_others_on_demand() {
    if lacks_fixtures() {
        return;
    }
    with_engine(|engine| {
        let registry = OwnRegistry::start(&engine.directory().join("storage"), &[]);
        copy_index(&registry, "busybox:1");
        let name = registry.name("busybox:1");
        assert_eq!(engine.docker(&["run", "--rm", &name, "echo", "ok"]).ok(), "ok\n");
        engine.docker(&["pull", "--quiet", "--platform", "linux/arm64", &name]).ok();
        let arm64 = registry.name("busybox:arm64");
        engine.docker(&["push", "--platform", "linux/arm64", &name]).ok();
        engine.docker(&["tag", &name, &arm64]).ok();
    });
}

#[test]
fn a_tree_of_repositories_is_synchronized() {
    if lacks_fixtures() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let registry = OwnRegistry::start(&dir.path().join("storage"), &[]);
    for tag in ["1", "2"] {
        copy_index(&registry, &format!("team/busybox:{tag}"));
    }
    let (from, to) = (registry.name("team/busybox"), dir.path().join("synchronized"));
    let to = to.to_str().unwrap();
    skopeo(&["sync", "--all", "--src-tls-verify=false", "--src", "docker", "--dest", "dir", &from, to]).ok();
    let back = registry.name("back");
    skopeo(&["sync", "--all", "--dest-tls-verify=false", "--src", "dir", "--dest", "docker", to, &back]).ok();
    let name = format!("docker://{}", registry.name("back/busybox"));
    let tags = skopeo(&["list-tags", "--tls-verify=false", &name]).ok();
    let tags: serde_json::Value = serde_json::from_str(&tags).unwrap();
    assert_eq!(tags["Tags"], serde_json::json!(["1", "2"]), "{tags}");
}

#[test]
fn what_is_deleted_frees_its_space() {
    if lacking() {
        return;
    }
    with_engine(|engine| {
        let storage = engine.directory().join("storage");
        let mut registry = OwnRegistry::start(&storage, &["--gc-interval", "0"]);
        for name in ["app:1", "kept:1"] {
            engine.docker(&["tag", "busybox", &registry.name(name)]).ok();
            engine.docker(&["push", "--quiet", &registry.name(name)]).ok();
        }
        let blobs = || std::fs::read_dir(storage.join("blobs/sha256")).unwrap().count();
        let all = blobs();
        let name = format!("docker://{}", registry.name("app:1"));
        skopeo(&["delete", "--tls-verify=false", &name]).ok();
        engine.docker(&["pull", &registry.name("app:1")]).fails(1, "not found");
        registry.kill();
        registry.collect(&["--grace", "0"]);
        assert_eq!(blobs(), all, "the other repository has the same content");
        registry.restart();
        skopeo(&["delete", "--tls-verify=false", &format!("docker://{}", registry.name("kept:1"))]).ok();
        registry.kill();
        registry.collect(&["--grace", "0"]);
        assert_eq!(blobs(), 0);
        registry.restart();
        engine.docker(&["push", "--quiet", &registry.name("app:1")]).ok();
    });
}
