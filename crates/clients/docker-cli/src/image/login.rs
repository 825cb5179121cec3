//! `docker login`.

use super::auth::HUB;
use crate::app::App;
use crate::config::credentials;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::terminal::stdin_is_terminal;
use crate::verb::{Arity, verb};
use serde::Deserialize;
use serde_json::json;
use std::io::Read as _;

#[derive(Debug, clap::Args)]
struct Args {
    /// Password or Personal Access Token (PAT)
    #[arg(short, long)]
    password: Option<String>,
    /// Take the Password or Personal Access Token (PAT) from stdin
    #[arg(long)]
    password_stdin: bool,
    /// Username
    #[arg(short, long)]
    username: Option<String>,
}

verb!(Args, run, Arity::AtMost(1), "[OPTIONS] [SERVER]", "Authenticate to a registry");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    status: String,
    #[serde(default)]
    identity_token: String,
}

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let server = server(words);
    let (user, password) = credentials_of(args)?;
    let body = json!({"username": user, "password": password, "serveraddress": server});
    let answer: Answer = app.client()?.post("/auth").json_body(&body)?.json().await?;
    credentials::store(&app.config_dir(), server, &user, &password, &answer.identity_token)?;
    output::line(answer.status)
}

fn credentials_of(args: &Args) -> Outcome<(String, String)> {
    if args.password_stdin && args.password.is_some() {
        return Err(Failure::new("--password and --password-stdin are mutually exclusive"));
    }
    if args.password_stdin && args.username.is_none() {
        return Err(Failure::new("Must provide --username with --password-stdin"));
    }
    if args.password.is_some() {
        output::stderr("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
    }
    if args.password_stdin {
        let mut password = String::new();
        std::io::stdin().read_to_string(&mut password)?;
        let password = password.trim_end_matches(['\r', '\n']).to_owned();
        return Ok((args.username.clone().unwrap_or_default(), password));
    }
    match (&args.username, &args.password) {
        (Some(user), Some(password)) => Ok((user.clone(), password.clone())),
        _ if !stdin_is_terminal() => {
            Err(Failure::new("Error: Cannot perform an interactive login from a non TTY device"))
        }
        (user, _) => ask(user.as_deref()),
    }
}

fn ask(user: Option<&str>) -> Outcome<(String, String)> {
    let user = match user {
        Some(user) => user.to_owned(),
        None => {
            output::stdout("Username: ")?;
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            line.trim().to_owned()
        }
    };
    if user.is_empty() {
        return Err(Failure::new("Error: Non-null Username Required"));
    }
    let password = crate::terminal::read_password("Password: ")?;
    if password.is_empty() {
        return Err(Failure::new("Error: Password Required"));
    }
    Ok((user, password))
}

/// The registry that is meant, by its name in the configuration.
pub(super) fn server(words: &[String]) -> &str {
    let Some(server) = words.first() else { return HUB };
    // As docker keeps it: registries have no paths and no schemes.
    let host = server.strip_prefix("http://").or_else(|| server.strip_prefix("https://"));
    match host.map_or(server.as_str(), |host| host.split('/').next().unwrap_or(host)) {
        "docker.io" | "index.docker.io" => HUB,
        host => host,
    }
}
