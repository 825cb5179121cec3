//! `docker stop`.

use super::{StopFlags, for_each};
use crate::app::App;
use crate::failure::Outcome;
use crate::verb::{Arity, verb};

verb!(
    StopFlags,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Stop one or more running containers"
);

async fn run(app: &App, flags: &StopFlags, names: &[String]) -> Outcome {
    flags.check()?;
    let client = app.client()?;
    for_each(names, async |name| flags.send(client, name, "/stop").await).await
}
