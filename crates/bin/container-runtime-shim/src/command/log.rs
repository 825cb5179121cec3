//! `log BUNDLE`: containerd's `binary://` logging for processes of foreign shims, which knows nothing of the log and
//! the attach socket that our own shim has: `binary:///path/to/container-runtime-shim?log=BUNDLE`.

use super::serve::{alone, leave_caller};
use crate::bundle;
use crate::error::{Error, Result};
use crate::log;
use crate::shim::Shim;
use shim_protocol::file;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Where containerd puts the process's output, and what it closes to say that it may begin.
const STDOUT: i32 = 3;
const STDERR: i32 = 4;
const READY: i32 = 5;

/// Logs and serves clients until the process's output ends and they have it.
pub(crate) fn log(bundle: Option<&Path>) -> Result<()> {
    let bundle = bundle.ok_or_else(|| Error::invalid("log needs the bundle"))?;
    sys::fds::close_from(READY.cast_unsigned() + 1, alone()?);
    let [stdout, stderr, ready] = [take(STDOUT)?, take(STDERR)?, take(READY)?];
    leave_caller()?;
    log::open(&bundle.join(file::LOG));
    let options = bundle::options(bundle)?;
    let shim = Shim::for_streams(bundle, options, [stdout, stderr])?;
    // From here on nothing that is printed is lost.
    drop(ready);
    shim.run()
}

fn take(number: i32) -> Result<OwnedFd> {
    let fd = sys::fds::inherit(number).map_err(Error::kernel("take the streams as descriptors 3 to 5"))?;
    rustix::io::ioctl_fionbio(&fd, true).map_err(Error::kernel("prepare the streams"))?;
    Ok(fd)
}
