//! `state migrate --to DRIVER`

use super::{runtime, stopped};
use crate::own::told;
use crate::place::Place;
use clap::Parser;
use config::StateDriver;
use docker_cli::Invocation;
use std::process::ExitCode;

/// Bring the engine's records from the state.driver of its settings to another one.
///
/// The daemon must not run. All records are copied, read back and compared; then the old store is put aside under another name.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// redb, file or etcd
    #[arg(long, value_name = "DRIVER")]
    to: StateDriver,
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "state migrate", |flags: &Flags| {
        let (settings, _lock) = stopped(invocation, &flags.place)?;
        let done = told(runtime()?.block_on(engine::system::state::migrate(&settings, flags.to)))?;
        crate::own::print(&format!(
            "{} records went from {} to {}\nkept: {}\nnow set state.driver to {} and start the daemon\n",
            done.records,
            done.from.as_str(),
            flags.to.as_str(),
            done.kept.display(),
            flags.to.as_str(),
        ));
        Ok(())
    })
}
