//! `image mount` and `image unmount`: an image's files for programs of the host.

pub(crate) mod mount;
pub(crate) mod unmount;

use anyhow::Result;
use docker_cli::Invocation;
use engine_client::{Client, Request};
use serde_json::Value;
use std::io::Write;

/// Sends requests one after the other, and prints what `line` makes of each answer. After a failure the others are sent too.
fn each<T>(
    invocation: &Invocation,
    items: &[T],
    request: impl for<'a> Fn(&'a Client, &T) -> Request<'a>,
    lines: impl Fn(Value) -> Vec<String>,
) -> Result<()> {
    let client = crate::own::client(crate::own::endpoint(invocation)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut failed = Ok(());
    for item in items {
        let answer = runtime.block_on(async { request(&client, item).bytes().await });
        match answer.map_err(anyhow::Error::from).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?)) {
            Ok(answer) => lines(answer).iter().for_each(|line| print(line)),
            Err(error) => {
                if let Err(earlier) = std::mem::replace(&mut failed, Err(error)) {
                    crate::complain(&format!("{earlier:#}"));
                }
            }
        }
    }
    failed
}

/// Writes to the standard output; that nobody reads it is no error.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn field(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_default().to_owned()
}
