//! What somebody wants to do to what, also as text: `repository:a/b:pull,push`.

use repositories::RepositoryName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A thing that can be allowed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Delete,
    Pull,
    Push,
    /// All that can be done.
    #[serde(rename = "*")]
    All,
}

/// What it is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resource {
    Repository(RepositoryName),
    Catalog,
}

/// Actions on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) resource: Resource,
    pub(crate) actions: BTreeSet<Action>,
}

impl Action {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Pull => "pull",
            Self::Push => "push",
            Self::All => "*",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Delete, Self::Pull, Self::Push, Self::All].into_iter().find(|action| action.as_str() == text)
    }
}

impl Resource {
    /// Its type and name, as tokens have them.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Repository(name) => ("repository", name.as_str()),
            Self::Catalog => ("registry", "catalog"),
        }
    }
}

impl Scope {
    pub(crate) fn repository(name: &RepositoryName, actions: &[Action]) -> Self {
        Self { resource: Resource::Repository(name.clone()), actions: actions.iter().copied().collect() }
    }

    pub(crate) fn catalog() -> Self {
        Self { resource: Resource::Catalog, actions: [Action::All].into() }
    }

    /// Reads one; none for resources that there are not. Actions that there are not are left out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        let resource = match kind {
            // Docker's `repository(plugin)` is stored like any other.
            "repository" | "repository(plugin)" => Resource::Repository(name.parse().ok()?),
            "registry" if name == "catalog" => Resource::Catalog,
            _ => return None,
        };
        Some(Self { resource, actions: actions.split(',').filter_map(Action::parse).collect() })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = self.resource.parts();
        let actions: Vec<_> = self.actions.iter().map(|action| action.as_str()).collect();
        write!(f, "{kind}:{name}:{}", actions.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_text_and_back() {
        for text in ["repository:a/b:pull", "repository:a:delete,pull,push", "registry:catalog:*"] {
            assert_eq!(Scope::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Scope::parse("repository:a:pull,fly").unwrap().to_string(), "repository:a:pull");
        for bad in ["", "repository", "repository:a", "repository:A:pull", "registry:x:*", "host:a:pull"] {
            assert!(Scope::parse(bad).is_none(), "{bad}");
        }
    }
}
