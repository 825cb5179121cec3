//! `docker inspect`: a document of whatever noun has that name.

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::format::DocumentFormat;
use crate::output;
use crate::verb::{Arity, verb};
use crate::{container, image, network, volume};
use bytes::Bytes;
use engine_client::{Client, Error};

#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    format: DocumentFormat,
    /// Display total file sizes if the type is container
    #[arg(short, long)]
    size: bool,
    /// Only inspect objects of the given type
    #[arg(long)]
    r#type: Option<String>,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] NAME|ID [NAME|ID...]",
    "Return low-level information on Docker objects"
);

/// The types in the order in which a name is looked up, and docker's others, which only swarms and plugins have.
const TYPES: [&str; 4] = ["container", "image", "network", "volume"];
const ALL: [&str; 10] =
    ["config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"];

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let must_be = || format!("must be one of {:?}", ALL.join("\", \"")).replace("\\\"", "\"");
    match args.r#type.as_deref() {
        Some("") => return Err(Failure::new(format!("type is empty: {}", must_be()))),
        Some(kind) if !ALL.contains(&kind) => {
            return Err(Failure::new(format!("unknown type: {kind:?}: {}", must_be())));
        }
        _ => {}
    }
    let inspector = args.format.inspector()?;
    let client = app.client()?;
    inspector.run(names, async |name| find(client, args, name).await).await
}

async fn find(client: &Client, args: &Args, name: &str) -> Outcome<Bytes> {
    let wanted = args.r#type.as_deref();
    if let Some(kind) = wanted.filter(|kind| !TYPES.contains(kind)) {
        return Ok(client.get(format!("/{kind}s/{}", output::names::path_segment(name))).bytes().await?);
    }
    for kind in TYPES.iter().filter(|kind| wanted.is_none_or(|wanted| wanted == **kind)) {
        let request = match *kind {
            "container" => client.get(container::path(name, "/json")?).flag("size", args.size),
            "image" => client.get(image::path(name, "/json")),
            "network" => client.get(network::path(name, "")),
            _ => client.get(volume::path(name)?),
        };
        match request.bytes().await {
            Ok(bytes) => {
                if args.size && *kind != "container" {
                    output::warn(&format!("--size ignored for {kind}"));
                }
                return Ok(bytes);
            }
            Err(error) if wanted.is_none() && skippable(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::new(format!("Error: No such object: {name}")))
}

/// Says only that it is no such noun.
fn skippable(error: &Error) -> bool {
    let text = error.to_string();
    error.is_not_found() || text.contains("not supported") || text.contains("invalid reference format")
}
