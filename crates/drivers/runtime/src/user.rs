//! Who a process runs as: user and group names looked up in a container's own `passwd` and `group` texts.
//!
//! The rules are those of Docker and runc: what is a number is an id, also if somebody is named so; the first
//! matching line wins; a name must be found, a number need not be.

use errors::{Class, Classified};

/// A user as the kernel knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// The primary group, then the supplementary ones.
    pub additional_gids: Vec<u32>,
    /// For `HOME`; `/` if `passwd` does not say.
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
    /// The name of an additional group is not in `group`.
    #[error("unable to find group {name}: no matching entries in group file")]
    NoAdditionalGroup {
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
    let mut parts = user.split(':');
    let user_part = parts.next().unwrap_or_default();
    let group_part = parts.next().unwrap_or_default();
    let entry = find_user(user_part, passwd)?;
    let mut supplementary = Vec::new();
    let gid = if group_part.is_empty() {
        supplementary.extend(groups_of(&entry.name, group));
        entry.gid
    } else {
        find_group(group_part, group).ok_or_else(|| UserError::NoGroup { name: group_part.to_owned() })??
    };
    for wanted in groups {
        let found = find_group(wanted, group);
        supplementary.push(found.ok_or_else(|| UserError::NoAdditionalGroup { name: wanted.clone() })??);
    }
    let mut additional_gids = vec![gid];
    for extra in supplementary {
        if !additional_gids.contains(&extra) {
            additional_gids.push(extra);
        }
    }
    let home = if entry.home.is_empty() { "/".to_owned() } else { entry.home };
    Ok(User { uid: entry.uid, gid, additional_gids, home })
}

/// A line of `passwd`, or what stands in for one. `name` is empty if there is none.
#[derive(Default)]
struct Entry {
    name: String,
    uid: u32,
    gid: u32,
    home: String,
}

fn find_user(wanted: &str, passwd: &str) -> Result<Entry, UserError> {
    let number = parse_id(if wanted.is_empty() { "0" } else { wanted });
    let found = lines(passwd).map(passwd_entry).find(|entry| match number {
        Some(Ok(uid)) => entry.uid == uid,
        Some(Err(_)) => false,
        None => entry.name == wanted,
    });
    match (found, number) {
        (Some(entry), _) => Ok(entry),
        (None, Some(number)) => Ok(Entry { uid: number?, ..Entry::default() }),
        (None, None) => Err(UserError::NoUser { name: wanted.to_owned() }),
    }
}

/// None: a name without an entry.
fn find_group(wanted: &str, group: &str) -> Option<Result<u32, UserError>> {
    match parse_id(wanted) {
        Some(number) => Some(number),
        None => lines(group).map(fields).find(|f| f.first() == Some(&wanted)).map(|f| Ok(id(&f, 2))),
    }
}

/// Groups that list this user as a member.
fn groups_of<'a>(user: &'a str, group: &'a str) -> impl Iterator<Item = u32> + 'a {
    lines(group)
        .map(fields)
        .filter(move |f| !user.is_empty() && f.get(3).is_some_and(|list| list.split(',').any(|m| m == user)))
        .map(|f| id(&f, 2))
}

fn passwd_entry(line: &str) -> Entry {
    let fields = fields(line);
    let text = |index: usize| fields.get(index).copied().unwrap_or_default().to_owned();
    Entry { name: text(0), uid: id(&fields, 2), gid: id(&fields, 3), home: text(5) }
}

/// As glibc reads them: blanks around a line, empty lines and comments do not count.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn fields(line: &str) -> Vec<&str> {
    line.split(':').collect()
}

/// A malformed number in a file is 0 there.
fn id(fields: &[&str], index: usize) -> u32 {
    fields.get(index).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// None: not a number, so a name.
fn parse_id(text: &str) -> Option<Result<u32, UserError>> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let id = text.parse::<i32>().ok().and_then(|id| u32::try_from(id).ok());
    Some(id.ok_or_else(|| UserError::OutOfRange { text: text.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
        # a comment\n\
        \n  web:x:33:34:web:/var/www:/bin/false\n\
        1337:x:70:70::/seventy:\n\
        nohome:x:80:80\n\
        twin:x:33:99::/twin:\n";
    const GROUP: &str = "root:x:0:\nadm:x:4:web,root\nwebs:x:34:\nbackup:x:36:web\nbroken\n";

    fn ids(user: &str, groups: &[&str]) -> Result<(u32, u32, Vec<u32>, String), String> {
        let groups: Vec<String> = groups.iter().map(|&g| g.to_owned()).collect();
        resolve(user, &groups, PASSWD, GROUP)
            .map(|u| (u.uid, u.gid, u.additional_gids, u.home))
            .map_err(|e| e.to_string())
    }

    #[test]
    fn users_and_groups_resolve_as_in_docker() {
        type Expected = (u32, u32, &'static [u32], &'static str);
        let cases: [(&str, &[&str], Expected); 13] = [
            ("", &[], (0, 0, &[0, 4], "/root")),
            ("root", &[], (0, 0, &[0, 4], "/root")),
            ("web", &[], (33, 34, &[34, 4, 36], "/var/www")),
            ("33", &[], (33, 34, &[34, 4, 36], "/var/www")),
            ("web:adm", &[], (33, 4, &[4], "/var/www")),
            ("web:", &[], (33, 34, &[34, 4, 36], "/var/www")),
            ("web:7", &[], (33, 7, &[7], "/var/www")),
            (":adm", &[], (0, 4, &[4], "/root")),
            ("1337", &[], (1337, 0, &[0], "/")),
            ("nohome", &[], (80, 80, &[80], "/")),
            ("12345:678", &["9"], (12345, 678, &[678, 9], "/")),
            ("web", &["backup", "webs", "77"], (33, 34, &[34, 4, 36, 77], "/var/www")),
            ("+5", &[], (5, 0, &[0], "/")),
        ];
        for (user, groups, (uid, gid, more, home)) in cases {
            assert_eq!(
                ids(user, groups),
                Ok((uid, gid, more.to_vec(), home.to_owned())),
                "{user} {groups:?}"
            );
        }
    }

    #[test]
    fn failures_read_like_dockers() {
        let cases: [(&str, &[&str], &str); 6] = [
            ("foo", &[], "unable to find user foo: no matching entries in passwd file"),
            ("foo:adm", &[], "unable to find user foo: no matching entries in passwd file"),
            ("web:nope", &[], "unable to find group nope: no matching entries in group file"),
            ("web", &["nope"], "unable to find group nope: no matching entries in group file"),
            ("2147483648", &[], "uids and gids must be in range 0-2147483647"),
            ("-1", &[], "uids and gids must be in range 0-2147483647"),
        ];
        for (user, groups, message) in cases {
            assert_eq!(ids(user, groups), Err(message.to_owned()), "{user} {groups:?}");
        }
    }

    #[test]
    fn an_image_without_files_still_has_numbers() {
        let user = resolve("1000:1000", &[], "", "").unwrap();
        assert_eq!((user.uid, user.gid, user.home.as_str()), (1000, 1000, "/"));
        assert_eq!(resolve("", &[], "", "").unwrap().uid, 0);
        assert!(resolve("web", &[], "", "").is_err());
    }
}
