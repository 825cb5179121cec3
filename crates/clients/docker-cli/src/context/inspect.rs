//! `docker context inspect`.

use crate::app::App;
use crate::failure::Outcome;
use crate::flags::format::DocumentFormat;
use crate::verb::{Arity, verb};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::path::Path;

#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    format: DocumentFormat,
}

verb!(
    Args,
    run,
    Arity::AtLeast(0),
    "[OPTIONS] [CONTEXT] [CONTEXT...]",
    "Display detailed information on one or more contexts"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let inspector = args.format.inspector()?;
    let names = if names.is_empty() { vec![app.context_name()] } else { names.to_vec() };
    inspector.run(&names, async |name| document(app, name)).await
}

/// Built as text, because the order of its fields is part of what docker shows.
fn document(app: &App, name: &str) -> Outcome<Bytes> {
    let (metadata, host, skip_verify, tls, meta_path, tls_path) = if name == "default" {
        let host = app.endpoint()?.to_string();
        (json!({}), host, false, Map::new(), "<IN MEMORY>".to_owned(), "<IN MEMORY>".to_owned())
    } else {
        let context = app.contexts().get(name)?;
        let metadata = match context.description.as_str() {
            "" => json!({}),
            text => json!({"Description": text}),
        };
        let shown = |path: &Path| path.display().to_string();
        let (meta, tls) = (shown(&context.meta), shown(&context.tls));
        (metadata, context.host.clone(), context.skip_tls_verify, tls_files(&context.tls), meta, tls)
    };
    let endpoint = format!("{{\"Host\":{},\"SkipTLSVerify\":{skip_verify}}}", json!(host));
    let text = format!(
        "{{\"Name\":{},\"Metadata\":{metadata},\"Endpoints\":{{\"docker\":{endpoint}}},\"TLSMaterial\":{},\
         \"Storage\":{{\"MetadataPath\":{},\"TLSPath\":{}}}}}",
        json!(name),
        Value::Object(tls),
        json!(meta_path),
        json!(tls_path),
    );
    Ok(text.into())
}

/// The files of each endpoint.
fn tls_files(directory: &Path) -> Map<String, Value> {
    let names = |path: &Path| {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    names(directory)
        .into_iter()
        .map(|endpoint| {
            let files = names(&directory.join(&endpoint));
            (endpoint, json!(files))
        })
        .collect()
}
