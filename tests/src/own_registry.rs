//! Our own registry, as a process of its own, for one test.

use crate::daemon::program;
use crate::http::{Response, parse};
use crate::{Run, wait_until};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// `container-runtime registry serve` on a loopback port. It ends with this.
#[derive(Debug)]
pub struct OwnRegistry {
    child: Child,
    address: SocketAddr,
    /// Its directory.
    directory: PathBuf,
    /// What `--storage` and `--spool` say.
    place: Vec<String>,
    flags: Vec<String>,
}

impl OwnRegistry {
    /// Starts one that keeps its content in `storage`, with further flags.
    #[track_caller]
    pub fn start(storage: &Path, flags: &[&str]) -> Self {
        let place = vec!["--storage".to_owned(), storage.display().to_string()];
        Self::start_at(storage, place, flags)
    }

    /// Starts one that keeps its content in the bucket of this address, and uploads in progress in `spool`.
    #[track_caller]
    pub fn in_bucket(address: &str, spool: &Path, flags: &[&str]) -> Self {
        let place = ["--storage", address, "--spool", &spool.display().to_string()];
        Self::start_at(spool, place.map(str::to_owned).into(), flags)
    }

    #[track_caller]
    fn start_at(directory: &Path, place: Vec<String>, flags: &[&str]) -> Self {
        fs::create_dir_all(directory).unwrap();
        let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
        let (child, address) = serve(directory, "127.0.0.1:0", &[&place[..], &flags].concat());
        Self { child, address, directory: directory.to_owned(), place, flags }
    }

    /// Adds a user to a file of users.
    #[track_caller]
    pub fn add_user(file: &Path, name: &str, password: &str) {
        let mut command = Command::new(program());
        command.args(["registry", "user", "add", name, "--htpasswd"]).arg(file).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, after a kill, at the same address.
    #[track_caller]
    pub fn restart(&mut self) {
        let (child, address) =
            serve(&self.directory, &self.address.to_string(), &[&self.place[..], &self.flags].concat());
        (self.child, self.address) = (child, address);
    }

    /// `127.0.0.1:<port>`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// A name in it.
    pub fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Where it keeps the blob of this digest.
    pub fn blob(&self, hex: &str) -> PathBuf {
        self.directory.join("blobs/sha256").join(hex)
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(log_path(&self.directory)).unwrap_or_default()
    }

    /// How often it was sent a request of this method whose path holds these words; it has to log everything for that.
    pub fn count(&self, method: &str, words: &str) -> usize {
        let method = format!("method={method} ");
        self.log().lines().filter(|line| line.contains(&method) && line.contains(words)).count()
    }

    /// `container-runtime registry gc` on its storage, while nobody serves it.
    #[track_caller]
    pub fn collect(&self, flags: &[&str]) -> String {
        let mut command = command(["registry", "gc"], &self.place);
        Run::of(command.args(flags)).ok()
    }

    /// A request that no client would send so.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes())?;
        // A server that refuses early may close before it has read everything.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        parse(&answer).ok_or_else(|| io::Error::other(String::from_utf8_lossy(&answer).into_owned()))
    }
}

impl Drop for OwnRegistry {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the registry's log:\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One of the program's verbs for registries.
fn command(verb: [&str; 2], arguments: &[String]) -> Command {
    let mut command = Command::new(program());
    // `Moto` lets everybody in who has any.
    command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "secret");
    command.args(verb).args(arguments);
    command
}

/// Starts it and reads from its first line where it listens.
#[track_caller]
fn serve(directory: &Path, listen: &str, arguments: &[String]) -> (Child, SocketAddr) {
    let (said, log) = (directory.with_extension("said"), log_path(directory));
    let mut command = command(["registry", "serve"], arguments);
    command.args(["--listen", listen]);
    command.stdin(Stdio::null()).stdout(File::create(&said).unwrap());
    let log = File::options().create(true).append(true).open(log).unwrap();
    let mut child = command.stderr(log).spawn().unwrap();
    let address = || {
        let said = fs::read_to_string(&said).unwrap();
        said.lines().find_map(|line| line.strip_prefix("listening on ")?.parse().ok())
    };
    wait_until("the registry", || {
        assert!(child.try_wait().unwrap().is_none(), "the registry ended");
        address().is_some()
    });
    (child, address().unwrap())
}

fn log_path(directory: &Path) -> PathBuf {
    directory.with_extension("log")
}
