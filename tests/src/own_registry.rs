//! Our own registry server for one test.

use crate::engine::program;
use crate::wait_until;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// `container-runtime registry serve` on a loopback port. It ends with this.
#[derive(Debug)]
pub struct OwnRegistry {
    child: Child,
    host: String,
    storage: PathBuf,
}

impl OwnRegistry {
    /// Starts one that keeps its content below `directory`.
    #[track_caller]
    pub fn start(directory: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (host, storage) = (format!("127.0.0.1:{port}"), directory.join("registry"));
        let mut command = Command::new(program());
        command.args(["registry", "serve", "--log-level", "error", "--listen", &host, "--storage"]);
        let child = command.arg(&storage).stdin(Stdio::null()).spawn().unwrap();
        wait_until("the registry", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { child, host, storage }
    }

    /// `127.0.0.1:<port>`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// A name in it.
    pub fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.host)
    }

    /// Where it keeps the blob of this digest.
    pub fn blob(&self, hex: &str) -> PathBuf {
        self.storage.join("blobs/sha256").join(hex)
    }
}

impl Drop for OwnRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
