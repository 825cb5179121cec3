//! What is known of a key: its type, what it means, when a change of it works.

use crate::KeyPath;
use std::fmt;

/// A key, or with `*` in its path all keys of that shape.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// `network.ip_range`; `*` stands for any name.
    pub path: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// What it means, in a sentence or two.
    pub about: &'static str,
    /// When a change works.
    pub change: Change,
    /// Whether it may be absent: then the text says what that means.
    pub absent: Option<&'static str>,
}

/// When a change of a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// At once.
    Now,
    /// At once, for what comes into being from then on, such as `networks`.
    New(&'static str),
    /// Once the daemon is started again.
    Restart,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("at once"),
            Self::New(what) => write!(f, "at once, for new {what}"),
            Self::Restart => f.write_str("when the daemon is restarted"),
        }
    }
}

/// What may stand at a key.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number, both ends among those allowed.
    Number(u64, u64),
    /// A whole number of seconds, this or more.
    Seconds(u64),
    /// A number of bytes, or of KiB, MiB, GiB, TiB with that behind it.
    Bytes,
    /// Any text.
    Text,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A path that begins with a slash.
    Path,
    /// A program: a path that begins with a slash, or a name to look for in `PATH`.
    Program,
    /// An IPv4 subnet, as `172.30.0.0/16`.
    Subnet,
    /// An address of either family.
    Address,
    /// An address and a port.
    Listen,
    /// Any number of these.
    List(&'static Kind),
    /// Any number of these, each with a name.
    Map(&'static Kind),
    /// Lists of URLs by registry; a list alone is that of names without a registry.
    Mirrors,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("true or false"),
            Self::Number(least, u64::MAX) => write!(f, "a whole number, {least} or more"),
            Self::Number(least, most) => write!(f, "a whole number from {least} to {most}"),
            Self::Seconds(0) => f.write_str("a whole number of seconds, as 3600 for an hour"),
            Self::Seconds(least) => write!(f, "a whole number of seconds, {least} or more"),
            Self::Bytes => f.write_str("a number of bytes, or one with k, m, g or t behind it, as 20g"),
            Self::Text => f.write_str("a text"),
            Self::Choice(values) => f.write_str(&one_of(values)),
            Self::Path => f.write_str("a path that begins with /"),
            Self::Program => f.write_str("a path that begins with /, or the name of a program"),
            Self::Subnet => f.write_str("an IPv4 subnet, as 172.30.0.0/16"),
            Self::Address => f.write_str("an IP address, as 192.0.2.1"),
            Self::Listen => f.write_str("an address and a port, as 127.0.0.1:5000"),
            Self::List(kind) => write!(f, "a list, each {kind}"),
            Self::Map(kind) => write!(f, "names, each with {kind}"),
            Self::Mirrors => f.write_str("a list of URLs, or such lists by registry"),
        }
    }
}

/// `a, b or c`.
pub(crate) fn one_of(values: &[&str]) -> String {
    match values {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

impl Key {
    /// A key that is always there and works after a restart.
    pub(crate) const fn new(path: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { path, kind, about, change: Change::Restart, absent: None }
    }

    /// It may be absent, which means `absent`.
    pub(crate) const fn or(mut self, absent: &'static str) -> Self {
        self.absent = Some(absent);
        self
    }

    pub(crate) const fn now(mut self) -> Self {
        self.change = Change::Now;
        self
    }

    pub(crate) const fn new_ones(mut self, what: &'static str) -> Self {
        self.change = Change::New(what);
        self
    }

    /// Whether its values have names of their own below it, which may be set one by one.
    pub(crate) fn has_names(&self) -> bool {
        matches!(self.kind, Kind::Map(_) | Kind::Mirrors)
    }

    /// What stands at each of its names.
    pub(crate) fn named_kind(&self) -> Kind {
        match self.kind {
            Kind::Map(kind) => *kind,
            Kind::Mirrors => Kind::List(&Kind::Text),
            other => other,
        }
    }

    fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('.')
    }

    /// Whether the path is this key's, without a name below it.
    fn is(&self, path: &[String]) -> bool {
        self.parts().count() == path.len() && matches(self.parts(), path)
    }

    fn is_below(&self, path: &[String]) -> bool {
        self.parts().count() > path.len() && matches(self.parts(), path)
    }
}

fn matches<'a>(pattern: impl Iterator<Item = &'a str>, path: &[String]) -> bool {
    pattern.zip(path).all(|(wanted, part)| wanted == "*" || wanted == part)
}

/// What stands at a path.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found {
    /// A value.
    Key(&'static Key),
    /// A name below a key whose values have names.
    Named(&'static Key),
    /// Further keys.
    Section,
    /// Nothing.
    Unknown,
}

impl Found {
    /// What may stand there; none: no value.
    pub(crate) fn kind(self) -> Option<Kind> {
        match self {
            Self::Key(key) => Some(key.kind),
            Self::Named(key) => Some(key.named_kind()),
            Self::Section | Self::Unknown => None,
        }
    }

    /// Whether a value there may be taken away: one with a name goes with it.
    pub(crate) fn may_be_absent(self) -> bool {
        match self {
            Self::Key(key) => key.absent.is_some(),
            Self::Named(_) => true,
            Self::Section | Self::Unknown => false,
        }
    }
}

/// Looks a path up in the table of all keys.
pub(crate) fn find(path: &KeyPath) -> Found {
    let parts = path.parts();
    if let Some(key) = crate::keys().find(|key| key.is(parts)) {
        return Found::Key(key);
    }
    if let Some((_, above)) = parts.split_last()
        && let Some(key) = crate::keys().find(|key| key.has_names() && key.is(above))
    {
        return Found::Named(key);
    }
    if parts.is_empty()
        || crate::SECTIONS.contains(&path.to_string().as_str())
        || crate::keys().any(|key| key.is_below(parts))
    {
        return Found::Section;
    }
    Found::Unknown
}

/// What may stand at a path; none: further keys.
///
/// # Errors
/// Says that nothing may, and which key may be meant.
pub fn kind_at(path: &KeyPath) -> Result<Option<Kind>, String> {
    match find(path) {
        Found::Unknown => Err(crate::layer::unknown(path)),
        found => Ok(found.kind()),
    }
}

/// What may stand at a path; where nothing may, a text.
pub(crate) fn kind_of(path: &KeyPath) -> Kind {
    find(path).kind().unwrap_or(Kind::Text)
}

/// The key that a path belongs to.
pub fn key_of(path: &KeyPath) -> Option<&'static Key> {
    match find(path) {
        Found::Key(key) | Found::Named(key) => Some(key),
        Found::Section | Found::Unknown => None,
    }
}

/// The names that a section knows, in the table's order; `*` if it takes any.
pub(crate) fn names_in(path: &KeyPath) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    let sections = crate::SECTIONS.iter().copied().filter(|_| path.parts().is_empty());
    let below = crate::keys().filter(|key| key.is_below(path.parts()));
    for name in below.filter_map(|key| key.parts().nth(path.parts().len())).chain(sections) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The key that somebody who wrote `path` has probably meant.
pub(crate) fn meant(path: &KeyPath) -> Option<String> {
    let (last, above) = path.parts().split_last()?;
    let section = KeyPath::of(above);
    let prefix = if above.is_empty() { String::new() } else { format!("{section}.") };
    let near = crate::nearest::nearest(last, names_in(&section).into_iter().filter(|name| *name != "*"));
    if let Some(name) = near {
        return Some(format!("{prefix}{name}"));
    }
    // The right word in the wrong place.
    let ends = |key: &&Key| key.path.rsplit('.').next() == Some(last);
    let elsewhere = crate::keys().find(ends).map(|key| key.path.to_owned());
    elsewhere.or_else(|| {
        let whole = path.to_string();
        crate::nearest::nearest(&whole, crate::keys().map(|key| key.path)).map(str::to_owned)
    })
}
