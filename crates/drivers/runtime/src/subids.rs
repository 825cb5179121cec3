//! Whose subordinate ids containers run as: `user[:group]` looked up in `/etc/passwd`, `/etc/group`, `/etc/subuid` and
//! `/etc/subgid` (`subuid(5)`), which are read as texts.

use errors::{Class, Classified};
use spec::{IdMap, IdMaps};

/// The user that `default` stands for.
pub const DEFAULT_USER: &str = "container-remap";

/// Most runs that the kernel takes (`user_namespaces(7)`).
const MOST_RUNS: usize = 340;

/// The four files.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// `/etc/passwd`.
    pub passwd: String,
    /// `/etc/group`.
    pub group: String,
    /// `/etc/subuid`.
    pub subuid: String,
    /// `/etc/subgid`.
    pub subgid: String,
}

/// Why there are no ids for containers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubIdError {
    /// Not `user`, `user:group`, `uid`, `uid:gid`.
    #[error("invalid userns-remap specification {text:?}: it is user[:group], or default")]
    Form {
        /// As given.
        text: String,
    },
    /// No such user.
    #[error(
        "userns-remap: there is no user {name} in /etc/passwd; make it with: useradd --system --user-group --no-create-home --shell /usr/sbin/nologin {name}"
    )]
    NoUser {
        /// Its name.
        name: String,
    },
    /// No such group.
    #[error("userns-remap: there is no group {name} in /etc/group")]
    NoGroup {
        /// Its name or number.
        name: String,
    },
    /// A user without subordinate ids.
    #[error("userns-remap: no subordinate ids for {name} in {file}; add the line {name}:{suggestion}:65536")]
    NoRange {
        /// User or group.
        name: String,
        /// Which file lacks it.
        file: &'static str,
        /// The first id that no other has there.
        suggestion: u32,
    },
    /// A line that means nothing, or nothing good.
    #[error("userns-remap: {file}: the line {line:?} {problem}")]
    Range {
        /// Which file.
        file: &'static str,
        /// The line.
        line: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Classified for SubIdError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

/// The maps for `wanted`; none for root, whose containers keep the host's ids.
///
/// As with Docker, the groups' ids are those that the file of groups has for the user; only where it has none, and a
/// group was named, those of the group.
pub fn id_maps(wanted: &str, files: &Files) -> Result<Option<IdMaps>, SubIdError> {
    let wanted = if wanted == "default" { DEFAULT_USER } else { wanted };
    let mut parts = wanted.split(':');
    let (user, group) = (parts.next().unwrap_or_default(), parts.next());
    if user.is_empty() || group == Some("") || parts.next().is_some() {
        return Err(SubIdError::Form { text: wanted.to_owned() });
    }
    let user =
        Owner::find(user, &files.passwd).ok_or_else(|| SubIdError::NoUser { name: user.to_owned() })?;
    let group = group
        .map(|name| {
            let found = Owner::find(name, &files.group);
            found.ok_or_else(|| SubIdError::NoGroup { name: name.to_owned() })
        })
        .transpose()?;
    if user.id == "0" {
        return Ok(None);
    }
    let uids = ranges("/etc/subuid", &files.subuid, &user)?;
    let gids = match (ranges("/etc/subgid", &files.subgid, &user), group) {
        (Err(SubIdError::NoRange { .. }), Some(group)) => ranges("/etc/subgid", &files.subgid, &group)?,
        (gids, _) => gids?,
    };
    Ok(Some(IdMaps { uids, gids }))
}

/// A user or group by the two names that it has in the files of subordinate ids.
#[derive(Debug)]
struct Owner {
    name: String,
    id: String,
}

impl Owner {
    /// In `passwd(5)` or `group(5)`: both have the name first and the number third. A number needs no line.
    fn find(wanted: &str, text: &str) -> Option<Self> {
        let number = wanted.parse::<u32>().ok().map(|number| number.to_string());
        let found = text.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, id) = (fields.next()?, fields.nth(1)?);
            let matches = number.as_ref().map_or(name == wanted, |number| id == number);
            matches.then(|| Self { name: name.to_owned(), id: id.to_owned() })
        });
        found.or_else(|| number.map(|number| Self { name: number.clone(), id: number }))
    }
}

/// All runs of an owner, one after the other from 0 in the container.
fn ranges(file: &'static str, text: &str, owner: &Owner) -> Result<Vec<IdMap>, SubIdError> {
    let mut maps: Vec<IdMap> = Vec::new();
    let mut container = 0_u32;
    for line in lines(text) {
        let bad = |problem| SubIdError::Range { file, line: line.to_owned(), problem };
        let name = line.split(':').next().unwrap_or_default();
        if name != owner.name && name != owner.id {
            continue;
        }
        let (host, size) = range(line).ok_or_else(|| bad("is not name:first:count"))?;
        let end = host.checked_add(size).ok_or_else(|| bad("goes beyond the largest id"))?;
        if host == 0 {
            return Err(bad("has the host's root among its ids"));
        }
        if maps.iter().any(|other| host < other.host + other.size && other.host < end) {
            return Err(bad("has ids that another line of the same owner has"));
        }
        if maps.len() == MOST_RUNS {
            return Err(bad("is one more than the kernel takes"));
        }
        maps.push(IdMap { container, host, size });
        container = container.checked_add(size).ok_or_else(|| bad("goes beyond the largest id"))?;
    }
    if maps.is_empty() {
        let name = owner.name.clone();
        return Err(SubIdError::NoRange { name, file, suggestion: first_free(text) });
    }
    Ok(maps)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn range(line: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':').skip(1);
    let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    (fields.next().is_none() && count > 0).then_some((first, count))
}

/// Behind everything that anybody has, not below what Debian begins with.
fn first_free(text: &str) -> u32 {
    let ends = lines(text).filter_map(range).map(|(first, count)| first.saturating_add(count));
    ends.max().unwrap_or(0).max(100_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(subuid: &str, subgid: &str) -> Files {
        Files {
            passwd: "root:x:0:0::/:/bin/sh\nweb:x:1000:1001::/:/bin/sh\ncontainer-remap:x:990:990::/:\n"
                .into(),
            group: "root:x:0:\nweb:x:1001:\nops:x:27:\n".into(),
            subuid: subuid.into(),
            subgid: subgid.into(),
        }
    }

    fn maps(wanted: &str, subuid: &str, subgid: &str) -> Result<String, String> {
        let maps = id_maps(wanted, &files(subuid, subgid)).map_err(|error| error.to_string())?;
        Ok(maps.map_or_else(|| "none".to_owned(), |maps| maps.to_string()))
    }

    #[test]
    fn ranges_are_found_by_name_and_by_number() {
        let (subuid, subgid) = ("other:1:2\nweb:100000:65536\n", "1000:200000:65536\n");
        for wanted in ["web", "1000", "web:web", "1000:1001", "web:ops"] {
            assert_eq!(maps(wanted, subuid, subgid).unwrap(), "0:100000:65536/0:200000:65536", "{wanted}");
        }
        let ours = "container-remap:5000000:65536";
        assert_eq!(maps("default", ours, ours).unwrap(), "0:5000000:65536/0:5000000:65536");
        assert_eq!(maps("4711", "4711:7:8", "4711:9:8").unwrap(), "0:7:8/0:9:8");
    }

    #[test]
    fn several_ranges_follow_each_other_in_the_container() {
        let text = "# comment\nweb:300000:10\n\nweb:100000:65536\n";
        assert_eq!(maps("web", text, "web:1:1").unwrap(), "0:300000:10,10:100000:65536/0:1:1");
    }

    #[test]
    fn a_groups_own_ranges_serve_where_the_user_has_none() {
        assert_eq!(maps("web:ops", "web:1000:10", "ops:2000:10").unwrap(), "0:1000:10/0:2000:10");
    }

    #[test]
    fn root_keeps_the_hosts_ids() {
        assert_eq!(maps("root", "", "").unwrap(), "none");
        assert_eq!(maps("0:0", "", "").unwrap(), "none");
    }

    #[test]
    fn what_is_missing_is_named_with_the_line_to_add() {
        let full = "web:100000:65536\nother:165536:65536\n";
        let missing = maps("default", full, full).unwrap_err();
        assert!(missing.ends_with("in /etc/subuid; add the line container-remap:231072:65536"), "{missing}");
        let missing = maps("web", full, "").unwrap_err();
        assert!(missing.ends_with("in /etc/subgid; add the line web:100000:65536"), "{missing}");
        assert!(maps("nobody", full, full).unwrap_err().contains("useradd --system"));
        assert!(maps("web:nogroup", full, full).unwrap_err().contains("no group nogroup"));
    }

    #[test]
    fn nonsense_is_refused() {
        for wanted in ["", ":", "web:", ":web", "web:web:web"] {
            assert!(
                maps(wanted, "web:1:2", "web:1:2").unwrap_err().contains("invalid userns-remap"),
                "{wanted}"
            );
        }
        for (line, problem) in [
            ("web:1", "is not name:first:count"),
            ("web:1:0", "is not name:first:count"),
            ("web:-1:5", "is not name:first:count"),
            ("web:0:65536", "the host's root"),
            ("web:4294967295:2", "beyond the largest id"),
            ("web:10:10\nweb:15:10", "another line"),
        ] {
            let said = maps("web", line, "web:1:2").unwrap_err();
            assert!(said.contains(problem), "{said}");
        }
    }
}
