//! What Docker does not have: the answers of our own paths about the store of images.

use serde::Serialize;

/// The answer of `POST /container-runtime/check`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Report {
    pub(crate) clean: bool,
    pub(crate) containers: usize,
    pub(crate) networks: usize,
    pub(crate) volumes: usize,
    pub(crate) images: usize,
    pub(crate) layers: usize,
    pub(crate) layers_without_blob: usize,
    pub(crate) blobs: usize,
    pub(crate) bytes: u64,
    pub(crate) findings: Vec<Finding>,
}

/// Something that is wrong.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Finding {
    pub(crate) kind: &'static str,
    pub(crate) thing: String,
    pub(crate) images: Vec<String>,
    pub(crate) problem: String,
    pub(crate) remedy: String,
    pub(crate) repaired: Option<bool>,
    pub(crate) outcome: Option<String>,
}

/// The answer of `POST /container-runtime/gc`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Collected {
    pub(crate) budget: String,
    pub(crate) partials: u64,
    pub(crate) partials_reason: String,
    pub(crate) space_reclaimed: u64,
    pub(crate) choices: Vec<Choice>,
}

/// What became of an image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Choice {
    pub(crate) image: String,
    pub(crate) removed: bool,
    pub(crate) reason: String,
}
