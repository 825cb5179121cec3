//! A private etcd on loopback ports, for one test: Debian's package `etcd-server`. The tests of `store` have this file too.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// See the module. It ends with this.
#[derive(Debug)]
pub struct Etcd {
    dir: tempfile::TempDir,
    child: Child,
    ports: Ports,
    flags: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    client: u16,
    peers: u16,
    /// Plain HTTP whatever the clients' is.
    health: u16,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Etcd {
    /// Starts one with further flags.
    pub fn start(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let ports = Ports { client: free_port(), peers: free_port(), health: free_port() };
        let child = spawn(dir.path(), ports, &flags);
        let server = Self { dir, child, ports, flags };
        server.wait();
        server
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        url(self.ports, &self.flags)
    }

    fn wait(&self) {
        let end = Instant::now() + Duration::from_secs(20);
        while !self.is_healthy() {
            assert!(Instant::now() < end, "etcd does not start: see {}", self.dir.path().display());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_healthy(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.ports.health)) else { return false };
        let mut answer = String::new();
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.contains("\"true\"")
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// It hangs: connections are taken, and never answered.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on where it was.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// It is gone at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// After [`Self::kill`]: with the same ports and data.
    pub fn start_again(&mut self) {
        self.child = spawn(self.dir.path(), self.ports, &self.flags);
        self.wait();
    }

    /// Runs etcdctl, for what only a person does.
    pub fn control(&self, words: &[&str]) -> String {
        let done = Command::new("etcdctl")
            .env("ETCDCTL_API", "3")
            .arg(format!("--endpoints={}", self.url()))
            .args(words)
            .output()
            .expect("run etcdctl: Debian's package etcd-client has it");
        assert!(done.status.success(), "etcdctl {words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }
}

fn url(ports: Ports, flags: &[String]) -> String {
    let scheme = if flags.iter().any(|flag| flag == "--cert-file") { "https" } else { "http" };
    format!("{scheme}://127.0.0.1:{}", ports.client)
}

fn spawn(dir: &std::path::Path, ports: Ports, flags: &[String]) -> Child {
    let (client, peer) = (url(ports, flags), format!("http://127.0.0.1:{}", ports.peers));
    let log = std::fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
    Command::new("etcd")
        .arg("--data-dir")
        .arg(dir.join("data"))
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--listen-metrics-urls", &format!("http://127.0.0.1:{}", ports.health)])
        .args(["--initial-cluster", &format!("default={peer}")])
        .args(flags)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("start etcd: Debian's package etcd-server has it")
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
