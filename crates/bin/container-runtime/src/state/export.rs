//! `state export [FILE]`

use super::{runtime, stopped};
use crate::own::told;
use crate::place::Place;
use anyhow::Result;
use clap::Parser;
use docker_cli::Invocation;
use durable::Sync;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write all records of the engine, as they are at one moment, as JSON lines with a checksum.
///
/// They are what 'state import' takes. Images, layers and the content of volumes are not in them. They hold the containers' environment
/// variables: the file is made for its owner only.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// Where to [default: standard output]
    file: Option<PathBuf>,
    /// Read the store itself: the daemon does not run
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "state export", |flags: &Flags| {
        let records = if flags.offline {
            let (settings, _lock) = stopped(invocation, &flags.place)?;
            told(runtime()?.block_on(engine::system::state::export_offline(&settings)))?
        } else {
            crate::own::ask(invocation, |client| client.get("/container-runtime/state/export"))?
        };
        match flags.file.as_deref() {
            None => write(&records),
            Some(path) if path == Path::new("-") => write(&records),
            Some(path) => Ok(durable::write_atomic_mode(path, &records, 0o600, Sync::FileAndDir)?),
        }
    })
}

/// Half a backup must not look like success.
fn write(records: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(records)?;
    Ok(out.flush()?)
}
