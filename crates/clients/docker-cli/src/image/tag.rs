//! `docker tag`.

use super::{path, pull};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::output::names;
use crate::verb::{Arity, NoFlags, verb};

verb!(
    NoFlags,
    run,
    Arity::Exactly(2),
    "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE"
);

async fn run(app: &App, _: &NoFlags, words: &[String]) -> Outcome {
    let (name, tag, digest) = names::split_reference(&words[1]);
    if digest.is_some() {
        return Err(Failure::new("refusing to create a tag with a digest reference"));
    }
    if name.is_empty() || name.chars().any(|c| c.is_whitespace()) {
        return Err(Failure::new(format!(
            "Error parsing reference: {:?} is not a valid repository/tag: invalid reference format",
            words[1]
        )));
    }
    let request = app.client()?.post(path(&words[0], "/tag")).query("repo", pull::normalized(name));
    request.query("tag", tag.unwrap_or("latest")).done().await?;
    Ok(())
}
