//! The verbs of contexts, one file each. The store is docker's own; making contexts is left to docker.

pub(crate) mod inspect;
pub(crate) mod ls;
pub(crate) mod show;
pub(crate) mod use_;
