//! The images of `cargo xtask fixtures`: skopeo reads them, for each platform, and they run.

use std::process::Command;
use tests::fixtures::layout;
use tests::{Need, Run, lacks, skip, with_engine};

fn lacking() -> bool {
    let needs = [Need::Root, Need::Program("skopeo"), Need::Program("apt-get"), Need::Program("dpkg-deb")];
    lacks(&needs).inspect(|lacking| skip(lacking)).is_some()
}

fn skopeo(words: &[&str]) -> serde_json::Value {
    let said = Run::of(Command::new("skopeo").args(words)).ok();
    serde_json::from_str(&said).unwrap()
}

#[test]
fn a_fixture_is_one_index_with_a_program_for_each_platform() {
    if lacking() {
        return;
    }
    let image = format!("oci:{}", layout("busybox").display());
    let index = skopeo(&["inspect", "--raw", &image]);
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    // What ELF files have from byte 18 on: the kind of machine.
    for (architecture, machine) in [("amd64", [0x3e, 0]), ("arm64", [0xb7, 0])] {
        let inspected = skopeo(&["inspect", "--override-arch", architecture, &image]);
        assert_eq!(inspected["Architecture"], architecture);
        assert!(inspected["Labels"]["org.opencontainers.image.version"].is_string(), "{inspected}");
        let unpacked = tempfile::tempdir().unwrap();
        let to = format!("dir:{}", unpacked.path().display());
        let copy = ["--override-arch", architecture, "copy", "--quiet", "--insecure-policy", &image, &to];
        Run::of(Command::new("skopeo").args(copy)).ok();
        let layer = inspected["Layers"][0].as_str().unwrap().trim_start_matches("sha256:");
        // Whole: which of its names is the file, and which are links to it, is the archive's affair.
        let root = tempfile::tempdir().unwrap();
        let layer = unpacked.path().join(layer);
        Run::of(Command::new("tar").arg("-C").arg(root.path()).arg("-xf").arg(layer)).ok();
        let program = std::fs::read(root.path().join("bin/busybox")).unwrap();
        assert_eq!((&program[..4], &program[18..20]), (&b"\x7fELF"[..], &machine[..]), "{architecture}");
    }
}

#[test]
fn a_fixture_is_loaded_under_its_name_and_runs() {
    if lacking() {
        return;
    }
    with_engine(|engine| {
        let archive = tempfile::NamedTempFile::new().unwrap();
        for name in ["busybox:latest", "alpine:latest"] {
            Run::of(Command::new("tar").arg("-C").arg(layout(name)).arg("-cf").arg(archive.path()).arg("."))
                .ok();
            let said = engine.docker(&["load", "--input", archive.path().to_str().unwrap()]).ok();
            assert_eq!(said, format!("Loaded image: {name}\n"));
            let said = engine.docker(&["run", "--rm", name, "sh", "-c", "busybox | head -1; id -un"]).ok();
            assert!(said.starts_with("BusyBox v1.") && said.ends_with("\nroot\n"), "{said}");
        }
    });
}
