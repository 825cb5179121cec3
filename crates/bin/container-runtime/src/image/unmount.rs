//! `image unmount IMAGE…`: ends what `image mount` began.

use super::{Which, each};
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
    #[command(flatten)]
    which: Which,
    /// Names or ids
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "image unmount", |flags: &Flags| {
        each(invocation, &flags.images, &flags.which, |client| {
            client.post("/container-runtime/images/unmount").flag("force", flags.force)
        })
    })
}
