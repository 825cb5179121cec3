//! `docker context use`.

use crate::app::App;
use crate::config::credentials;
use crate::failure::Outcome;
use crate::output;
use crate::verb::{Arity, NoFlags, verb};

verb!(NoFlags, run, Arity::Exactly(1), "CONTEXT", "Set the current docker context");

async fn run(app: &App, _: &NoFlags, names: &[String]) -> Outcome {
    let name = names[0].as_str();
    let stored = (name != "default").then_some(name);
    if stored.is_some() {
        app.contexts().get(name)?;
    }
    if app.config().current_context != stored.unwrap_or_default() {
        credentials::set_context(&app.config_dir(), stored)?;
    }
    output::line(name)?;
    output::stderr(&format!("Current context is now {name:?}\n"));
    for variable in ["CONTAINER_RUNTIME_HOST", "DOCKER_HOST"] {
        if stored.is_some() && std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            output::stderr(&format!(
                "Warning: {variable} environment variable overrides the active context. To use {name:?}, either \
                 set the global --context flag, or unset {variable} environment variable.\n"
            ));
        }
    }
    Ok(())
}
