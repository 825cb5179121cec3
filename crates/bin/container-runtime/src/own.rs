//! What our own verbs have in common: flags, a connection to the daemon, an exit code.

use clap::{Parser, ValueEnum};
use docker_cli::Invocation;
use engine_client::{Client, Endpoint, Options, Request};
use serde_json::Value;
use std::io::Write;
use std::process::ExitCode;

/// Runs a verb with its flags; what it fails with is printed.
pub(crate) fn run<F: Parser>(
    invocation: &Invocation,
    verb: &str,
    work: impl FnOnce(&F) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    let program = format!("{} {verb}", invocation.program);
    let flags = match F::try_parse_from(std::iter::once(&program).chain(&invocation.args)) {
        Ok(flags) => flags,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 125 } else { 0 });
        }
    };
    work(&flags).unwrap_or_else(|error| {
        crate::complain(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

/// The same for a verb that succeeds or fails, and knows no other exit code.
pub(crate) fn succeed<F: Parser>(
    invocation: &Invocation,
    verb: &str,
    work: impl FnOnce(&F) -> anyhow::Result<()>,
) -> ExitCode {
    run(invocation, verb, |flags| work(flags).map(|()| ExitCode::SUCCESS))
}

/// Writes to the standard output; that nobody reads it is no error.
pub(crate) fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// What a verb of the engine returned, for a person.
pub(crate) fn told<T>(done: errors::Result<T>) -> anyhow::Result<T> {
    done.map_err(|error| anyhow::anyhow!("{error}"))
}

/// Where the daemon is.
pub(crate) fn endpoint(invocation: &Invocation) -> anyhow::Result<Endpoint> {
    let address = invocation.host.as_deref().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(Endpoint::parse(address, None)?)
}

/// A connection to a daemon that is there.
pub(crate) fn client(endpoint: Endpoint) -> Client {
    Client::new(Options {
        endpoint,
        version: None,
        user_agent: "container-runtime".into(),
        headers: Vec::new(),
        revive: None,
        start_hint: " Start it with 'container-runtime daemon'.".into(),
    })
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Prints what the daemon reports, as it is or as `text` says it; success if it says so under the name `good`.
pub(crate) fn report(
    invocation: &Invocation,
    format: Format,
    request: impl for<'a> FnOnce(&'a Client) -> Request<'a>,
    text: impl FnOnce(&Value) -> String,
    good: &str,
) -> anyhow::Result<ExitCode> {
    let report: Value = serde_json::from_slice(&ask(invocation, request)?)?;
    match format {
        Format::Json => print(&format!("{report:#}\n")),
        Format::Text => print(&text(&report)),
    }
    Ok(if report[good] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a daemon answers where verbs go.
pub(crate) fn answers(invocation: &Invocation) -> bool {
    ask(invocation, |client| client.get("/_ping")).is_ok()
}

/// What the daemon says to a request of one of our own paths.
pub(crate) fn ask(
    invocation: &Invocation,
    request: impl for<'a> FnOnce(&'a Client) -> Request<'a>,
) -> anyhow::Result<Vec<u8>> {
    try_ask(invocation, |client| Ok(request(client)))
}

/// The same for a request that can't always be written.
pub(crate) fn try_ask(
    invocation: &Invocation,
    request: impl for<'a> FnOnce(&'a Client) -> anyhow::Result<Request<'a>>,
) -> anyhow::Result<Vec<u8>> {
    let client = client(endpoint(invocation)?);
    let request = request(&client)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(async { request.bytes().await })?.to_vec())
}
