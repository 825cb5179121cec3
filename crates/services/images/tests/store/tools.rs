//! Archives that other people's tools write.

use crate::support::{Home, root};
use std::path::Path;
use std::process::Command;

/// Runs a tool; false, and says so, if it is not installed.
fn run(dir: &Path, program: &str, args: &[&str]) -> bool {
    match Command::new(program).args(args).current_dir(dir).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: {program} is not installed");
            false
        }
        output => {
            let output = output.unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program} {args:?}: {text}");
            true
        }
    }
}

/// An image of two layers in a layout, made by umoci.
fn layout(dir: &Path) -> bool {
    let steps: &[&[&str]] = &[
        &["init", "--layout", "image"],
        &["new", "--image", "image:v1"],
        &["unpack", "--image", "image:v1", "bundle"],
    ];
    if !steps.iter().all(|step| run(dir, "umoci", step)) {
        return false;
    }
    let rootfs = dir.join("bundle/rootfs");
    std::fs::create_dir_all(rootfs.join("bin")).unwrap();
    std::fs::write(rootfs.join("bin/sh"), "#!").unwrap();
    std::fs::write(rootfs.join("gone"), "soon").unwrap();
    run(dir, "umoci", &["repack", "--refresh-bundle", "--image", "image:v1", "bundle"]);
    std::fs::remove_file(rootfs.join("gone")).unwrap();
    std::fs::hard_link(rootfs.join("bin/sh"), rootfs.join("bin/bash")).unwrap();
    run(dir, "umoci", &["repack", "--image", "image:v1", "bundle"])
        && run(dir, "umoci", &["config", "--image", "image:v1", "--config.cmd", "sh"])
}

async fn load(home: &Home, dir: &Path, file: &str) -> Vec<String> {
    let loaded = home.load(std::fs::read(dir.join(file)).unwrap()).await.unwrap();
    loaded.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn archives_of_umoci_and_skopeo() {
    let Some(home) = root().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    if !layout(dir) || !run(dir, "tar", &["-C", "image", "-czf", "umoci.tar.gz", "."]) {
        return;
    }
    let id_line = load(&home, dir, "umoci.tar.gz").await;
    assert!(
        id_line[0].starts_with("Loaded image ID: sha256:"),
        "a tag alone names no repository: {id_line:?}"
    );
    let copies: &[(&[&str], &str, &str)] = &[
        (&["oci-archive:a.tar:app:oci"], "a.tar", "app:oci"),
        (&["docker-archive:b.tar:app:docker"], "b.tar", "app:docker"),
        (
            &["--dest-compress-format", "zstd", "oci-archive:c.tar:quay.io/app:zstd"],
            "c.tar",
            "quay.io/app:zstd",
        ),
    ];
    for (args, file, name) in copies {
        let args = [&["--insecure-policy", "copy", "oci:image:v1"], *args].concat();
        if !run(dir, "skopeo", &args) {
            return;
        }
        assert_eq!(load(&home, dir, file).await, [format!("Loaded image: {name}")]);
        let image = home.images.resolve(name).unwrap();
        assert_eq!(image.layers().len(), 2);
        assert_eq!(image.config.config.cmd.as_deref().unwrap(), ["sh"]);
        home.images.prepare(&image, "one", None).await.unwrap();
        let root = home.images.open_root("one").unwrap();
        assert_eq!(images::read_in_root(&root, "bin/bash", 9).unwrap().unwrap(), b"#!");
        assert_eq!(images::read_in_root(&root, "gone", 9).unwrap(), None);
        home.images.release("one").await.unwrap();
    }
    assert_eq!(home.layers(), 2, "the same layers in every format");
}
