//! `image mount [IMAGE…]`: mounts images, and prints where; without an image, what is mounted.

use super::{each, field};
use clap::Parser;
use docker_cli::Invocation;
use std::process::ExitCode;

/// Mount images for programs of the host to read, and print where; without an image list what is mounted.
///
/// The files are read-only, set-user-ID bits and devices in them have no effect. An image that is mounted can't be removed. Mounts
/// outlive the daemon, but not a restart of the host.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// Which of the platforms that a name stands for: os[/architecture[/variant]]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Names or ids
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::run(invocation, "image mount", |flags: &Flags| {
        if flags.images.is_empty() {
            let all = |answer: serde_json::Value| {
                let mounts = answer.as_array().into_iter().flatten();
                mounts.map(|one| format!("{}\t{}", field(one, "Name"), field(one, "Path"))).collect()
            };
            each(invocation, &[()], |client, ()| client.get("/container-runtime/images/mounts"), all)?;
            return Ok(ExitCode::SUCCESS);
        }
        each(
            invocation,
            &flags.images,
            |client, image| {
                let request = client.post("/container-runtime/images/mount").query("name", image);
                match &flags.platform {
                    Some(platform) => request.query("platform", platform),
                    None => request,
                }
            },
            |answer| vec![field(&answer, "Path")],
        )?;
        Ok(ExitCode::SUCCESS)
    })
}
