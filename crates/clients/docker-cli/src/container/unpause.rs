//! `docker unpause`.

use super::{for_each, path};
use crate::app::App;
use crate::failure::Outcome;
use crate::verb::{Arity, NoFlags, verb};

verb!(
    NoFlags,
    run,
    Arity::AtLeast(1),
    "CONTAINER [CONTAINER...]",
    "Unpause all processes within one or more containers"
);

async fn run(app: &App, _: &NoFlags, names: &[String]) -> Outcome {
    let client = app.client()?;
    for_each(names, async |name| {
        client.post(path(name, "/unpause")?).done().await?;
        Ok(())
    })
    .await
}
