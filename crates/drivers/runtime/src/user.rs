//! Who a process runs as: user and group names looked up in a container's own `passwd` and `group` texts.

use errors::{Class, Classified};

/// A user as the kernel knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Supplementary groups, ascending, without the primary one unless it was asked for.
    pub additional_gids: Vec<u32>,
    /// For `HOME`.
    pub home: String,
}

/// Why a user or group is unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// The name is not in `passwd`.
    #[error("unable to find user {name}: no matching entries in passwd file")]
    NoUser {
        /// As asked for.
        name: String,
    },
    /// The name is not in `group`.
    #[error("unable to find group {name}: no matching entries in group file")]
    NoGroup {
        /// As asked for.
        name: String,
    },
    /// A number outside the kernel's.
    #[error("uids and gids must be in range 0-2147483647")]
    OutOfRange {
        /// As asked for.
        text: String,
    },
}

impl Classified for UserError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

/// Finds `user` (`name`, `uid`, `name:group`, `uid:gid`; empty: root) and `groups` (names or ids) in the two texts,
/// which are empty where the files are missing.
pub fn resolve(user: &str, groups: &[String], passwd: &str, group: &str) -> Result<User, UserError> {
    let _ = (user, groups, passwd, group);
    todo!()
}
