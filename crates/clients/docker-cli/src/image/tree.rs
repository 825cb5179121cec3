//! `docker images --tree`: each name with the platforms that it stands for.

use super::images::Summary;
use crate::failure::Outcome;
use crate::output::{self, columns, names, units};
use serde::Deserialize;

/// A manifest behind an image's names.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Manifest {
    #[serde(rename = "ID")]
    id: String,
    available: bool,
    kind: String,
    size: Size,
    image_data: Option<ImageData>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Size {
    total: u64,
    content: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageData {
    platform: Platform,
    containers: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Platform {
    os: String,
    architecture: String,
    variant: String,
}

impl Platform {
    fn text(&self) -> String {
        let variant = if self.variant.is_empty() { String::new() } else { format!("/{}", self.variant) };
        format!("{}/{}{variant}", self.os, self.architecture)
    }
}

const TITLE: &str = "IMAGE\tID\tDISK USAGE\tCONTENT SIZE\tEXTRA\n";

pub(crate) fn show(images: &[Summary], no_trunc: bool) -> Outcome {
    let mut text = TITLE.to_owned();
    for image in images {
        text.push_str(&rows(image, no_trunc));
    }
    output::stdout(&columns::align(&text))
}

/// A row for the image, and one below it for each platform.
fn rows(image: &Summary, no_trunc: bool) -> String {
    let id = |id: &str| if no_trunc { id.to_owned() } else { names::short_id(id).to_owned() };
    let size = |bytes: u64| units::human_size(bytes as f64, 3);
    let manifests: Vec<&Manifest> = image.manifests.iter().flatten().filter(|m| m.kind == "image").collect();
    let sum = |part: fn(&Size) -> u64| manifests.iter().map(|manifest| part(&manifest.size)).sum::<u64>();
    let used = |manifest: &&Manifest| {
        manifest
            .image_data
            .as_ref()
            .and_then(|data| data.containers.as_ref())
            .is_some_and(|all| !all.is_empty())
    };
    let mark = |used: bool| if used { "U" } else { "" };
    let own = u64::try_from(image.size).unwrap_or(0);
    let total = if manifests.is_empty() { own } else { sum(|size| size.total) };
    let mut text = format!(
        "{}\t{}\t{}\t{}\t{}\n",
        name(image),
        id(&image.id),
        size(total),
        size(sum(|size| size.content)),
        mark(manifests.iter().any(used))
    );
    for (number, manifest) in manifests.iter().enumerate() {
        let branch = if number + 1 == manifests.len() { "└─" } else { "├─" };
        let platform = manifest.image_data.as_ref().map(|data| data.platform.text()).unwrap_or_default();
        let (total, content) = match manifest.available {
            true => (size(manifest.size.total), size(manifest.size.content)),
            // It can be pulled with --platform.
            false => ("-".to_owned(), "-".to_owned()),
        };
        let (id, mark) = (id(&manifest.id), mark(used(manifest)));
        text.push_str(&format!("{branch} {platform}\t{id}\t{total}\t{content}\t{mark}\n"));
    }
    text
}

fn name(image: &Summary) -> String {
    let tags = image.repo_tags.iter().flatten().map(|tag| names::familiar(tag)).collect::<Vec<_>>();
    if tags.is_empty() { "<untagged>".to_owned() } else { tags.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_stand_below_their_image() {
        let summary: Summary = serde_json::from_value(serde_json::json!({
            "Id": "sha256:0123456789abcdef", "RepoTags": ["busybox:latest"], "Created": 0, "Size": 2_000_000,
            "Manifests": [
                {"ID": "sha256:aaaaaaaaaaaaaaaa", "Available": true, "Kind": "image",
                 "Size": {"Total": 3_000_000, "Content": 1_000_000},
                 "ImageData": {"Platform": {"os": "linux", "architecture": "amd64"}, "Containers": ["c"]}},
                {"ID": "sha256:bbbbbbbbbbbbbbbb", "Available": false, "Kind": "image", "Size": {},
                 "ImageData": {"Platform": {"os": "linux", "architecture": "arm", "variant": "v7"}}},
                {"ID": "sha256:cccccccccccccccc", "Available": false, "Kind": "attestation", "Size": {}},
            ],
        }))
        .unwrap();
        let expected = "busybox:latest\t0123456789ab\t3MB\t1MB\tU\n\
                        ├─ linux/amd64\taaaaaaaaaaaa\t3MB\t1MB\tU\n\
                        └─ linux/arm/v7\tbbbbbbbbbbbb\t-\t-\t\n";
        assert_eq!(rows(&summary, false), expected);
    }
}
