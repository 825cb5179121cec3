//! Our registry as a mirror of Debian's: fetched once, served without it, checked before it is kept.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::TempDir;
use tests::registry::{PASSWORD, Registry, SlowPort, USER, free_port, skopeo};
use tests::{Need, OwnRegistry, Settings, fixtures, lacks, skip, with_private_engine};

fn lacking() -> bool {
    let needs = [Need::Program("docker-registry"), Need::Program("skopeo"), Need::Path(fixtures::BUSYBOX)];
    lacks(&needs).inspect(|lacking| skip(lacking)).is_some()
}

/// Debian's registry with an image, in a place where a mirror of it can be too. None: the test says what lacks.
fn upstream_with(name: &str) -> Option<(TempDir, Registry)> {
    if lacking() {
        return None;
    }
    let place = tempfile::tempdir().unwrap();
    let upstream = Registry::start(place.path(), false);
    fill(&upstream, name, &fixtures::busybox());
    Some((place, upstream))
}

/// Puts the image of an archive into a registry.
fn fill(registry: &Registry, name: &str, archive: &Path) {
    let (from, to) =
        (format!("docker-archive:{}", archive.display()), format!("docker://{}", registry.name(name)));
    skopeo(&["copy", "--quiet", "--dest-tls-verify=false", &from, &to]).ok();
}

/// A mirror that logs everything.
fn mirror(place: &Path, upstream: &str, more: &[&str]) -> OwnRegistry {
    let flags = [&["--mirror-of", upstream, "--log-level", "debug"], more].concat();
    OwnRegistry::start(&place.join("mirror"), &flags)
}

/// The digest and size of the one layer of an image.
fn layer(mirror: &OwnRegistry, name: &str) -> (String, u64) {
    let path = format!("/v2/{name}/manifests/1");
    let manifest = mirror.request("GET", &path, &[], b"").unwrap().json();
    let layer = &manifest["layers"][0];
    (layer["digest"].as_str().unwrap().to_owned(), layer["size"].as_u64().unwrap())
}

/// Files of blobs that a registry has.
fn stored(place: &Path) -> usize {
    fs::read_dir(place.join("mirror/blobs/sha256")).unwrap().count()
}

#[test]
fn an_engine_pulls_through_it_and_goes_on_without_the_original() {
    let Some((place, upstream)) = upstream_with("team/app:1") else { return };
    let mirror = mirror(place.path(), &upstream.host(), &[]);
    let config = format!("registry: {{mirrors: {{'{}': ['http://{}']}}}}\n", upstream.host(), mirror.host());
    with_private_engine(Settings { config, ..Settings::default() }, |engine| {
        let name = upstream.name("team/app:1");
        engine.docker(&["rmi", "busybox"]).ok();
        engine.docker(&["pull", &name]).ok();
        assert!(mirror.count("GET", "/blobs/") >= 2, "{}", mirror.log());
        assert_eq!(stored(place.path()), 3, "config, layer, manifest");
        engine.docker(&["rmi", &name]).ok();
        drop(upstream);
        assert_eq!(engine.docker(&["run", "--rm", &name, "echo", "ok"]).ok(), "ok\n");
        engine.docker(&["push", &mirror.name("x")]).fails(1, "does not exist locally");
    });
    let refused = mirror.request("POST", "/v2/team/app/blobs/uploads/", &[], b"").unwrap();
    assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (405, &"UNSUPPORTED".into()));
    let refused = mirror.request("DELETE", "/v2/team/app/manifests/1", &[], b"").unwrap();
    assert_eq!(refused.status, 405);
}

#[test]
fn a_tag_is_asked_for_again_after_its_time_and_served_stale_without_an_answer() {
    let Some((place, upstream)) = upstream_with("app:1") else { return };
    fill(&upstream, "app:other", &fixtures::busybox());
    let (lazy, eager) = (place.path().join("lazy"), place.path().join("eager"));
    let (lazy, eager) =
        (mirror(&lazy, &upstream.host(), &[]), mirror(&eager, &upstream.host(), &["--mirror-ttl", "0"]));
    let ask = |mirror: &OwnRegistry, tag: &str| {
        mirror.request("GET", &format!("/v2/app/manifests/{tag}"), &[], b"").unwrap()
    };
    let digest = |answer: &tests::Response| answer.header("docker-content-digest").unwrap().to_owned();
    let first = digest(&ask(&lazy, "1"));
    assert_eq!(digest(&ask(&eager, "1")), first);
    // The tag moves to another image.
    fill(&upstream, "app:1", &other_image(place.path()));
    assert_eq!(digest(&ask(&lazy, "1")), first);
    let second = digest(&ask(&eager, "1"));
    assert_ne!(second, first);
    let tags = |mirror: &OwnRegistry| mirror.request("GET", "/v2/app/tags/list", &[], b"").unwrap().json();
    assert_eq!(tags(&lazy)["tags"], serde_json::json!(["1", "other"]));
    assert_eq!(ask(&eager, "none").status, 404);
    let gone = upstream.host();
    drop(upstream);
    let stale = ask(&eager, "1");
    assert_eq!((stale.status, digest(&stale)), (200, second));
    assert_eq!(stale.header("warning"), Some("110 - \"Response is Stale\""));
    assert_eq!(ask(&lazy, "1").header("warning"), None);
    let silent = ask(&eager, "none");
    assert_eq!(silent.status, 503);
    let said = silent.json()["errors"][0]["message"].as_str().unwrap().to_owned();
    assert!(said.ends_with(&format!("{gone}: connection refused")), "{said}");
    assert!(eager.log().contains(&gone), "{}", eager.log());
    assert_eq!(tags(&lazy)["tags"], serde_json::json!(["1"]));
}

/// An archive of an image that is not busybox.
fn other_image(place: &Path) -> PathBuf {
    let mut layer = fixtures::Archive::default();
    layer.file("other", 0o644, b"other");
    let path = place.join("other.tar");
    fs::write(&path, fixtures::docker_archive("other:1", &layer.finish(), &serde_json::json!({}))).unwrap();
    path
}

#[test]
fn many_clients_are_one_request_and_get_the_bytes_as_they_come() {
    let Some((place, upstream)) = upstream_with("app:1") else { return };
    let slow = SlowPort::to(&upstream, 1 << 20);
    let mirror = mirror(place.path(), &slow.host(), &[]);
    let (digest, size) = layer(&mirror, "app");
    let before = slow.passed();
    let path = format!("/v2/app/blobs/{digest}");
    // The first one reads a little, and sees it long before the whole has come.
    let mut early = TcpStream::connect(mirror.host()).unwrap();
    write!(early, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut head = vec![0; 64 << 10];
    early.read_exact(&mut head).unwrap();
    let came = slow.passed() - before;
    assert!(came < size, "{came} of {size} bytes had come");
    let bodies: Vec<Vec<u8>> = thread::scope(|scope| {
        let clients: Vec<_> =
            (0..6).map(|_| scope.spawn(|| mirror.request("GET", &path, &[], b"").unwrap().body)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(bodies.iter().all(|body| body.len() as u64 == size && *body == bodies[0]));
    let part = mirror.request("GET", &path, &[("range", "bytes=5-9")], b"").unwrap();
    assert_eq!((part.status, &part.body[..]), (206, &bodies[0][5..10]));
    let came = slow.passed() - before;
    assert!(came >= size && came < size + (64 << 10), "{came} bytes came for {size}");
}

#[test]
fn what_is_not_what_its_digest_says_is_neither_kept_nor_ended() {
    let Some((place, upstream)) = upstream_with("app:1") else { return };
    let mirror = mirror(place.path(), &upstream.host(), &[]);
    let (digest, _) = layer(&mirror, "app");
    let hex = digest.trim_start_matches("sha256:");
    let blob = format!("registry-false/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
    let blob = place.path().join(blob);
    let good = fs::read(&blob).unwrap();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(&blob, &bad).unwrap();
    let path = format!("/v2/app/blobs/{digest}");
    let cut = mirror.request("GET", &path, &[], b"").unwrap();
    assert!(cut.body.len() < bad.len(), "{} of {}", cut.body.len(), bad.len());
    assert!(bad.starts_with(&cut.body));
    assert_eq!(stored(place.path()), 1, "the manifest alone");
    fs::write(&blob, &good).unwrap();
    assert!(mirror.request("GET", &path, &[], b"").unwrap().body == good);
}

#[test]
fn several_originals_are_told_apart_and_asked_with_their_passwords() {
    if lacking() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let (open, asks) = (Registry::start(place.path(), false), Registry::start(place.path(), true));
    fill(&open, "app:1", &fixtures::busybox());
    let credentials = format!("{USER}:{PASSWORD}");
    let other = format!("docker-archive:{}", other_image(place.path()).display());
    let to = format!("docker://{}", asks.name("app:1"));
    let creds = ["--dest-creds", &credentials];
    skopeo(&[&["copy", "--quiet", "--dest-tls-verify=false"], &creds[..], &[&other, &to]].concat()).ok();
    let logins = place.path().join("logins.json");
    // `someone:secret`
    let login = serde_json::json!({"auths": {asks.host(): {"auth": "c29tZW9uZTpzZWNyZXQ="}}});
    fs::write(&logins, login.to_string()).unwrap();
    let more = ["--mirror-of", &asks.host(), "--mirror-credentials", logins.to_str().unwrap()];
    let mirror = mirror(place.path(), &open.host(), &more);
    let manifest = |namespace: &str| {
        let path = format!("/v2/app/manifests/1{namespace}");
        let answer = mirror.request("GET", &path, &[], b"").unwrap();
        (answer.status, answer.header("docker-content-digest").map(str::to_owned))
    };
    let (default, first, second) =
        (manifest(""), manifest(&format!("?ns={}", open.host())), manifest(&format!("?ns={}", asks.host())));
    assert_eq!((default.0, second.0), (200, 200));
    assert_eq!(default, first);
    assert_ne!(first, second);
    assert_eq!(manifest("?ns=elsewhere.example").0, 404);
}

#[test]
fn an_engine_that_is_its_own_mirror_has_everything_once() {
    let Some((_place, upstream)) = upstream_with("app:1") else { return };
    let (own, name) = (format!("127.0.0.1:{}", free_port()), upstream.name("app:1"));
    let config = format!(
        "registry:\n  mirrors: {{'{}': ['http://{own}']}}\n  serve: {{listen: '{own}', mirror_of: ['{}']}}\n",
        upstream.host(),
        upstream.host()
    );
    with_private_engine(Settings { config, ..Settings::default() }, |engine| {
        engine.docker(&["rmi", "busybox"]).ok();
        engine.docker(&["pull", &name]).ok();
        let inodes = |dir: &str| -> BTreeMap<_, _> {
            let files = fs::read_dir(engine.directory().join("root").join(dir)).unwrap().map(Result::unwrap);
            files.map(|file| (file.file_name(), file.metadata().unwrap().ino())).collect()
        };
        let (ours, mirrored) = (inodes("blobs/blobs/sha256"), inodes("registry/blobs/sha256"));
        assert_eq!(mirrored.len(), 3, "config, layer, manifest");
        let layer = ours.iter().filter(|(name, inode)| mirrored.get(*name) == Some(inode)).count();
        assert!(layer >= 1, "{ours:?} {mirrored:?}");
        engine.docker(&["rmi", &name]).ok();
        drop(upstream);
        assert_eq!(engine.docker(&["run", "--rm", &name, "echo", "ok"]).ok(), "ok\n");
    });
}
