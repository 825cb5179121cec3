//! Which containers have a volume, and which of them run.

use std::collections::BTreeSet;

/// The containers of one volume, by their full ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Users {
    /// That have it in their configuration.
    references: BTreeSet<String>,
    /// That run, or are about to.
    mounted: BTreeSet<String>,
}

impl Users {
    pub(crate) fn reference(&mut self, container: &str) {
        self.references.insert(container.to_owned());
    }

    pub(crate) fn release(&mut self, container: &str) {
        self.references.remove(container);
        self.mounted.remove(container);
    }

    pub(crate) fn mount(&mut self, container: &str) {
        self.reference(container);
        self.mounted.insert(container.to_owned());
    }

    pub(crate) fn unmount(&mut self, container: &str) {
        self.mounted.remove(container);
    }

    pub(crate) fn is_mounted(&self) -> bool {
        !self.mounted.is_empty()
    }

    /// Whether a container other than this one runs with it.
    pub(crate) fn is_mounted_by_others(&self, container: &str) -> bool {
        self.mounted.iter().any(|other| other != container)
    }

    /// Whoever keeps the volume from being removed.
    pub(crate) fn containers(&self) -> Vec<String> {
        self.references.union(&self.mounted).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_counts_once_and_a_run_is_a_reference_too() {
        let mut users = Users::default();
        users.mount("a");
        users.mount("a");
        users.reference("b");
        assert_eq!(users.containers(), ["a", "b"]);
        assert!(users.is_mounted() && !users.is_mounted_by_others("a") && users.is_mounted_by_others("b"));
        users.unmount("a");
        assert!(!users.is_mounted());
        users.release("a");
        users.release("absent");
        assert_eq!(users.containers(), ["b"]);
        users.mount("b");
        users.release("b");
        assert!(users.containers().is_empty() && !users.is_mounted());
    }
}
