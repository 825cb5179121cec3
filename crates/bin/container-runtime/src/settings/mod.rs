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
mod yaml;
