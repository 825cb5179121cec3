//! `docker manifest rm`.

use super::{drafts, full};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::verb::{Arity, NoFlags, verb};

verb!(
    NoFlags,
    run,
    Arity::AtLeast(1),
    "MANIFEST_LIST [MANIFEST_LIST...]",
    "Delete one or more manifest lists from local storage"
);

async fn run(app: &App, _: &NoFlags, words: &[String]) -> Outcome {
    let mut missing = Vec::new();
    for word in words {
        if !drafts::remove(app, &full(word))? {
            missing.push(format!("No such manifest: {word}"));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(Failure::new(missing.join("\n"))) }
}
