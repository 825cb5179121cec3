//! An image of a hundred layers: what mounts its files has no room for so many names on kernels before 6.8.

use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::fs;
use tests::fixtures::{self, Archive};
use tests::{TestEngine, with_engine};

const LAYERS: usize = 100;
const NAME: &str = "many:1";

/// Busybox below layers of one file each, as `docker save` writes it.
fn archive() -> Vec<u8> {
    let file = |number: usize| {
        let mut layer = Archive::default();
        layer.file(&format!("file{number}"), 0o644, number.to_string().as_bytes());
        layer.file("last", 0o644, number.to_string().as_bytes());
        layer.finish()
    };
    let base = fs::read(fixtures::busybox_root()).unwrap();
    let layers: Vec<Vec<u8>> = std::iter::once(base).chain((1..LAYERS).map(file)).collect();
    let diff_ids: Vec<_> = layers.iter().map(|layer| format!("sha256:{}", hash(layer))).collect();
    let config = json!({
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
        "os": "linux",
        "config": { "Cmd": ["sh"], "Env": ["PATH=/bin:/sbin:/usr/bin:/usr/sbin"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let (config, mut archive) = (config.to_string(), Archive::default());
    let config_name = format!("{}.json", hash(config.as_bytes()));
    let layer_names: Vec<_> = layers.iter().map(|layer| format!("{}/layer.tar", hash(layer))).collect();
    let manifest = json!([{ "Config": config_name, "RepoTags": [NAME], "Layers": layer_names }]).to_string();
    archive.file(&config_name, 0o644, config.as_bytes());
    layer_names.iter().zip(&layers).for_each(|(name, layer)| archive.file(name, 0o644, layer));
    archive.file("manifest.json", 0o644, manifest.as_bytes());
    archive.finish()
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Paths in an archive.
fn paths(archive: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(archive);
    archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect()
}

fn exported(engine: &TestEngine, container: &str) -> Vec<String> {
    paths(&engine.api("GET", &format!("/containers/{container}/export"), None).body)
}

#[test]
fn an_image_of_a_hundred_layers_runs_and_is_exported_compared_copied_and_committed() {
    with_engine(|engine| {
        let file = engine.directory().join("many.tar");
        fs::write(&file, archive()).unwrap();
        engine.docker(&["load", "--input", file.to_str().unwrap()]).ok();
        let run = ["run", "--name", "box", NAME, "sh", "-c", "cat last; ls /file* | wc -l; echo x >/new"];
        assert_eq!(engine.docker(&run).ok(), format!("{}{}\n", LAYERS - 1, LAYERS - 1));
        assert_eq!(engine.docker(&["diff", "box"]).ok(), "A /new\n");
        let all = exported(engine, "box");
        for number in 1..LAYERS {
            assert!(all.contains(&format!("file{number}")), "file{number}: {all:?}");
        }
        let (to, from) = (engine.directory().join("out"), engine.directory().join("in"));
        fs::write(&from, "from outside").unwrap();
        engine.docker(&["cp", "box:/file50", to.to_str().unwrap()]).ok();
        assert_eq!(fs::read_to_string(&to).unwrap(), "50");
        engine.docker(&["cp", from.to_str().unwrap(), "box:/copied"]).ok();
        assert_eq!(engine.docker(&["start", "--attach", "box"]).ok(), format!("{0}{0}\n", LAYERS - 1));
        engine.docker(&["commit", "box", "more:1"]).ok();
        let more = ["run", "--rm", "more:1", "cat", "/copied", "/new", "/file1", "/file99"];
        assert_eq!(engine.docker(&more).ok(), "from outsidex\n199");
        engine.docker(&["rm", "box"]).ok();
        for left in [&file, &to, &from] {
            fs::remove_file(left).unwrap();
        }
    });
}
