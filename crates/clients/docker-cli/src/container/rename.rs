//! `docker rename`.

use super::path;
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::verb::{Arity, NoFlags, verb};

verb!(NoFlags, run, Arity::Exactly(2), "CONTAINER NEW_NAME", "Rename a container");

async fn run(app: &App, _: &NoFlags, names: &[String]) -> Outcome {
    let (old, new) = (names[0].trim(), names[1].trim());
    if old.is_empty() || new.is_empty() {
        return Err(Failure::new("Error: Neither old nor new names may be empty"));
    }
    let request = app.client()?.post(path(old, "/rename")?).query("name", new);
    request.done().await.map(drop).map_err(|error| {
        let error = Failure::from(error);
        Failure::new(format!("{}\nError: failed to rename container named {old}", error.message))
    })
}
