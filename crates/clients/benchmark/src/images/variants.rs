//! Images that an engine has never seen, each as much work as the one they are made from.
//!
//! Removing an image in order to pull it again would measure the removal too: ext4 steps over inodes freed within the last minutes,
//! one by one, for each file it makes. So each round has an image of its own: each layer with zeros after its end, which
//! tar ignores and every digest shows. Appended as one more gzip member, they cost nothing to make.

use super::registry::Repository;
use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use oci::Digest;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::{Read, Write};
use std::path::Path;

/// What a tar archive is made of.
const BLOCK: usize = 512;

/// An image, held in memory.
#[derive(Debug)]
pub(super) struct Image {
    media_type: String,
    manifest: Value,
    config: Value,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    /// Compressed with gzip.
    blob: Vec<u8>,
    /// Of what the blob inflates to.
    sum: Sha256,
}

impl Image {
    pub(super) async fn fetch(repository: &Repository, tag: &str) -> Result<Self> {
        let (media_type, manifest) = repository.manifest(tag).await?;
        let digest = |document: &Value| document["digest"].as_str().unwrap_or_default().to_owned();
        let config = serde_json::from_slice(&repository.blob(&digest(&manifest["config"])).await?)?;
        let mut layers = Vec::new();
        for described in manifest["layers"].as_array().context("no layers")? {
            let kind = described["mediaType"].as_str().unwrap_or_default();
            ensure!(kind.ends_with("gzip"), "a layer of {kind:?}: only layers of gzip can be measured with");
            layers.push(Layer::new(repository.blob(&digest(described)).await?)?);
        }
        Ok(Self { media_type, manifest, config, layers })
    }

    /// Puts the variant into the repository, under its number.
    pub(super) async fn push(&self, repository: &Repository, variant: usize) -> Result<()> {
        let mut manifest = self.manifest.clone();
        let config = self.config_of(variant)?;
        describe(&mut manifest["config"], &config);
        repository.put_blob(&digest_of(&config), config).await?;
        for (at, layer) in self.layers.iter().enumerate() {
            let blob = layer.blob_of(variant)?;
            describe(&mut manifest["layers"][at], &blob);
            repository.put_blob(&digest_of(&blob), blob).await?;
        }
        repository.put_manifest(&variant.to_string(), &self.media_type, serde_json::to_vec(&manifest)?).await
    }

    /// Writes the variant as the archive that `docker save` has always made: layers inflated, named by `manifest.json`.
    pub(super) fn archive(&self, name: &str, variant: usize, path: &Path) -> Result<()> {
        let mut archive = tar::Builder::new(std::fs::File::create(path)?);
        let mut layers = Vec::new();
        for layer in &self.layers {
            let file = format!("{}/layer.tar", layer.diff_id(variant).hex());
            append(&mut archive, &file, &layer.inflate(variant)?)?;
            layers.push(file);
        }
        let config = self.config_of(variant)?;
        let file = format!("{}.json", digest_of(&config).hex());
        append(&mut archive, &file, &config)?;
        let manifest = json!([{ "Config": file, "RepoTags": [name], "Layers": layers }]);
        append(&mut archive, "manifest.json", &serde_json::to_vec(&manifest)?)?;
        archive.finish()?;
        Ok(())
    }

    fn config_of(&self, variant: usize) -> Result<Vec<u8>> {
        let mut config = self.config.clone();
        let ids: Vec<_> =
            self.layers.iter().map(|layer| layer.diff_id(variant).as_str().to_owned()).collect();
        config["rootfs"]["diff_ids"] = json!(ids);
        Ok(serde_json::to_vec(&config)?)
    }
}

impl Layer {
    fn new(blob: Vec<u8>) -> Result<Self> {
        let mut sum = Sha256::new();
        std::io::copy(&mut MultiGzDecoder::new(&blob[..]), &mut sum).context("inflate a layer")?;
        Ok(Self { blob, sum })
    }

    fn diff_id(&self, variant: usize) -> Digest {
        Digest::sha256(self.sum.clone().chain_update(zeros(variant)).finalize().into())
    }

    fn blob_of(&self, variant: usize) -> Result<Vec<u8>> {
        let mut member = GzEncoder::new(self.blob.clone(), Compression::fast());
        member.write_all(&zeros(variant))?;
        Ok(member.finish()?)
    }

    fn inflate(&self, variant: usize) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        MultiGzDecoder::new(&self.blob[..]).read_to_end(&mut content)?;
        content.extend(zeros(variant));
        Ok(content)
    }
}

fn zeros(variant: usize) -> Vec<u8> {
    vec![0; variant * BLOCK]
}

fn digest_of(content: &[u8]) -> Digest {
    Digest::sha256(Sha256::digest(content).into())
}

fn describe(descriptor: &mut Value, content: &[u8]) {
    descriptor["digest"] = json!(digest_of(content).as_str());
    descriptor["size"] = json!(content.len());
}

fn append(archive: &mut tar::Builder<std::fs::File>, name: &str, content: &[u8]) -> Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    Ok(archive.append_data(&mut header, name, content)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_inflates_to_what_its_diff_id_says() {
        let mut blob = GzEncoder::new(Vec::new(), Compression::fast());
        blob.write_all(&[7; 1024]).unwrap();
        let layer = Layer::new(blob.finish().unwrap()).unwrap();
        let variant = Layer::new(layer.blob_of(3).unwrap()).unwrap();
        assert_ne!(layer.diff_id(0), layer.diff_id(3));
        assert_eq!(layer.diff_id(3), variant.diff_id(0));
        assert_eq!(digest_of(&layer.inflate(3).unwrap()), layer.diff_id(3));
    }
}
