//! A private store for each test, and archives made by hand.

use images::{Config, Images, LoadOptions, Loaded, Result};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::StateStore;

/// A store in a directory that goes with the test.
pub(crate) struct Home {
    pub(crate) images: Images,
    store: Arc<dyn StateStore>,
    root: PathBuf,
    dir: tempfile::TempDir,
}

/// None, and says so, without the rights that layers need.
pub(crate) async fn root() -> Option<Home> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root to create files of other owners");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = store::open_redb(&dir.path().join("state.redb")).unwrap();
    let images = Images::open(config(dir.path().to_owned()), Arc::clone(&store)).await.unwrap();
    Some(Home { images, store, root: dir.path().to_owned(), dir })
}

fn config(root: PathBuf) -> Config {
    Config { beside: Some(root.join("registry")), root, downloads: 3 }
}

/// A mount that goes with the test.
pub(crate) struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

/// A store whose layers and blobs have this many bytes of space.
pub(crate) async fn on_small_disk(bytes: usize) -> Option<(Home, Mounted)> {
    let mut home = root().await?;
    let root = home.dir.path().join("small");
    fs::create_dir(&root).unwrap();
    let options = std::ffi::CString::new(format!("size={bytes}")).unwrap();
    let flags = rustix::mount::MountFlags::empty();
    rustix::mount::mount("tmpfs", &root, "tmpfs", flags, options.as_c_str()).unwrap();
    let mounted = Mounted(root.clone());
    home.images = Images::open(config(root.clone()), Arc::clone(&home.store)).await.unwrap();
    home.root = root;
    Some((home, mounted))
}

impl Home {
    pub(crate) fn root(&self) -> PathBuf {
        self.root.clone()
    }

    /// As after a restart.
    pub(crate) async fn reopen(&mut self) {
        self.images = Images::open(config(self.root()), Arc::clone(&self.store)).await.unwrap();
    }

    pub(crate) async fn load(&self, body: Vec<u8>) -> Result<Vec<Loaded>> {
        self.images.load(std::io::Cursor::new(body), LoadOptions::default()).await
    }

    /// Layers on disk.
    pub(crate) fn layers(&self) -> usize {
        fs::read_dir(self.root.join("layers/l")).unwrap().count()
    }

    /// Layers being unpacked.
    pub(crate) fn staged(&self) -> usize {
        fs::read_dir(self.root.join("layers/tmp")).unwrap().count()
    }

    /// Bytes of half-written blobs.
    pub(crate) fn half_written(&self) -> u64 {
        let mut found = Vec::new();
        walk(&self.root.join("blobs"), &mut found);
        let pulled = found
            .iter()
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pull-")));
        pulled.filter_map(|path| fs::metadata(path).ok()).map(|stat| stat.len()).sum()
    }

    /// Everything on disk except records.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for part in ["layers", "blobs"] {
            walk(&self.root.join(part), &mut found);
        }
        found.sort();
        found
    }

    /// Waits for what happens in the background.
    pub(crate) async fn wait(&self, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !done(self) {
            assert!(Instant::now() < deadline, "still there: {:?}", self.files());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        found.push(entry.path());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), found);
        }
    }
}

/// A tar stream of regular files.
pub(crate) fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        let field = &mut header.as_old_mut().name[..name.len()];
        field.copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn layer(files: &[(&str, &str)]) -> Vec<u8> {
    let files: Vec<_> = files.iter().map(|(name, content)| (*name, content.as_bytes().to_vec())).collect();
    tar(&files)
}

pub(crate) fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    oci::Digest::sha256(blobs::sha256(bytes)).to_string()
}

/// Two links that lead to each other, where a layer should be.
pub(crate) fn circle() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let manifest = br#"[{"Config":"config.json","RepoTags":null,"Layers":["a/layer.tar"]}]"#;
    for (name, content) in [("manifest.json", &manifest[..]), ("config.json", b"{}")] {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content).unwrap();
    }
    for (name, target) in [("a/layer.tar", "../b/layer.tar"), ("b/layer.tar", "../a/layer.tar")] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, name, target).unwrap();
    }
    builder.into_inner().unwrap()
}

/// An image, to be written in one format or another.
pub(crate) struct Archive {
    layers: Vec<Vec<u8>>,
    tags: Vec<String>,
    config: Value,
}

impl Archive {
    pub(crate) fn new(layers: &[Vec<u8>], tags: &[&str]) -> Self {
        Self::of("amd64", layers, tags)
    }

    fn of(architecture: &str, layers: &[Vec<u8>], tags: &[&str]) -> Self {
        let diff_ids: Vec<_> = layers.iter().map(|layer| digest(layer)).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "created": "2026-01-01T00:00:00Z",
            "config": {"Cmd": ["sh"]}, "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        Self { layers: layers.to_vec(), tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), config }
    }

    fn save(&self, config: &Value, names: &[String], layers: &[Vec<u8>]) -> Vec<u8> {
        let config = config.to_string().into_bytes();
        let name = format!("{}.json", &digest(&config)[7..]);
        let manifest = json!([{"Config": name, "RepoTags": self.tags, "Layers": names}]);
        let mut files: Vec<(&str, Vec<u8>)> = vec![(&name, config)];
        files.extend(names.iter().map(String::as_str).zip(layers.iter().cloned()));
        files.push(("manifest.json", manifest.to_string().into_bytes()));
        tar(&files)
    }

    fn names(&self) -> Vec<String> {
        self.layers.iter().map(|layer| format!("{}.tar", &digest(layer)[7..])).collect()
    }

    /// As skopeo and podman write it.
    pub(crate) fn docker(&self) -> Vec<u8> {
        self.save(&self.config, &self.names(), &self.layers)
    }

    /// As docker wrote it before version 25.
    pub(crate) fn docker_old(&self) -> Vec<u8> {
        let names: Vec<String> = (0..self.layers.len()).map(|i| format!("layer{i}/layer.tar")).collect();
        self.save(&self.config, &names, &self.layers)
    }

    pub(crate) fn docker_without_layer(&self) -> Vec<u8> {
        self.save(&self.config, &self.names(), &[])
    }

    pub(crate) fn docker_with_layers_of(&self, other: &Self) -> Vec<u8> {
        self.save(&self.config, &other.names(), &other.layers)
    }

    pub(crate) fn docker_with_layer_twice(&self) -> Vec<u8> {
        let names: Vec<String> = self.names().iter().chain(&self.names()).cloned().collect();
        self.save(&self.config, &names, &self.layers)
    }

    pub(crate) fn foreign(&self) -> Vec<u8> {
        let mut config = self.config.clone();
        config["os"] = json!("windows");
        self.save(&config, &self.names(), &self.layers)
    }

    /// Blobs and the descriptor of the manifest.
    fn blobs(&self, compress: fn(&[u8]) -> Vec<u8>) -> (Vec<Vec<u8>>, Value) {
        let config = self.config.to_string().into_bytes();
        let layers: Vec<_> = self.layers.iter().map(|layer| compress(layer)).collect();
        let describe = |kind: &str, content: &[u8]| {
            json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest(content),
                   "size": content.len()})
        };
        let list: Vec<_> = layers.iter().map(|layer| describe("layer.v1.tar", layer)).collect();
        let manifest =
            json!({"schemaVersion": 2, "config": describe("config.v1+json", &config), "layers": list})
                .to_string();
        let descriptor = describe("manifest.v1+json", manifest.as_bytes());
        let blobs = [vec![config, manifest.into_bytes()], layers].concat();
        (blobs, descriptor)
    }

    pub(crate) fn layout(&self, compress: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let (blobs, descriptor) = self.blobs(compress);
        let named = |tag: &String| {
            let mut descriptor = descriptor.clone();
            descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
            descriptor
        };
        let manifests: Vec<_> = self.tags.iter().map(named).collect();
        layout(&blobs, &manifests)
    }

    pub(crate) fn layout_with_bad_blob(&self) -> Vec<u8> {
        let (blobs, descriptor) = self.blobs(plain);
        let names: Vec<String> =
            blobs.iter().map(|blob| format!("blobs/{}", digest(blob).replace(':', "/"))).collect();
        let mut files: Vec<(&str, Vec<u8>)> = names.iter().map(String::as_str).zip(blobs).collect();
        files[0].1.push(b' ');
        let index = json!({"schemaVersion": 2, "manifests": [descriptor]}).to_string();
        files.push(("index.json", index.into_bytes()));
        tar(&files)
    }

    /// An index with images for this host and for s390x, and an attestation.
    pub(crate) fn multi_platform(name: &str) -> Vec<u8> {
        let host = oci::Platform::host().architecture;
        let (mut blobs, mut manifests) = (Vec::new(), Vec::new());
        for architecture in ["s390x", &host, "riscv64"] {
            let (more, mut descriptor) =
                Self::of(architecture, &[layer(&[("arch", architecture)])], &[]).blobs(gzip);
            descriptor["platform"] = json!({"os": "linux", "architecture": architecture});
            blobs.extend(more);
            manifests.push(descriptor);
        }
        let mut attestation = manifests[0].clone();
        attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
        manifests.push(attestation);
        let index = json!({"schemaVersion": 2, "manifests": manifests}).to_string();
        let descriptor = json!({
            "mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest(index.as_bytes()),
            "size": index.len(), "annotations": {"io.containerd.image.name": name},
        });
        blobs.push(index.into_bytes());
        layout(&blobs, &[descriptor])
    }
}

fn layout(blobs: &[Vec<u8>], manifests: &[Value]) -> Vec<u8> {
    let index = json!({"schemaVersion": 2, "manifests": manifests}).to_string();
    let names: Vec<String> =
        blobs.iter().map(|blob| format!("blobs/{}", digest(blob).replace(':', "/"))).collect();
    let mut files: Vec<(&str, Vec<u8>)> = vec![("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())];
    files.extend(names.iter().map(String::as_str).zip(blobs.iter().cloned()));
    files.push(("index.json", index.into_bytes()));
    tar(&files)
}
