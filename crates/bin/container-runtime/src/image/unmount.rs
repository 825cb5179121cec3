//! `image unmount IMAGE…`: ends what `image mount` began.

use super::{each, field};
use clap::Parser;
use docker_cli::Invocation;
use std::process::ExitCode;

/// End mounts of images, and print where they were.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// Also while a process uses the mount: it is gone for newcomers at once, and for the others as they leave
    #[arg(short, long)]
    force: bool,
    /// Which of the platforms that a name stands for: os[/architecture[/variant]]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Names or ids
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::run(invocation, "image unmount", |flags: &Flags| {
        each(
            invocation,
            &flags.images,
            |client, image| {
                let request = client.post("/container-runtime/images/unmount").query("name", image);
                let request = request.flag("force", flags.force);
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
