//! What is at a path of a container, as Go's `os.FileInfo` tells it.

use engine::container::PathStat;
use jiff::Timestamp;
use serde::Serialize;

/// The document in `X-Docker-Container-Path-Stat`.
#[derive(Debug, Serialize)]
pub(crate) struct WirePathStat<'a> {
    name: &'a str,
    size: u64,
    mode: u32,
    mtime: String,
    #[serde(rename = "linkTarget")]
    link_target: &'a str,
}

/// The document of a path.
pub(crate) fn stat(stat: &PathStat) -> WirePathStat<'_> {
    let at = Timestamp::from_nanosecond(i128::from(stat.modified_at)).unwrap_or_default();
    WirePathStat {
        name: &stat.name,
        size: stat.size,
        mode: go_mode(stat.mode),
        mtime: at.to_string(),
        link_target: &stat.link_target,
    }
}

/// Go's `os.FileMode`: the permission bits, and a bit of its own for everything else.
fn go_mode(mode: u32) -> u32 {
    const DIRECTORY: u32 = 1 << 31;
    const SYMLINK: u32 = 1 << 27;
    const DEVICE: u32 = 1 << 26;
    const PIPE: u32 = 1 << 25;
    const SOCKET: u32 = 1 << 24;
    const SET_UID: u32 = 1 << 23;
    const SET_GID: u32 = 1 << 22;
    const CHARACTER: u32 = 1 << 21;
    const STICKY: u32 = 1 << 20;
    let kind = match mode & 0o170_000 {
        0o040_000 => DIRECTORY,
        0o120_000 => SYMLINK,
        0o060_000 => DEVICE,
        0o020_000 => DEVICE | CHARACTER,
        0o010_000 => PIPE,
        0o140_000 => SOCKET,
        _ => 0,
    };
    let special = [(0o4000, SET_UID), (0o2000, SET_GID), (0o1000, STICKY)];
    let special = special.into_iter().filter(|(bit, _)| mode & bit != 0).fold(0, |all, (_, bit)| all | bit);
    kind | special | (mode & 0o777)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_gos() {
        for (mode, go) in [
            (0o100_644, 420),
            (0o040_755, 2_147_484_141),
            (0o120_777, 134_218_239),
            (0o041_777, 1 << 31 | 1 << 20 | 0o777),
            (0o106_755, 1 << 23 | 1 << 22 | 0o755),
            (0o020_666, 1 << 26 | 1 << 21 | 0o666),
            (0o010_600, 1 << 25 | 0o600),
        ] {
            assert_eq!(go_mode(mode), go, "{mode:o}");
        }
    }

    #[test]
    fn the_document_is_dockers() {
        let found = PathStat {
            name: "f".into(),
            size: 2,
            mode: 0o100_644,
            modified_at: 1_000_000_000_500_000_000,
            link_target: String::new(),
        };
        assert_eq!(
            serde_json::to_string(&stat(&found)).unwrap(),
            r#"{"name":"f","size":2,"mode":420,"mtime":"2001-09-09T01:46:40.5Z","linkTarget":""}"#
        );
    }
}
