//! The complaints of a foreign shim: it writes them to the FIFO `log` in its bundle, and does not start without one.
//! They are copied to `shim.log`, where our own shim's are too.

use crate::error::{Error, Result};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{OpenOptions, Receiver};
use tokio::task::AbortHandle;

/// The FIFO's name by containerd's convention.
const FIFO: &str = "log";

/// Of `shim.log`; what comes after is read and forgotten, so that the shim never waits for its log.
const LIMIT: u64 = 1 << 20;

/// Copies until it is dropped. What a shim writes meanwhile is lost to it, which it is built to bear.
#[derive(Debug)]
pub(crate) struct LogCopier(AbortHandle);

impl LogCopier {
    /// Makes the FIFO if need be, and begins to copy.
    pub(crate) fn start(bundle: &Path) -> Result<Self> {
        let path = bundle.join(FIFO);
        let failed = |action| {
            let path = path.clone();
            move |cause| Error::File { action, path, cause }
        };
        match mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o700), 0) {
            Err(error) if error != rustix::io::Errno::EXIST => return Err(failed("create")(error.into())),
            _ => {}
        }
        // For writing too, so that it has no end when a shim closes it.
        let fifo = OpenOptions::new().read_write(true).open_receiver(&path).map_err(failed("open"))?;
        let target = bundle.join(shim_protocol::file::LOG);
        let copy = async move {
            if let Err(error) = copy(fifo, &target).await {
                tracing::debug!(path = %target.display(), %error, "copy a shim's log");
            }
        };
        Ok(Self(tokio::spawn(copy).abort_handle()))
    }
}

impl Drop for LogCopier {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn copy(mut fifo: Receiver, target: &Path) -> std::io::Result<()> {
    let mut file = tokio::fs::OpenOptions::new().create(true).append(true).open(target).await?;
    let mut written = file.metadata().await?.len();
    let mut buffer = vec![0; 4096];
    loop {
        let count = fifo.read(&mut buffer).await?;
        if written < LIMIT {
            file.write_all(&buffer[..count]).await?;
            file.flush().await?;
            written += count as u64;
        }
    }
}
