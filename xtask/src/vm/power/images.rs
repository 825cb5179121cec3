//! The images that come and go: busybox with many small files, few big ones, or both; in a registry's directory and as
//! archives, with the digest of all their files as it has to be ever after.

use super::random::Random;
use anyhow::{Context as _, Result};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Names in the registry, and of archives.
pub(super) const NAMES: [&str; 3] = ["small", "big", "both"];
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Files below `/data` by their paths from there.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// One image, packed.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) name: &'static str,
    pub(super) files: Files,
    blobs: Vec<Vec<u8>>,
    manifest: Vec<u8>,
}

/// Makes all images; the same seed makes the same ones.
pub(super) fn make(seed: u64) -> Result<Vec<Image>> {
    let mut random = Random::branch(seed, 1 << 32);
    let mut files = |prefix: &str, count: usize, size: u64| -> Files {
        let name = |number| format!("{prefix}/{}/{number}", number % 16);
        (0..count)
            .map(|number| {
                let length = usize::try_from(1 + random.below(size)).unwrap_or(1);
                (name(number), random.bytes(length))
            })
            .collect()
    };
    let (small, big, more) = (files("small", 150, 6000), files("big", 2, 2 << 20), files("more", 40, 20_000));
    NAMES
        .into_iter()
        .map(|name| match name {
            "small" => Image::new(name, &[&small]),
            "big" => Image::new(name, &[&big]),
            _ => Image::new(name, &[&small, &big, &more]),
        })
        .collect()
}

/// What `sha256sum` says of the sorted output of `sha256sum` of all files.
pub(super) fn digest(files: &Files) -> String {
    let mut paths: Vec<_> = files.iter().map(|(path, content)| (format!("./{path}"), content)).collect();
    paths.sort();
    let line = |(path, content): &(String, &Vec<u8>)| format!("{}  {path}\n", sha256(content));
    sha256(paths.iter().map(line).collect::<String>().as_bytes())
}

impl Image {
    fn new(name: &'static str, source: &[&Files]) -> Result<Self> {
        let mut archives = vec![base()?];
        for files in source {
            archives.push(archive(
                files.iter().map(|(path, bytes)| (format!("data/{path}"), &bytes[..], 0o644)),
            )?);
        }
        let diff_ids: Vec<_> = archives.iter().map(|archive| named(archive)).collect();
        let mut blobs = archives.iter().map(|archive| gzip(archive)).collect::<Result<Vec<_>>>()?;
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": { "Env": ["PATH=/bin"], "Cmd": ["sh"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let layers: Vec<_> = blobs.iter().map(|blob| descriptor(LAYER, blob)).collect();
        let config = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, &config), "layers": layers,
        });
        blobs.push(config);
        let files =
            source.iter().flat_map(|files| files.iter()).map(|(path, bytes)| (path.clone(), bytes.clone()));
        let files = files.collect();
        Ok(Self { name, files, blobs, manifest: manifest.to_string().into_bytes() })
    }

    /// Puts it into the directory of a registry that is not being served, under a tag for each actor.
    pub(super) fn put_into_registry(&self, storage: &Path, tags: &[String]) -> Result<()> {
        let repository = storage.join("repositories").join(self.name);
        let link = |folder: &str, name: &str, content: &str| -> Result<()> {
            fs::create_dir_all(repository.join(folder))?;
            Ok(fs::write(repository.join(folder).join(name), content)?)
        };
        fs::create_dir_all(storage.join("blobs/sha256"))?;
        for blob in self.blobs.iter().chain([&self.manifest]) {
            fs::write(storage.join("blobs/sha256").join(sha256(blob)), blob)?;
            link("_blobs", &format!("sha256-{}", sha256(blob)), "")?;
        }
        link("_manifests", &format!("sha256-{}", sha256(&self.manifest)), MANIFEST)?;
        tags.iter().try_for_each(|tag| link("_tags", tag, &named(&self.manifest)))
    }

    /// Writes an archive for `load` that gives it this name.
    pub(super) fn write_archive(&self, path: &Path, name: &str) -> Result<()> {
        let mut manifest = descriptor(MANIFEST, &self.manifest);
        manifest["annotations"] =
            json!({ "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name });
        let index = json!({ "schemaVersion": 2, "manifests": [manifest] }).to_string();
        let layout = br#"{"imageLayoutVersion":"1.0.0"}"#;
        let blobs = self.blobs.iter().chain([&self.manifest]);
        let entries = blobs.map(|blob| (format!("blobs/sha256/{}", sha256(blob)), &blob[..], 0o644));
        let documents = [
            ("index.json".to_owned(), index.as_bytes(), 0o644),
            ("oci-layout".to_owned(), &layout[..], 0o644),
        ];
        Ok(fs::write(path, archive(documents.into_iter().chain(entries))?)?)
    }
}

/// The layer with the programs.
fn base() -> Result<Vec<u8>> {
    let busybox = fs::read("/bin/busybox").context("busybox-static is needed")?;
    archive(["sh", "tar"].map(|name| (format!("bin/{name}"), &busybox[..], 0o755)))
}

fn archive<'a>(entries: impl IntoIterator<Item = (String, &'a [u8], u32)>) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content, mode) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_mtime(1_704_067_200);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, path, content)?;
    }
    Ok(archive.into_inner()?)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes)?;
    Ok(encoder.finish()?)
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": named(bytes), "size": bytes.len() })
}

fn named(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256(bytes))
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
