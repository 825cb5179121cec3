//! Debian's `docker-registry` for one test, and a slow way to it.

use crate::{Run, wait_until};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Who may use a registry that asks.
pub const USER: &str = "someone";
/// The password, and what `htpasswd -B` makes of it.
pub const PASSWORD: &str = "secret";
const ENTRY: &str = "someone:$2b$04$j4roeoCGRSJVHRn5H3936ecP3NaKq4AixuG2zL1SUG0MbiCle0KBG";

/// A running registry on a loopback port. It ends with this.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    port: u16,
}

impl Registry {
    /// Starts one that keeps its content below `directory`; `asks`: for name and password.
    #[track_caller]
    pub fn start(directory: &Path, asks: bool) -> Self {
        let (place, port) = (directory.join(format!("registry-{asks}")), free_port());
        fs::create_dir_all(&place).unwrap();
        let mut config = format!(
            "version: 0.1\nlog: {{level: warn, accesslog: {{disabled: true}}}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  \
             delete: {{enabled: true}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
            place.display()
        );
        if asks {
            fs::write(place.join("htpasswd"), format!("{ENTRY}\n")).unwrap();
            let path = place.join("htpasswd");
            config += &format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", path.display());
        }
        let path: PathBuf = place.join("config.yml");
        fs::write(&path, config).unwrap();
        let log = fs::File::create(place.join("log")).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().unwrap();
        wait_until("the registry", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { child, port }
    }

    /// `127.0.0.1:<port>`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A name in it.
    pub fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of this machine that leads to a registry, slowly, and counts.
#[derive(Debug)]
pub struct SlowPort {
    port: u16,
    passed: Arc<AtomicU64>,
}

impl SlowPort {
    /// So many bytes in a second, for each connection.
    pub fn to(registry: &Registry, bytes_a_second: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (passed, target) = (Arc::new(AtomicU64::new(0)), registry.port);
        let count = Arc::clone(&passed);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else {
                    continue;
                };
                thread::spawn(move || forward(from_client, to_server, u64::MAX, &AtomicU64::new(0)));
                let count = Arc::clone(&count);
                thread::spawn(move || forward(server, client, bytes_a_second, &count));
            }
        });
        Self { port, passed }
    }

    /// `127.0.0.1:<port>`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A name in the registry, by way of here.
    pub fn name(&self, name: &str) -> String {
        format!("127.0.0.1:{}/{name}", self.port)
    }

    /// Bytes that came from the registry so far.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, bytes_a_second: u64, count: &AtomicU64) {
    let mut piece = [0; 32 << 10];
    while let Ok(size @ 1..) = from.read(&mut piece) {
        if to.write_all(&piece[..size]).is_err() {
            break;
        }
        count.fetch_add(size as u64, Ordering::SeqCst);
        thread::sleep(Duration::from_micros(size as u64 * 1_000_000 / bytes_a_second));
    }
    let _ = (from.shutdown(Shutdown::Read), to.shutdown(Shutdown::Write));
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A tool that copies images without an engine.
#[track_caller]
pub fn skopeo(arguments: &[&str]) -> Run {
    Run::of(Command::new("skopeo").arg("--insecure-policy").args(arguments))
}
