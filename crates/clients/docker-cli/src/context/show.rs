//! `docker context show`.

use crate::app::App;
use crate::failure::Outcome;
use crate::output;
use crate::verb::{Arity, NoFlags, verb};

verb!(NoFlags, run, Arity::None, "", "Print the name of the current context");

async fn run(app: &App, _: &NoFlags, _: &[String]) -> Outcome {
    output::line(app.context_name())
}
