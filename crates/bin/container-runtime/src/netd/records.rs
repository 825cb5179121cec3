//! The records that the daemon left.

use netd_protocol::{Container, Network, file};
use serde::de::DeserializeOwned;
use std::path::Path;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) networks: Vec<Network>,
    pub(super) containers: Vec<Container>,
}

/// Reads all records. One that can't be read is told of and left out: the others are needed.
pub(super) fn read(state: &Path) -> Records {
    let directory = state.join(file::RECORDS);
    let mut records = Records::default();
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return records,
        Err(error) => {
            tracing::error!(directory = %directory.display(), %error, "records can't be listed");
            return records;
        }
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.ends_with(".json")) else { continue };
        if name.starts_with("network-") {
            records.networks.extend(parse(&entry.path()));
        } else if name.starts_with("container-") {
            records.containers.extend(parse(&entry.path()));
        }
    }
    // Of several containers with one name the order of the answers should not depend on a directory's.
    records.containers.sort_by(|one, other| one.id.cmp(&other.id));
    records
}

fn parse<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let read = std::fs::read(path).map_err(anyhow::Error::from);
    match read.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?)) {
        Ok(record) => Some(record),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "a record is left out");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_record_is_left_out() {
        let state = tempfile::tempdir().unwrap();
        assert!(read(state.path()).networks.is_empty());
        std::fs::create_dir(state.path().join("netd")).unwrap();
        let write = |path: std::path::PathBuf, text: &str| std::fs::write(path, text).unwrap();
        write(
            netd_protocol::network_file(state.path(), "n"),
            r#"{"id":"n","name":"n","gateways":[],"later":1}"#,
        );
        write(netd_protocol::network_file(state.path(), "half"), r#"{"id":"#);
        write(netd_protocol::container_file(state.path(), "c"), r#"{"id":"c","endpoints":[]}"#);
        write(state.path().join("netd/.container-d.json.1-2.tmp~"), "");
        let records = read(state.path());
        assert_eq!((records.networks.len(), records.containers.len()), (1, 1));
    }
}
