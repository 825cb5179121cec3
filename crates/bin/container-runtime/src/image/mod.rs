//! `image mount` and `image unmount`: an image's files for programs of the host.

pub(crate) mod mount;
pub(crate) mod unmount;

use anyhow::Result;
use clap::Args;
use docker_cli::Invocation;
use engine_client::{Client, Request};
use serde_json::Value;

/// Of images that stand for several platforms.
#[derive(Debug, Args)]
struct Which {
    /// Which of the platforms that a name stands for: os[/architecture[/variant]]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
}

/// Sends a request for each image, one after the other, and prints the paths that are answered. After a failure the others are
/// sent too.
fn each(
    invocation: &Invocation,
    images: &[String],
    which: &Which,
    request: impl for<'a> Fn(&'a Client) -> Request<'a>,
) -> Result<()> {
    let mut failed = Ok(());
    for image in images {
        let answered = answer(invocation, |client| {
            let request = request(client).query("name", image);
            which.platform.iter().fold(request, |request, platform| request.query("platform", platform))
        });
        match answered {
            Ok(mounted) => crate::own::print(&format!("{}\n", field(&mounted, "Path"))),
            Err(error) => {
                if let Err(earlier) = std::mem::replace(&mut failed, Err(error)) {
                    crate::complain(&format!("{earlier:#}"));
                }
            }
        }
    }
    failed
}

/// What the daemon says to a request.
fn answer(invocation: &Invocation, request: impl for<'a> FnOnce(&'a Client) -> Request<'a>) -> Result<Value> {
    Ok(serde_json::from_slice(&crate::own::ask(invocation, request)?)?)
}

fn field<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}
