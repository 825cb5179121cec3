//! Media types of manifests, configs and layers, in the OCI's and in docker's spelling.

/// OCI image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image config.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// OCI layer, plain tar.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// OCI layer, tar and gzip.
pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// OCI layer, tar and zstd.
pub const LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// Docker's manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker's manifest, version 2 schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's manifest, version 2 schema 1, that nobody makes any more.
pub const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
/// Docker's image config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Docker's layer, tar and gzip.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// Whether documents of this type list manifests.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, INDEX | DOCKER_LIST)
}

/// Whether documents of this type are the manifest of one image.
pub fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, MANIFEST | DOCKER_MANIFEST)
}

/// Whether documents of this type are image configs.
pub fn is_config(media_type: &str) -> bool {
    matches!(media_type, CONFIG | DOCKER_CONFIG)
}

/// Whether content of this type is a layer that can be unpacked: a tar, plain or compressed.
pub fn is_layer(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.layer.")
        || media_type.starts_with("application/vnd.docker.image.rootfs.")
}

/// What kind of manifest a document is: what it says of itself, else what it looks like. None: no manifest.
pub fn of_document(document: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        media_type: Option<String>,
        schema_version: Option<u64>,
        config: Option<serde::de::IgnoredAny>,
        manifests: Option<serde::de::IgnoredAny>,
        fs_layers: Option<serde::de::IgnoredAny>,
    }
    let shape: Shape = serde_json::from_slice(document).ok()?;
    match shape {
        Shape { media_type: Some(media_type), .. } => Some(media_type),
        Shape { schema_version: Some(1), .. } | Shape { fs_layers: Some(_), .. } => {
            Some(DOCKER_SCHEMA1.to_owned())
        }
        Shape { manifests: Some(_), .. } => Some(INDEX.to_owned()),
        Shape { config: Some(_), .. } => Some(MANIFEST.to_owned()),
        _ => None,
    }
}

/// The OCI's name of docker's types of layers and configs; others stay.
pub fn in_oci(media_type: &str) -> &str {
    match media_type {
        DOCKER_LAYER => LAYER_GZIP,
        "application/vnd.docker.image.rootfs.diff.tar.zstd" => LAYER_ZSTD,
        "application/vnd.docker.image.rootfs.diff.tar" => LAYER,
        DOCKER_CONFIG => CONFIG,
        DOCKER_MANIFEST => MANIFEST,
        DOCKER_LIST => INDEX,
        other => other,
    }
}
