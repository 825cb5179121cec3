//! A process that is in a scope until the container's own are: systemd makes none without.

use crate::error::{Error, Result};

/// Waits until nobody holds the other end of standard input any more.
pub(crate) fn hold() -> Result<()> {
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())
        .map(drop)
        .map_err(Error::kernel("read standard input"))
}
