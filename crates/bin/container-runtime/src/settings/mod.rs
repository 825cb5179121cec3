//! `config …`: the settings, for people.

pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod reference;
pub(crate) mod reload;
pub(crate) mod set;
pub(crate) mod show;
pub(crate) mod validate;

mod ask;
mod outcome;

/// What may follow a verb, for completion.
pub(crate) fn words(path: &[&str]) -> Vec<&'static str> {
    match path {
        ["config", "get" | "set"] => {
            config::keys().map(|key| key.path).filter(|path| !path.contains('*')).collect()
        }
        _ => Vec::new(),
    }
}
