//! A server that speaks S3, for one test: `moto`, a program from PyPI. The tests of `repositories` have this file too.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// See the module. It ends with this.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    address: SocketAddr,
}

impl Moto {
    /// None, and says so, where the program is missing.
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            assert!(std::env::var_os("TESTS_NO_SKIP").is_none(), "moto_server is not installed");
            eprintln!("SKIPPED: needs moto_server, which scripts/setup test installs");
            return None;
        };
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let this = Self { child: command.spawn().unwrap(), address };
        let limit = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < limit, "moto_server does not listen");
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Some(this)
    }

    /// Makes a bucket and says its address, with a prefix.
    pub fn bucket(&self, name: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!("PUT /{name} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        // Nobody looks at the signature, but it tells the server which of its services is meant.
        let authorization = "AWS4-HMAC-SHA256 Credential=id/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        write!(stream, "{head}Authorization: {authorization}\r\nContent-Length: 0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        format!("s3://{name}/some/prefix?endpoint=http://{}&region=us-east-1", self.address)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In `PATH`, or where `scripts/setup test` puts it.
fn program() -> Option<PathBuf> {
    const NAME: &str = "moto_server";
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let ours = cache.map(|cache| cache.join("container-runtime/venv/bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(ours).map(|dir| dir.join(NAME)).find(|program| program.exists())
}
