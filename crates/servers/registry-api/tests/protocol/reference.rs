//! The cases against Debian's registry, which proves the cases.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = "docker-registry";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_installed() -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|dir| dir.join(PROGRAM).exists())
}

/// Runs this very program once more, with the other registry under test.
#[test]
fn debians_registry_does_the_same() {
    if std::env::var_os("REGISTRY_UNDER_TEST").is_some() {
        return;
    }
    if !is_installed() {
        assert!(std::env::var_os("TESTS_NO_SKIP").is_none(), "{PROGRAM} is not installed");
        return eprintln!("SKIPPED: needs the program {PROGRAM}");
    }
    let dir = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (config, root) = (dir.path().join("config.yml"), dir.path().join("content"));
    let text = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  \
         delete: {{enabled: true}}\nhttp: {{addr: '{address}'}}\n",
        root.display()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(PROGRAM);
    command.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _running = Running(command.spawn().unwrap());
    let limit = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < limit, "{PROGRAM} does not listen");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let mut cases = Command::new(std::env::current_exe().unwrap());
    let done = cases.arg("conformance::").env("REGISTRY_UNDER_TEST", address.to_string()).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}");
    assert!(!said.contains("running 0 tests"), "{said}");
}
