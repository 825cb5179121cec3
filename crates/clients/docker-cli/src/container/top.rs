//! `docker top`.

use super::path;
use crate::app::App;
use crate::failure::Outcome;
use crate::output::{self, columns};
use crate::verb::{Arity, NoFlags, verb};
use serde::Deserialize;

verb!(
    NoFlags,
    run,
    Arity::Command(1),
    "CONTAINER [ps OPTIONS]",
    "Display the running processes of a container"
);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Processes {
    titles: Vec<String>,
    processes: Option<Vec<Vec<String>>>,
}

async fn run(app: &App, _: &NoFlags, words: &[String]) -> Outcome {
    let mut request = app.client()?.get(path(&words[0], "/top")?);
    if words.len() > 1 {
        request = request.query("ps_args", words[1..].join(" "));
    }
    let list: Processes = request.json().await?;
    let mut text = list.titles.join("\t") + "\n";
    for process in list.processes.unwrap_or_default() {
        text += &(process.join("\t") + "\n");
    }
    output::stdout(&columns::align_with(&text, 20, 3))
}
