//! `docker manifest inspect`.

use super::{Remote, drafts, fetch, full, push};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::output::{self, names};
use crate::verb::{Arity, verb};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
struct Args {
    /// Allow communication with an insecure registry: the engine's configuration says which are
    #[arg(long)]
    insecure: bool,
    /// Output additional info including layers and platform
    #[arg(short, long)]
    verbose: bool,
}

verb!(
    Args,
    run,
    Arity::Between(1, 2),
    "[OPTIONS] [MANIFEST_LIST] MANIFEST",
    "Display an image manifest, or manifest list"
);

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    if let [list, name] = words {
        let (list, name) = (full(list), full(name));
        let missing = || Failure::new(format!("No such manifest: {name}"));
        let draft = drafts::load(app, &list)?.ok_or_else(missing)?;
        let entry = draft.entries.iter().find(|entry| entry.name == name).ok_or_else(missing)?;
        return output::line(pretty(&json!({ "Ref": entry.name, "Descriptor": entry.descriptor }))?);
    }
    if let Some(draft) = drafts::load(app, &full(&words[0]))? {
        return output::line(push::index(&draft)?.1);
    }
    let remote = fetch(app, &words[0]).await?;
    if !args.verbose {
        return output::line(pretty(&parse(&remote)?)?);
    }
    output::line(pretty(&verbose(app, &words[0], &remote).await?)?)
}

/// Each manifest with its descriptor; of a list all of them.
async fn verbose(app: &App, name: &str, remote: &Remote) -> Outcome<Value> {
    let document = parse(remote)?;
    let Some(listed) = document["manifests"].as_array() else {
        return Ok(described(name, remote, &document));
    };
    let mut all = Vec::new();
    for entry in listed {
        let digest = entry["digest"].as_str().unwrap_or_default();
        let child = format!("{}@{digest}", names::split_reference(name).0);
        let remote = fetch(app, &child).await?;
        let mut described = described(&child, &remote, &parse(&remote)?);
        described["Descriptor"]["platform"] = entry["platform"].clone();
        all.push(described);
    }
    Ok(all.into())
}

fn described(name: &str, remote: &Remote, document: &Value) -> Value {
    let mut descriptor = json!(remote.descriptor);
    if let [platform] = remote.platforms.as_slice() {
        descriptor["platform"] = json!(platform);
    }
    let kind =
        if remote.descriptor.media_type.contains("docker") { "SchemaV2Manifest" } else { "OCIManifest" };
    json!({ "Ref": full(name), "Descriptor": descriptor, kind: document })
}

fn parse(remote: &Remote) -> Outcome<Value> {
    serde_json::from_str(&remote.raw)
        .map_err(|error| Failure::new(format!("the manifest is no JSON: {error}")))
}

fn pretty(value: &Value) -> Outcome<String> {
    serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))
}
