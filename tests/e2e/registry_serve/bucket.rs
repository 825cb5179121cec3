//! Our registry in a bucket: docker pushes and pulls, other processes find it as it was, and what is deleted goes.

use tests::{Moto, OwnRegistry, with_engine};

#[test]
fn a_bucket_serves_as_a_directory_does() {
    let Some(moto) = Moto::start() else { return };
    let address = moto.bucket("registry");
    with_engine(|engine| {
        let spool = engine.directory().join("spool");
        let mut registry = OwnRegistry::in_bucket(&address, &spool, &["--gc-interval", "0"]);
        let name = registry.name("team/app:1");
        engine.docker(&["tag", "busybox", &name]).ok();
        engine.docker(&["push", &name]).ok();
        let blobs = || std::fs::read_dir(spool.join("blobs/sha256")).unwrap().count();
        assert_eq!(blobs(), 0, "what is in the bucket is not on the disk");
        engine.docker(&["rmi", &name, "busybox"]).ok();
        registry.kill();
        std::fs::remove_dir_all(&spool).unwrap();
        std::fs::create_dir(&spool).unwrap();
        registry.restart();
        assert_eq!(engine.docker(&["run", "--rm", &name, "echo", "ok"]).ok(), "ok\n");
        registry.kill();
        let collected = registry.collect(&["--grace", "0", "--untagged", "--dry-run"]);
        assert!(collected.starts_with("would delete 0 blobs (0 bytes), 0 manifests"), "{collected}");
        registry.restart();
        let path = "/v2/team/app/manifests/1";
        let manifest = registry.request("HEAD", path, &[], b"").unwrap();
        let digest = manifest.header("docker-content-digest").unwrap();
        let path = format!("/v2/team/app/manifests/{digest}");
        assert_eq!(registry.request("DELETE", &path, &[], b"").unwrap().status, 202);
        engine.docker(&["pull", &name]).fails(1, "not found");
        registry.kill();
        let collected = registry.collect(&["--grace", "0"]);
        assert!(collected.starts_with("deleted 3 blobs"), "{collected}");
        registry.restart();
        engine.docker(&["push", &name]).ok();
    });
}

#[test]
fn a_bucket_that_does_not_answer_is_told() {
    let Some(moto) = Moto::start() else { return };
    let address = moto.bucket("registry");
    let dir = tempfile::tempdir().unwrap();
    let registry = OwnRegistry::in_bucket(&address, &dir.path().join("spool"), &[]);
    assert_eq!(registry.request("GET", "/v2/app/tags/list", &[], b"").unwrap().status, 404);
    drop(moto);
    let answer = registry.request("GET", "/v2/app/tags/list", &[], b"").unwrap();
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("the registry's storage failed"), "{}", answer.text());
}
