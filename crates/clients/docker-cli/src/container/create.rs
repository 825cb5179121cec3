//! `docker create`, and the creation that `docker run` begins with.

use super::body::{self, Request};
use super::options::ContainerFlags;
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::image::pull;
use crate::output;
use crate::terminal;
use crate::verb::{Arity, verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
struct Args {
    #[arg(long, default_value = "missing", help = PULL_HELP)]
    pull: String,
    #[command(flatten)]
    container: ContainerFlags,
}

const PULL_HELP: &str = "Pull image before creating (\"always\", \"|missing\", \"never\")";

verb!(Args, run, Arity::Command(1), "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new container");

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let helped = |failure: Failure| with_help(app, failure, "create").with_status(125);
    check_pull(&args.pull).map_err(helped)?;
    let request = build(app, &args.container, words).map_err(helped)?;
    let id = create(app, &args.container, request.body, &args.pull).await?;
    output::line(id)
}

/// Adds docker's hint to look at the verb's help.
pub(super) fn with_help(app: &App, failure: Failure, verb: &str) -> Failure {
    let program = &app.program;
    let message = failure.message;
    Failure {
        message: format!("{program}: {message}\n\nRun '{program} {verb} --help' for more information"),
        status: failure.status,
    }
}

/// Checks the `--pull` policy.
pub(super) fn check_pull(policy: &str) -> Outcome {
    match policy {
        "always" | "missing" | "never" | "" => Ok(()),
        _ => Err(Failure::new(format!(
            "invalid pull option: '{policy}': must be one of \"always\", \"missing\" or \"never\""
        ))),
    }
}

/// The request that flags and words describe.
pub(super) fn build(app: &App, flags: &ContainerFlags, words: &[String]) -> Outcome<Request> {
    let (image, command) = words.split_first().ok_or_else(|| Failure::new("no image"))?;
    let mut environment = flags.env.clone();
    let host = app.endpoint()?.to_string();
    environment.extend(app.config().proxy_environment(&host, &flags.env));
    body::build(flags, image, command, &environment)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    id: String,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

/// Creates a container, pulling its image by the policy, and gives its id.
pub(super) async fn create(
    app: &App,
    flags: &ContainerFlags,
    mut body: Value,
    policy: &str,
) -> Outcome<String> {
    let cid_file = CidFile::open(&flags.cidfile)?;
    let image = body["Image"].as_str().unwrap_or_default().to_owned();
    if flags.use_api_socket {
        add_api_socket(app, &mut body)?;
    }
    let (rows, columns) = terminal::size();
    body["HostConfig"]["ConsoleSize"] = json!([rows, columns]);
    if policy == "always" {
        pull::for_container(app, &image, &flags.platform, flags.quiet).await?;
    }
    let created = match send(app, flags, &body).await {
        Err(error) if error.is_not_found() && policy == "missing" && is_name(&image) => {
            if !flags.quiet {
                output::stderr(&format!("Unable to find image '{}' locally\n", pull::tagged(&image)));
            }
            pull::for_container(app, &image, &flags.platform, flags.quiet).await?;
            send(app, flags, &body).await?
        }
        result => result?,
    };
    let warnings = created.warnings.into_iter().flatten().chain(localhost_dns(flags));
    for warning in warnings {
        output::stderr(&format!("WARNING: {warning}\n"));
    }
    cid_file.write(&created.id)?;
    Ok(created.id)
}

async fn send(app: &App, flags: &ContainerFlags, body: &Value) -> engine_client::Result<Created> {
    let client = match app.client() {
        Ok(client) => client,
        Err(failure) => return Err(engine_client::Error::Revive(failure.message)),
    };
    let mut request = client.post("/containers/create");
    for (name, value) in [("name", &flags.name), ("platform", &flags.platform)] {
        if !value.is_empty() {
            request = request.query(name, value);
        }
    }
    request.json_body(body)?.json().await
}

/// A full image id cannot be pulled.
fn is_name(image: &str) -> bool {
    let is_hex = image.bytes().all(|byte| byte.is_ascii_hexdigit());
    !(image.starts_with("sha256:") || (image.len() == 64 && is_hex))
}

/// `--use-api-socket`: the daemon's own socket, where docker expects it.
fn add_api_socket(app: &App, body: &mut Value) -> Outcome {
    let host = app.endpoint()?.to_string();
    let Some(socket) = host.strip_prefix("unix://") else {
        return Err(Failure::new(format!(
            "flag --use-api-socket can only be used with unix sockets: docker endpoint {host} incompatible"
        )));
    };
    let mount =
        json!({"Type": "bind", "Source": socket, "Target": "/var/run/docker.sock", "BindOptions": {}});
    match &mut body["HostConfig"]["Mounts"] {
        Value::Array(mounts) => mounts.push(mount),
        none => *none = json!([mount]),
    }
    Ok(())
}

/// A name server on the loopback address is the container's own.
fn localhost_dns(flags: &ContainerFlags) -> Option<String> {
    let local = |text: &&String| text.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    flags.dns.iter().find(local).map(|dns| format!("Localhost DNS ({dns}) may fail in containers."))
}

/// The file that `--cidfile` names: made before the container, and removed again when there is none.
#[derive(Debug)]
struct CidFile(Option<(PathBuf, File)>);

impl CidFile {
    fn open(path: &str) -> Outcome<Self> {
        if path.is_empty() {
            return Ok(Self(None));
        }
        let path = PathBuf::from(path);
        match File::create_new(&path) {
            Ok(file) => Ok(Self(Some((path, file)))),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Failure::new(format!(
                "container ID file found, make sure the other container isn't running or delete {}",
                path.display()
            ))),
            Err(error) => Err(Failure::new(format!(
                "failed to create the container ID file: open {}: {}",
                path.display(),
                crate::flags::env::reason(&error)
            ))),
        }
    }

    fn write(mut self, id: &str) -> Outcome {
        if let Some((_, file)) = &mut self.0 {
            file.write_all(id.as_bytes()).map_err(|error| {
                Failure::new(format!("failed to write the container ID to the file: {error}"))
            })?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for CidFile {
    fn drop(&mut self) {
        if let Some((path, _)) = &self.0 {
            std::fs::remove_file(path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_not_pulled() {
        assert!(is_name("busybox") && !is_name("sha256:abc") && !is_name(&"a".repeat(64)));
    }
}
