//! `delete`: cleans up after a shim that is gone, and prints what is known of the container's end.

use crate::arguments::Flags;
use crate::bundle;
use crate::error::{Error, Result};
use crate::log;
use crate::rootfs;
use crate::runtime::Backend;
use crate::shim::timestamp;
use containerd_shim_protos::api::DeleteResponse;
use protobuf::Message;
use shim_protocol::{Exit, file};
use std::io::Write;
use std::path::Path;

/// Of a process that was killed.
const KILLED: u32 = 128 + 9;

/// Cleans up the bundle in `-bundle`, or the working directory.
pub(crate) fn delete(flags: &Flags) -> Result<()> {
    let here = || std::env::current_dir().map_err(Error::kernel("find the working directory"));
    let bundle = flags.bundle.clone().map_or_else(here, Ok)?;
    log::open(&bundle.join(file::LOG));
    let options = bundle::options(&bundle)?;
    let backend = Backend::new(&flags.id, &bundle, &options);
    backend.kill_all()?;
    backend.delete()?;
    // In a namespace of the shim's own they went along with it.
    rootfs::unmount_everything(&bundle.join(file::ROOTFS));
    let _ = std::fs::remove_file(bundle.join(file::ATTACH));
    let exit = known_exit(&bundle);
    let response = DeleteResponse {
        exit_status: exit.status,
        exited_at: Some(timestamp(exit)).into(),
        ..DeleteResponse::default()
    };
    let encoded = response.write_to_bytes().unwrap_or_default();
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&encoded).and_then(|()| stdout.flush()).map_err(Error::kernel("print the answer"))
}

/// What the shim wrote before it went; else this is the end.
fn known_exit(bundle: &Path) -> Exit {
    let text = std::fs::read(bundle.join(file::EXIT)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_else(|_| Exit {
        status: KILLED,
        at: sys::clock::now(),
        oom_killed: false,
    })
}
