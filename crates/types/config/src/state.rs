//! `state`: where the engine has its records.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where the engine has its records: of containers, images, networks, volumes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct State {
    /// What holds them.
    pub driver: StateDriver,
    /// Which etcd, if one does.
    pub etcd: Etcd,
}

/// What holds the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateDriver {
    /// One file in the root directory.
    #[default]
    Redb,
    /// A directory of JSON files there.
    File,
    /// An etcd.
    Etcd,
}

impl StateDriver {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Redb, Self::File, Self::Etcd];

    /// As it is written in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redb => "redb",
            Self::File => "file",
            Self::Etcd => "etcd",
        }
    }
}

impl std::str::FromStr for StateDriver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|driver| driver.as_str() == text);
        found.ok_or_else(|| format!("'{text}' is none of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// An etcd, 3.4 or later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Etcd {
    /// URLs of its members, as `http://127.0.0.1:2379`.
    pub endpoints: Vec<String>,
    /// What the keys of this engine's records begin with; each engine needs its own.
    pub prefix: String,
    /// PEM file of the authorities that its certificates are of; none: those of this machine.
    pub authority: Option<PathBuf>,
    /// PEM file of the certificate that the engine shows.
    pub certificate: Option<PathBuf>,
    /// PEM file of its key.
    pub key: Option<PathBuf>,
    /// User, if it wants one.
    pub user: Option<String>,
    /// File whose first line is the user's password.
    pub password_file: Option<PathBuf>,
}

impl Default for Etcd {
    fn default() -> Self {
        Self {
            endpoints: vec!["http://127.0.0.1:2379".to_owned()],
            prefix: "container-runtime".to_owned(),
            authority: None,
            certificate: None,
            key: None,
            user: None,
            password_file: None,
        }
    }
}
