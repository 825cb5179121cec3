//! A process that commits until it is killed, for the tests of local backends.

use crate::{Result, StateStore, Transaction};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

const PLACE: &str = "STORE_CRASH_TEST";

/// The child's side: commits for ever and says which are durable. Each commit also deletes one.
pub(crate) async fn child(open: impl Fn(&Path) -> Result<Arc<dyn StateStore>>) {
    let Some(path) = std::env::var_os(PLACE) else { return };
    let store = open(Path::new(&path)).unwrap();
    let first = store.list("k/").await.unwrap().entries.len();
    for number in first.. {
        let commit = Transaction::new().put(format!("k/{number:06}"), vec![b'v'; number % 5000]);
        let commit = commit.put(format!("last/{number:06}"), *b"{}");
        let commit = if number > 0 { commit.delete(format!("last/{:06}", number - 1)) } else { commit };
        store.commit(commit).await.unwrap();
        writeln!(std::io::stderr(), "durable {number}").unwrap();
    }
}

/// Kills it several times, and looks whether all is there that it said.
pub(crate) async fn rounds(child: &str, path: &Path, open: impl Fn() -> Result<Arc<dyn StateStore>>) {
    for round in 0..8_u32 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", child, "--nocapture"])
            .env(PLACE, path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(std::result::Result::unwrap);
        let mut durable =
            lines.filter_map(|line| line.strip_prefix("durable ").map(|n| n.parse::<usize>().unwrap()));
        let mut last = durable.nth(20 + 7 * round as usize).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        last = durable.last().unwrap_or(last);
        let store = open().unwrap();
        let count = store.list("k/").await.unwrap().entries.len();
        assert!((last + 1..=last + 2).contains(&count), "{last} was durable, {count} are there");
        let marks = store.list("last/").await.unwrap().entries;
        let expected = format!("last/{:06}", count - 1);
        assert_eq!(marks.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), [expected.as_str()]);
    }
}
