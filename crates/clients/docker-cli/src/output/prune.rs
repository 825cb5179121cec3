//! What all `prune` verbs share.

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::filter::{self, Filter, Filters};

pub(crate) const FILTER_HELP: &str = "Provide filter values (e.g. \"until=<timestamp>\")";

/// Asks unless forced; a no ends the verb.
pub(crate) fn ask(force: bool, warning: &str) -> Outcome {
    if force || super::confirm(&format!("WARNING! {warning}\nAre you sure you want to continue?"))? {
        return Ok(());
    }
    // Docker ends quietly: that nothing happened is what was asked for.
    Err(Failure::status(0))
}

/// The filters of the command line, with those that docker's configuration adds to every prune.
pub(crate) fn filters(app: &App, given: &[Filter]) -> Filters {
    let mut filters = Filters::new(given);
    for text in &app.config().prune_filters {
        let Ok(filter) = filter::parse(text) else { continue };
        // What the command line says of a label beats the configuration.
        if !filters.conflicts_with(&filter) {
            filters.insert(&filter);
        }
    }
    filters
}
