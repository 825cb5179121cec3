//! The list of all repositories, and pages of lists.

use crate::{Folder, Repositories, RepositoryName, Result};

/// A part of a sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The part.
    pub items: Vec<T>,
    /// Whether more come behind it.
    pub more: bool,
}

impl<T: Ord> Page<T> {
    /// At most `limit` of those behind `after`. Of a limit of zero nothing comes, and nothing behind it.
    pub(crate) fn of(
        mut items: Vec<T>,
        text: impl Fn(&T) -> &str,
        after: Option<&str>,
        limit: Option<usize>,
    ) -> Self {
        items.retain(|item| after.is_none_or(|after| text(item) > after));
        items.sort_unstable();
        let limit = limit.unwrap_or(usize::MAX);
        let more = limit > 0 && items.len() > limit;
        items.truncate(limit);
        Self { items, more }
    }
}

impl Repositories {
    /// Repositories that have a manifest, in the order of their bytes: at most `limit` of those behind `after`.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn catalog(&self, after: Option<&str>, limit: Option<usize>) -> Result<Page<RepositoryName>> {
        let mut names = Vec::new();
        for name in self.storage.repositories().await? {
            if after.is_some_and(|after| name.as_str() <= after) {
                continue;
            }
            let manifests = self.storage.links(&Folder::manifests(&name)).await?;
            if manifests.is_some_and(|manifests| !manifests.is_empty()) {
                names.push(name);
            }
        }
        Ok(Page::of(names, RepositoryName::as_str, after, limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let page = |after, limit| Page::of(vec!["b", "a", "c"], |item| item, after, limit);
        assert_eq!(page(None, None), Page { items: vec!["a", "b", "c"], more: false });
        assert_eq!(page(None, Some(2)), Page { items: vec!["a", "b"], more: true });
        assert_eq!(page(Some("b"), Some(1)), Page { items: vec!["c"], more: false });
        assert_eq!(page(Some("aa"), None).items, ["b", "c"], "the last one may be gone meanwhile");
        assert_eq!(page(None, Some(0)), Page { items: vec![], more: false });
    }
}
