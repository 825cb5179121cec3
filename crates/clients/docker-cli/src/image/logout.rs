//! `docker logout`.

use super::auth::HUB;
use super::login::server;
use crate::app::App;
use crate::config::credentials;
use crate::failure::Outcome;
use crate::output;
use crate::verb::{Arity, NoFlags, verb};

verb!(NoFlags, run, Arity::AtMost(1), "[SERVER]", "Log out from a registry");

async fn run(app: &App, _: &NoFlags, words: &[String]) -> Outcome {
    let server = server(words);
    let shown = if server == HUB { "https://index.docker.io/v1/" } else { server };
    if credentials::erase(&app.config_dir(), server)? {
        return output::line(format!("Removing login credentials for {shown}"));
    }
    output::line(format!("Not logged in to {shown}"))
}
