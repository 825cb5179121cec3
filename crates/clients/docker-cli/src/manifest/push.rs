//! `docker manifest push`.

use super::drafts::{self, Draft};
use super::{Descriptor, full};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::image::auth;
use crate::output::{self, names};
use crate::verb::{Arity, verb};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Docker's list, for docker's manifests.
const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The OCI's, for all others.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[derive(Debug, clap::Args)]
struct Args {
    /// Allow push to an insecure registry: the engine's configuration says which are
    #[arg(long)]
    insecure: bool,
    /// Remove the local manifest list after push
    #[arg(short, long)]
    purge: bool,
}

verb!(Args, run, Arity::Exactly(1), "[OPTIONS] MANIFEST_LIST", "Push a manifest list to a repository");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    digest: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<&'a Descriptor>,
}

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let list = full(&words[0]);
    let draft = drafts::load(app, &list)?;
    let draft =
        draft.ok_or_else(|| Failure::new(format!("{list} not found: create it with `manifest create`")))?;
    let (media_type, raw) = index(&draft)?;
    let by_digest = |name: &str, digest: &str| format!("{}@{digest}", names::split_reference(name).0);
    let children: Vec<String> =
        draft.entries.iter().map(|entry| by_digest(&entry.name, &entry.descriptor.digest)).collect();
    let request = app.client()?.post("/container-runtime/manifest").query("name", &list);
    let request = request.header("X-Registry-Auth", auth::header(app, &words[0]));
    let body = json!({ "MediaType": media_type, "Raw": raw, "Manifests": children });
    let answer: Answer = request.json_body(&body)?.json().await?;
    if args.purge {
        drafts::remove(app, &list)?;
    }
    output::line(answer.digest)
}

/// The document, and what kind of list it is.
pub(super) fn index(draft: &Draft) -> Outcome<(&'static str, String)> {
    let docker = draft.entries.iter().all(|entry| entry.descriptor.media_type.contains("docker"));
    let media_type = if docker { LIST } else { INDEX };
    let manifests = draft.entries.iter().map(|entry| &entry.descriptor).collect();
    let index = Index { schema_version: 2, media_type, manifests };
    let text = serde_json::to_string_pretty(&index).map_err(|error| Failure::new(error.to_string()))?;
    Ok((media_type, text))
}
