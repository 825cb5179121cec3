//! Which host ids stand for a container's, where it has a user namespace of its own.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Maps of a user namespace. Written `0:100000:65536/0:100000:65536`: user ids, a slash, group ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IdMaps {
    /// User ids.
    pub uids: Vec<IdMap>,
    /// Group ids.
    pub gids: Vec<IdMap>,
}

/// A run of mapped ids. Written `container:host:size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    /// First id in the container.
    pub container: u32,
    /// First id on the host.
    pub host: u32,
    /// How many.
    pub size: u32,
}

impl IdMaps {
    /// User and group on the host of what belongs to these in the container; ids that no run has stay what they are,
    /// and belong to nobody in the container.
    pub fn on_host(&self, uid: u32, gid: u32) -> (u32, u32) {
        (on_host(&self.uids, uid), on_host(&self.gids, gid))
    }

    /// The way back: user and group in the container of what belongs to these on the host. Others stay what they are.
    pub fn in_container(&self, uid: u32, gid: u32) -> (u32, u32) {
        (in_container(&self.uids, uid), in_container(&self.gids, gid))
    }

    /// User and group on the host of the container's root.
    pub fn root(&self) -> (u32, u32) {
        self.on_host(0, 0)
    }
}

fn on_host(maps: &[IdMap], id: u32) -> u32 {
    let map = maps.iter().find(|map| id.checked_sub(map.container).is_some_and(|at| at < map.size));
    map.map_or(id, |map| map.host.saturating_add(id - map.container))
}

fn in_container(maps: &[IdMap], id: u32) -> u32 {
    let map = maps.iter().find(|map| id.checked_sub(map.host).is_some_and(|at| at < map.size));
    map.map_or(id, |map| map.container.saturating_add(id - map.host))
}

/// Runs as `container:host:size`, separated by commas.
pub fn id_map_list(maps: &[IdMap]) -> String {
    let texts: Vec<String> =
        maps.iter().map(|map| format!("{}:{}:{}", map.container, map.host, map.size)).collect();
    texts.join(",")
}

/// A text that no [`IdMaps`] is written as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' are no maps of ids")]
pub struct BadIdMaps {
    /// What was given.
    pub text: String,
}

impl fmt::Display for IdMaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", id_map_list(&self.uids), id_map_list(&self.gids))
    }
}

impl FromStr for IdMaps {
    type Err = BadIdMaps;

    fn from_str(text: &str) -> Result<Self, BadIdMaps> {
        let parsed = || {
            let (uids, gids) = text.split_once('/')?;
            Some(Self { uids: list(uids)?, gids: list(gids)? })
        };
        parsed().ok_or_else(|| BadIdMaps { text: text.to_owned() })
    }
}

fn list(text: &str) -> Option<Vec<IdMap>> {
    let one = |text: &str| {
        let mut numbers = text.split(':').map(|number| number.parse().ok());
        let (container, host, size) = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(IdMap { container, host, size })
    };
    text.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_their_run() {
        let maps: IdMaps = "0:100000:1000,1000:300000:10/0:200000:65536".parse().unwrap();
        assert_eq!(maps.root(), (100_000, 200_000));
        assert_eq!(maps.on_host(1009, 5), (300_009, 200_005));
        assert_eq!(maps.on_host(1010, 65_536), (1010, 65_536));
        assert_eq!(maps.in_container(300_009, 200_005), (1009, 5));
        assert_eq!(maps.in_container(1010, 65_536), (1010, 65_536));
    }

    #[test]
    fn texts_are_read_as_they_were_written() {
        let text = "0:100000:1000,1000:300000:10/0:200000:65536";
        assert_eq!(text.parse::<IdMaps>().unwrap().to_string(), text);
        for bad in ["", "0:1:2", "0:1/0:1:2", "0:1:2:3/0:1:2", "a:1:2/0:1:2", "/"] {
            assert!(bad.parse::<IdMaps>().is_err(), "{bad}");
        }
    }
}
