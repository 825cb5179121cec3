//! What all `prune` verbs share: flags, the question, the filters, and what is printed in the end.

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::filter::{self, Filter, Filters};
use crate::output::{self, units};

/// The flags of most of them.
#[derive(Debug, clap::Args)]
pub(crate) struct PruneFlags {
    #[arg(
        long,
        value_name = "filter",
        value_parser = filter::parse,
        help = "Provide filter values (e.g. \"until=<timestamp>\")"
    )]
    pub(crate) filter: Vec<Filter>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// What is gone.
#[derive(Debug, Default)]
pub(crate) struct Pruned {
    /// A list with its heading; empty when nothing is gone.
    pub(crate) list: String,
    /// Bytes.
    pub(crate) space: u64,
}

impl Pruned {
    /// A name a line below `heading`.
    pub(crate) fn of(heading: &str, names: Option<&[String]>, space: u64) -> Self {
        match names {
            None | Some([]) => Self::default(),
            Some(names) => Self { list: format!("{heading}:\n{}\n", names.join("\n")), space },
        }
    }

    /// Prints the list, if there is one.
    pub(crate) fn print_list(&self) -> Outcome {
        if self.list.is_empty() { Ok(()) } else { output::line(&self.list) }
    }

    /// Prints the list and how much it was.
    pub(crate) fn print(&self) -> Outcome {
        self.print_list()?;
        print_total(self.space)
    }
}

/// Prints how much was freed.
pub(crate) fn print_total(space: u64) -> Outcome {
    output::line(format!("Total reclaimed space: {}", units::human_size(space as f64, 4)))
}

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
