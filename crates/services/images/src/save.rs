//! Images into archives that docker, podman, skopeo and this engine load.
//!
//! An OCI layout (image specification, "Image Layout") that is also docker's `save` format: `manifest.json` names the same
//! blobs. Layers go out as they came in, compressed, and are compared with their digests on the way.

use crate::commit::Haul;
use crate::index::Index;
use crate::manifest::{Outgoing, descriptor};
use crate::records::{BlobRecord, NameRecord};
use crate::{Image, ImageError, Images, Result};
use bytes::Bytes;
use oci::{Digest, Platform, Query, Reference};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::sync::Arc;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{Sender, channel};

const PIECE: usize = 256 << 10;
const DEPTH: usize = 8;
const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// One thing to save: an image, or all of a name's.
#[derive(Debug)]
struct Item {
    /// None: by its id.
    name: Option<Reference>,
    images: Vec<Arc<Image>>,
    index: Option<BlobRecord>,
}

impl Images {
    /// Writes the images that `names` mean as one archive. A name saves that tag, a repository all its tags, an id no name; a
    /// name that stands for several platforms all of them, or the one that is asked for.
    ///
    /// # Errors
    /// [`ImageError::NotFound`], [`ImageError::WrongPlatform`], before anything is written; [`ImageError::MissingBlob`];
    /// [`ImageError::Write`] if the reader goes away.
    pub async fn save(
        &self,
        names: &[String],
        platform: Option<&Platform>,
        out: impl AsyncWrite + Send + 'static,
    ) -> Result<()> {
        let items = self.wanted(names, platform)?;
        let (sender, mut pieces) = channel(DEPTH);
        let this = self.clone();
        let written = offload::blocking(move || this.write_archive(&items, Pieces::new(sender)));
        let pumped = async {
            tokio::pin!(out);
            while let Some(piece) = pieces.recv().await {
                out.write_all(&piece).await.map_err(ImageError::Write)?;
            }
            // The writer has said all, or died: its own result tells which.
            drop(pieces);
            out.shutdown().await.map_err(ImageError::Write)
        };
        let (written, pumped) = tokio::join!(written, pumped);
        pumped.and(written)
    }

    /// Says whether all of `names` can be saved.
    ///
    /// # Errors
    /// [`ImageError::NotFound`], [`ImageError::WrongPlatform`].
    pub fn can_save(&self, names: &[String], platform: Option<&Platform>) -> Result<()> {
        self.wanted(names, platform).map(drop)
    }

    fn wanted(&self, names: &[String], platform: Option<&Platform>) -> Result<Vec<Item>> {
        let index = self.index();
        let mut items = Vec::new();
        for text in names {
            let image = self.resolve_for(text, platform);
            let named = match text.parse() {
                Ok(Query::Reference(reference)) => names_of(&index, &reference),
                _ => Vec::new(),
            };
            if named.is_empty() {
                items.push(Item { name: None, images: vec![image?], index: None });
            }
            for (name, record) in named {
                let images = match platform {
                    Some(_) => vec![self.resolve_for(&name.familiar(), platform)?],
                    None => record.images().filter_map(|id| self.get(id)).collect(),
                };
                let index = record.index.clone().filter(|_| platform.is_none());
                items.push(Item { name: Some(name), images, index });
            }
        }
        Ok(items)
    }

    fn write_archive(&self, items: &[Item], out: Pieces) -> Result<()> {
        let index = self.index();
        let mut archive = Archive { builder: tar::Builder::new(out), written: BTreeSet::new() };
        // What is on its way out may be removed meanwhile: it stays until the archive is written.
        let mut held = Haul::default();
        let (mut manifests, mut docker) = (Vec::new(), BTreeMap::<Digest, DockerItem>::new());
        archive.directory("blobs")?;
        archive.directory("blobs/sha256")?;
        for item in items {
            let mut children = Vec::new();
            for image in &item.images {
                let outgoing = self.outgoing(&index, image)?;
                let blobs = outgoing.layers.iter().map(|(_, blob)| blob).chain([&outgoing.config]);
                held.pins.extend(blobs.clone().map(|blob| self.pin(&blob.digest)));
                for blob in blobs {
                    archive.blob(&self.inner.blobs, blob)?;
                }
                archive.document(&outgoing.manifest.digest, &outgoing.bytes)?;
                docker
                    .entry(image.id.clone())
                    .or_insert_with(|| DockerItem::new(&outgoing))
                    .add(item.name.as_ref());
                children.push((image, outgoing));
            }
            match self.complete_index(item, &children) {
                Some((blob, bytes)) => {
                    archive.document(&blob.digest, &bytes)?;
                    manifests.push(named(descriptor(&blob), item.name.as_ref()));
                }
                None => manifests.extend(children.iter().map(|(image, outgoing)| {
                    let mut manifest = named(descriptor(&outgoing.manifest), item.name.as_ref());
                    manifest["platform"] = platform_of(&image.platform());
                    manifest
                })),
            }
        }
        let index = json!({
            "schemaVersion": 2, "mediaType": oci::media::INDEX, "manifests": manifests,
        });
        archive.file("index.json", index.to_string().as_bytes())?;
        let docker: Vec<Value> = docker.into_values().map(DockerItem::into_json).collect();
        archive.file("manifest.json", json!(docker).to_string().as_bytes())?;
        archive.file("oci-layout", LAYOUT.as_bytes())?;
        archive.builder.into_inner().and_then(|mut out| out.flush()).map_err(ImageError::Write)
    }

    /// The index that a name stands for, if every image that it lists is in the archive as it lists it.
    fn complete_index(
        &self,
        item: &Item,
        children: &[(&Arc<Image>, Outgoing)],
    ) -> Option<(BlobRecord, Vec<u8>)> {
        let here: Vec<Digest> = children.iter().map(|(_, child)| child.manifest.digest.clone()).collect();
        self.index_of(item.index.as_ref()?, &here)
    }
}

/// A tag, or all of a repository.
fn names_of(index: &Index, reference: &Reference) -> Vec<(Reference, NameRecord)> {
    let tags = index.names.iter().filter(|(name, _)| match reference.tag() {
        Some(_) => *name == reference,
        None => reference.digest().is_none() && name.tag().is_some() && name.same_repository(reference),
    });
    tags.map(|(name, record)| (name.clone(), record.clone())).collect()
}

/// A descriptor with the annotations by which containerd, podman and we know an image's name again.
fn named(mut descriptor: Value, name: Option<&Reference>) -> Value {
    if let Some(name) = name {
        descriptor["annotations"] = json!({
            "io.containerd.image.name": name.to_string(),
            "org.opencontainers.image.ref.name": name.tag().unwrap_or_default(),
        });
    }
    descriptor
}

fn platform_of(platform: &Platform) -> Value {
    let mut value = json!({ "architecture": platform.architecture, "os": platform.os });
    if !platform.variant.is_empty() {
        value["variant"] = platform.variant.clone().into();
    }
    value
}

/// An element of `manifest.json`.
#[derive(Debug)]
struct DockerItem {
    config: String,
    tags: Vec<String>,
    layers: Vec<String>,
    sources: BTreeMap<String, Value>,
}

impl DockerItem {
    fn new(outgoing: &Outgoing) -> Self {
        Self {
            config: path(&outgoing.config.digest),
            tags: Vec::new(),
            layers: outgoing.layers.iter().map(|(_, blob)| path(&blob.digest)).collect(),
            sources: outgoing
                .layers
                .iter()
                .map(|(diff, blob)| (diff.to_string(), descriptor(blob)))
                .collect(),
        }
    }

    fn add(&mut self, name: Option<&Reference>) {
        self.tags.extend(name.map(Reference::familiar));
    }

    fn into_json(self) -> Value {
        let tags = if self.tags.is_empty() { Value::Null } else { json!(self.tags) };
        json!({ "Config": self.config, "RepoTags": tags, "Layers": self.layers, "LayerSources": self.sources })
    }
}

fn path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// The archive, each blob in it once.
struct Archive {
    builder: tar::Builder<Pieces>,
    written: BTreeSet<Digest>,
}

impl Archive {
    fn directory(&mut self, name: &str) -> Result<()> {
        let mut header = header(tar::EntryType::Directory, 0o755, 0);
        self.builder.append_data(&mut header, format!("{name}/"), io::empty()).map_err(ImageError::Write)
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut header = header(tar::EntryType::Regular, 0o644, bytes.len() as u64);
        self.builder.append_data(&mut header, name, bytes).map_err(ImageError::Write)
    }

    fn document(&mut self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        if self.written.insert(digest.clone()) { self.file(&path(digest), bytes) } else { Ok(()) }
    }

    /// A blob's content; that it is damaged is noticed at its end, and breaks the archive off.
    fn blob(&mut self, blobs: &blobs::Blobs, record: &BlobRecord) -> Result<()> {
        if !self.written.insert(record.digest.clone()) {
            return Ok(());
        }
        let mut blob = blobs.open_blob(&record.digest)?;
        let mut header = header(tar::EntryType::Regular, 0o644, blob.size());
        let size = blob.size();
        // The reader looks behind the last byte to compare the digest.
        let mut content = (&mut blob).take(size);
        self.builder
            .append_data(&mut header, path(&record.digest), &mut content)
            .map_err(ImageError::Write)?;
        blob.read(&mut [0]).map(drop).map_err(ImageError::Write)
    }
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header
}

/// Writes into pieces that are sent when they are full.
struct Pieces {
    sender: Sender<Bytes>,
    buffer: Vec<u8>,
}

impl Pieces {
    fn new(sender: Sender<Bytes>) -> Self {
        Self { sender, buffer: Vec::with_capacity(PIECE) }
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PIECE - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        if self.buffer.len() == PIECE {
            self.flush()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        self.sender.blocking_send(piece.into()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
