//! `image mount [IMAGE…]`: mounts images, and prints where; without an image, what is mounted.

use super::{Which, answer, each, field};
use crate::own::print;
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
    #[command(flatten)]
    which: Which,
    /// Names or ids
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "image mount", |flags: &Flags| {
        if !flags.images.is_empty() {
            return each(invocation, &flags.images, &flags.which, |client| {
                client.post("/container-runtime/images/mount")
            });
        }
        let mounts = answer(invocation, |client| client.get("/container-runtime/images/mounts"))?;
        for one in mounts.as_array().into_iter().flatten() {
            print(&format!("{}\t{}\n", field(one, "Name"), field(one, "Path")));
        }
        Ok(())
    })
}
