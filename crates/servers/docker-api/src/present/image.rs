//! Images.

use crate::http::timestamp;
use crate::http::version::ApiVersion;
use crate::wire::config::HealthConfig;
use crate::wire::image::{
    Attestation, HistoryItem, ImageConfig, ImageInspect, ImageSummary, LegacyConfig, Manifest, ManifestImage,
    ManifestSize, Metadata, Removed, RootFs, UnpackedSize,
};
use crate::wire::inspect::GraphDriver;
use crate::wire::set;
use engine::image::ListedImage;
use images::{GraphDirs, Image, ImageUsage, MountedImage, PlatformManifest};
use oci::Reference;
use std::collections::BTreeMap;
use std::path::Path;

/// An element of `GET /images/json`.
pub(crate) fn summary(listed: &ListedImage, version: ApiVersion) -> ImageSummary {
    let image = &listed.summary.image;
    let labels = &image.config.config.labels;
    ImageSummary {
        containers: -1, // counted for `system df` only
        created: image.created,
        id: image.id.to_string(),
        labels: (!labels.is_empty()).then(|| labels.clone()),
        parent_id: image.parent.as_ref().map(ToString::to_string).unwrap_or_default(),
        repo_digests: names(listed.summary.repo_digests.clone(), "<none>@<none>", version),
        repo_tags: names(listed.summary.repo_tags.clone(), "<none>:<none>", version),
        shared_size: -1,
        size: image.size,
        virtual_size: (!version.at_least(44)).then_some(image.size),
        manifests: None,
    }
}

/// A mount of an image; its name, where the image is looked up: else the id stands there.
pub(crate) fn mounted(mounted: &MountedImage, image: Option<&Image>) -> serde_json::Value {
    let name = image.and_then(|image| image.tags.first()).map(Reference::familiar);
    serde_json::json!({
        "Image": mounted.image,
        "Name": name.unwrap_or_else(|| mounted.image.to_string()),
        "Path": mounted.path,
    })
}

/// A manifest behind an image's names, with the containers of its image.
pub(crate) fn manifest((manifest, containers): (PlatformManifest, Vec<String>)) -> Manifest {
    let unpacked = manifest.image.as_ref().map_or(0, |image| image.size);
    let kind = match (&manifest.describes, &manifest.platform) {
        (Some(_), _) => "attestation",
        (None, Some(_)) => "image",
        (None, None) => "unknown",
    };
    Manifest {
        id: manifest.digest.to_string(),
        descriptor: manifest.descriptor,
        available: manifest.image.is_some(),
        size: ManifestSize { total: manifest.content + unpacked, content: manifest.content },
        kind,
        image_data: manifest.platform.map(|platform| ManifestImage {
            platform: super::registry::platform(platform),
            containers,
            size: UnpackedSize { unpacked },
        }),
        attestation_data: manifest.describes.map(|digest| Attestation { r#for: digest.to_string() }),
    }
}

/// An element of the images of `GET /system/df`: sizes are those on disk, with the blobs.
pub(crate) fn measured(listed: &ListedImage, size: ImageUsage, version: ApiVersion) -> ImageSummary {
    ImageSummary {
        containers: i64::try_from(listed.containers).unwrap_or(i64::MAX),
        shared_size: i64::try_from(size.shared).unwrap_or(i64::MAX),
        size: size.size,
        virtual_size: (!version.at_least(44)).then_some(size.size),
        ..summary(listed, version)
    }
}

/// Before API 1.43 an image without a name had a name that said so.
fn names(names: Vec<String>, none: &str, version: ApiVersion) -> Vec<String> {
    if names.is_empty() && !version.at_least(43) { vec![none.to_owned()] } else { names }
}

/// The answer of `GET /images/{name}/json`.
pub(crate) fn inspect(image: &Image, dirs: Option<&GraphDirs>, version: ApiVersion) -> ImageInspect {
    let config = &image.config;
    ImageInspect {
        id: image.id.to_string(),
        repo_tags: image.repo_tags(),
        repo_digests: image.repo_digests(),
        parent: image.parent.as_ref().map(ToString::to_string).unwrap_or_default(),
        comment: comment(image),
        created: config
            .created
            .clone()
            .or_else(|| (!version.at_least(44)).then(|| timestamp::ZERO.to_owned())),
        docker_version: config.docker_version.clone(),
        author: config.author.clone(),
        architecture: config.architecture.clone(),
        variant: config.variant.clone(),
        os: config.os.clone(),
        os_version: config.os_version.clone(),
        size: image.size,
        virtual_size: (!version.at_least(44)).then_some(image.size),
        graph_driver: GraphDriver { data: dirs.map(named), name: "overlay2" },
        root_fs: RootFs {
            r#type: "layers",
            layers: image.layers().iter().map(ToString::to_string).collect(),
        },
        metadata: Metadata { last_tag_time: timestamp::format(image.last_tagged) },
        config: run_config(&config.config, version),
    }
}

/// The image's, or else that of its last step.
fn comment(image: &Image) -> String {
    let last = || image.config.history.last().map(|step| step.comment.clone()).unwrap_or_default();
    if image.config.comment.is_empty() { last() } else { image.config.comment.clone() }
}

fn named(dirs: &GraphDirs) -> BTreeMap<String, String> {
    let text = |path: &Path| path.display().to_string();
    let mut named = BTreeMap::from([("UpperDir".to_owned(), text(&dirs.upper))]);
    if !dirs.lower.is_empty() {
        let lower: Vec<String> = dirs.lower.iter().map(|path| text(path)).collect();
        named.insert("LowerDir".to_owned(), lower.join(":"));
    }
    named
}

fn run_config(config: &oci::RunConfig, version: ApiVersion) -> ImageConfig {
    let list = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    ImageConfig {
        legacy: (!version.at_least(50)).then(LegacyConfig::default),
        args_escaped: config.args_escaped,
        cmd: config.cmd.clone(),
        entrypoint: config.entrypoint.clone(),
        env: list(&config.env),
        exposed_ports: set(config.exposed_ports.keys().cloned()),
        healthcheck: config.healthcheck.as_ref().map(|health| HealthConfig {
            test: health.test.clone(),
            interval: health.interval,
            timeout: health.timeout,
            start_period: health.start_period,
            start_interval: health.start_interval,
            retries: health.retries,
        }),
        labels: (!config.labels.is_empty()).then(|| config.labels.clone()),
        on_build: list(&config.on_build),
        shell: list(&config.shell),
        stop_signal: config.stop_signal.clone(),
        user: config.user.clone(),
        volumes: (!config.volumes.is_empty()).then(|| set(config.volumes.keys().cloned())),
        working_dir: config.working_dir.clone(),
    }
}

/// An element of `GET /images/{name}/history`.
pub(crate) fn history(item: images::HistoryItem) -> HistoryItem {
    HistoryItem {
        comment: item.comment,
        created: item.created,
        created_by: item.created_by,
        id: item.id,
        size: item.size,
        tags: (!item.tags.is_empty()).then_some(item.tags),
    }
}

/// An element of the answer of a removal.
pub(crate) fn removed(removed: images::Removed) -> Removed {
    match removed {
        images::Removed::Untagged(name) => Removed { untagged: Some(name), deleted: None },
        images::Removed::Deleted(id) => Removed { untagged: None, deleted: Some(id) },
    }
}
