//! `docker diff`.

use super::path;
use crate::app::App;
use crate::failure::Outcome;
use crate::output;
use crate::verb::{Arity, NoFlags, verb};
use serde::Deserialize;

verb!(
    NoFlags,
    run,
    Arity::Exactly(1),
    "CONTAINER",
    "Inspect changes to files or directories on a container's filesystem"
);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    kind: u8,
    path: String,
}

async fn run(app: &App, _: &NoFlags, names: &[String]) -> Outcome {
    let changes: Option<Vec<Change>> = app.client()?.get(path(&names[0], "/changes")?).json().await?;
    let lines = changes.unwrap_or_default().into_iter().fold(String::new(), |text, change| {
        let letter = match change.kind {
            0 => 'C',
            1 => 'A',
            2 => 'D',
            _ => '?',
        };
        text + &format!("{letter} {}\n", change.path)
    });
    output::stdout(&lines)
}
