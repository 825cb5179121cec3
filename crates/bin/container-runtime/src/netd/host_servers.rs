//! The host's name servers, as its `resolv.conf` lists them at any time.

use super::state::Task;
use crate::file_watch::watch;
use crate::watched::watched;
use dns::servers::read_resolv_conf;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long it waits where nothing can be watched.
const BLIND: Duration = Duration::from_secs(5);

/// Tells the servers, and again whenever they may have changed.
pub(super) async fn follow(path: PathBuf, tasks: mpsc::Sender<Task>) {
    let mut before = None;
    loop {
        // It is a small file: a thread for it would stay for ten seconds. First watched, then read: what changes in between is read once more.
        let watch = watch(std::slice::from_ref(&path));
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "the host has no name servers");
                Vec::new()
            }
        };
        let servers = read_resolv_conf(&String::from_utf8_lossy(&text), number_of_device);
        if before.as_ref() != Some(&servers) {
            before = Some(servers.clone());
            if tasks.send(Task::Servers(servers)).await.is_err() {
                return;
            }
        }
        match watch.and_then(watched) {
            // Its answer is only that something happened: a new watch follows other links.
            Ok(watch) => drop(watch.readable().await),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "changes are seen late");
                tokio::time::sleep(BLIND).await;
            }
        }
    }
}

fn number_of_device(name: &str) -> Option<u32> {
    std::fs::read_to_string(Path::new("/sys/class/net").join(name).join("ifindex")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next servers that are told, without their port.
    async fn next(tasks: &mut mpsc::Receiver<Task>) -> Vec<String> {
        let task = tokio::time::timeout(Duration::from_secs(10), tasks.recv()).await;
        let Ok(Some(Task::Servers(servers))) = task else { panic!("{task:?}") };
        servers.iter().map(|server| server.ip().to_string()).collect()
    }

    #[tokio::test]
    async fn changes_are_seen_through_links_and_where_nothing_was() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let (sender, mut tasks) = mpsc::channel(8);
        // As with systemd-resolved: a link to a file below a directory that is not there yet.
        std::os::unix::fs::symlink("run/resolve/stub.conf", path("resolv.conf")).unwrap();
        std::fs::create_dir(path("run")).unwrap();
        tokio::spawn(follow(path("resolv.conf"), sender));
        assert!(next(&mut tasks).await.is_empty());
        std::fs::create_dir(path("run/resolve")).unwrap();
        std::fs::write(path("run/resolve/stub.conf"), "nameserver 127.0.0.53\n").unwrap();
        assert_eq!(next(&mut tasks).await, ["127.0.0.53"]);
        std::fs::write(path("new"), "nameserver 192.0.2.1\n").unwrap();
        std::fs::rename(path("new"), path("run/resolve/stub.conf")).unwrap();
        assert_eq!(next(&mut tasks).await, ["192.0.2.1"]);
        std::fs::write(path("other"), "nameserver 192.0.2.2\n").unwrap();
        std::os::unix::fs::symlink("other", path("link")).unwrap();
        std::fs::rename(path("link"), path("resolv.conf")).unwrap();
        assert_eq!(next(&mut tasks).await, ["192.0.2.2"]);
        std::fs::write(path("other"), "nameserver 192.0.2.3\n").unwrap();
        assert_eq!(next(&mut tasks).await, ["192.0.2.3"]);
    }
}
