//! A registry whose files are not what they were: what a check says, and what a repair makes of it.

use bytes::Bytes;
use oci::Digest;
use repositories::{CheckReport, Checkup, Directory, Put, Repositories, RepositoryName, Trouble};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Store {
    checkup: Checkup,
    dir: tempfile::TempDir,
    config: Digest,
    layer: Digest,
    manifest: Digest,
}

fn name() -> RepositoryName {
    "team/app".parse().unwrap()
}

impl Store {
    /// With an image of two blobs and a tag, beside an engine's directory of blobs.
    async fn new(is_mirror: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engine = blobs::Blobs::open(&dir.path().join("engine")).unwrap();
        let directory =
            Directory::open_beside(&dir.path().join("registry"), &dir.path().join("engine")).unwrap();
        let repositories = Repositories::new(Arc::new(directory.clone()));
        let mut parts = Vec::new();
        for content in ["config", "layer"] {
            let digest = engine.put(content.as_bytes()).unwrap();
            let mut session = repositories.begin_upload(&name(), "sha256").await.unwrap();
            session.append(vec![Bytes::from(content)]).await.unwrap();
            session.commit(&digest).await.unwrap();
            parts.push(digest);
        }
        let part = |digest| format!(r#"{{"mediaType":"a/b","digest":"{digest}","size":1}}"#);
        let document = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
            oci::media::MANIFEST,
            part(&parts[0]),
            part(&parts[1])
        );
        let manifest = blobs::digest(document.as_bytes());
        let tags = vec!["1".parse().unwrap()];
        let put = Put { content: document.into(), digest: manifest.clone(), media_type: None, tags };
        repositories.put_manifest(&name(), put).await.unwrap();
        let checkup = Checkup { repositories, directory, is_mirror };
        let [config, layer] = parts.try_into().unwrap();
        Self { checkup, dir, config, layer, manifest }
    }

    fn file(&self, root: &str, digest: &Digest) -> PathBuf {
        self.dir.path().join(root).join("blobs/sha256").join(digest.hex())
    }

    fn link(&self, rest: &str) -> PathBuf {
        self.dir.path().join("registry/repositories/team/app").join(rest)
    }

    async fn check(&self, repair: bool) -> CheckReport {
        self.checkup.run(repair).await.unwrap()
    }

    /// The only thing that is wrong.
    async fn flaw(&self, repair: bool) -> (Trouble, Vec<String>, Option<bool>) {
        let mut flaws = self.check(repair).await.flaws;
        let flaw = flaws.pop().unwrap();
        assert!(flaws.is_empty(), "{flaw:?} and {flaws:?}");
        (flaw.trouble, flaw.images, flaw.mended)
    }
}

/// In a file of its own: the engine's may be the same one.
fn spoil(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::write(path, "spoilt").unwrap();
}

#[tokio::test]
async fn a_sound_registry_has_no_flaws() {
    let store = Store::new(false).await;
    let report = store.check(true).await;
    assert!(report.flaws.is_empty(), "{report:?}");
    assert_eq!(report.blobs, 3);
    assert!(report.bytes > 11, "{}", report.bytes);
}

#[tokio::test]
async fn what_the_engine_has_comes_back() {
    let store = Store::new(false).await;
    let path = store.file("registry", &store.layer);
    for lose in [spoil, |path: &Path| fs::remove_file(path).unwrap()] {
        lose(&path);
        let (_, images, mended) = store.flaw(false).await;
        assert_eq!((images, mended), (vec!["team/app:1".to_owned()], None));
        let (trouble, _, mended) = store.flaw(true).await;
        assert!(
            matches!(&trouble, Trouble::Damaged { digest, .. } | Trouble::Missing { digest } if *digest == store.layer)
        );
        assert_eq!(mended, Some(true));
        assert_eq!(fs::read(&path).unwrap(), b"layer");
        assert!(store.check(false).await.flaws.is_empty());
    }
}

#[tokio::test]
async fn what_nobody_has_is_put_aside_and_not_served() {
    let store = Store::new(false).await;
    let path = store.file("registry", &store.config);
    for theirs in [None, Some("as bad")] {
        let engine = store.file("engine", &store.config);
        fs::remove_file(&engine).unwrap_or_default();
        if let Some(content) = theirs {
            fs::write(&engine, content).unwrap();
        }
        fs::write(&path, "spoilt").unwrap();
        let (trouble, images, mended) = store.flaw(true).await;
        assert!(matches!(trouble, Trouble::Damaged { .. }), "{trouble:?}");
        assert_eq!((images, mended), (vec!["team/app:1".to_owned()], Some(false)));
        assert!(!path.exists());
        let aside =
            store.dir.path().join("registry/quarantine").join(store.config.as_str().replace(':', "-"));
        assert_eq!(fs::read(aside).unwrap(), b"spoilt");
        assert!(matches!(store.flaw(false).await.0, Trouble::Missing { .. }));
    }
}

#[tokio::test]
async fn links_are_followed() {
    let store = Store::new(false).await;
    let tag = store.link("_tags/1");
    let whole = fs::read(&tag).unwrap();
    fs::write(&tag, "nonsense").unwrap();
    assert!(matches!(store.flaw(false).await.0, Trouble::TagUnreadable { .. }));
    fs::write(&tag, store.layer.as_str()).unwrap();
    let (trouble, images, mended) = store.flaw(true).await;
    assert!(matches!(trouble, Trouble::Dangling { manifest, .. } if manifest == store.layer));
    assert_eq!((images, mended), (vec!["team/app:1".to_owned()], Some(false)));
    fs::write(&tag, whole).unwrap();
    fs::remove_file(store.link(&format!("_blobs/sha256-{}", store.layer.hex()))).unwrap();
    let (trouble, ..) = store.flaw(false).await;
    assert_eq!(trouble, Trouble::Incomplete { manifest: store.manifest.clone(), part: store.layer.clone() });
}

#[tokio::test]
async fn a_manifest_that_is_damaged_is_told_once() {
    let store = Store::new(false).await;
    spoil(&store.file("registry", &store.manifest));
    let (trouble, images, mended) = store.flaw(true).await;
    assert!(matches!(trouble, Trouble::Damaged { digest, .. } if digest == store.manifest));
    assert_eq!((images, mended), (vec!["team/app:1".to_owned()], Some(false)));
}

/// A mirror has what clients have asked for, and what it loses comes again.
#[tokio::test]
async fn a_mirror_need_not_have_everything() {
    let store = Store::new(true).await;
    fs::remove_file(store.file("registry", &store.layer)).unwrap();
    fs::remove_file(store.link(&format!("_blobs/sha256-{}", store.config.hex()))).unwrap();
    assert!(store.check(false).await.flaws.is_empty());
    spoil(&store.file("registry", &store.manifest));
    let (trouble, _, mended) = store.flaw(true).await;
    assert!(matches!(trouble, Trouble::Damaged { .. }) && mended == Some(true), "{trouble:?}");
}
