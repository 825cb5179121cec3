//! `--format` of the verbs that print documents.

use crate::failure::Outcome;
use crate::output::INSPECT_FORMAT_HELP;
use crate::output::document::Inspector;
use crate::output::format::parsing_error;
use crate::template::{Template, Value};

/// `-f`, `--format`. A bad template ends the program with status 64.
#[derive(Debug, clap::Args)]
pub(crate) struct DocumentFormat {
    #[arg(short, long, help = INSPECT_FORMAT_HELP)]
    format: Option<String>,
}

impl DocumentFormat {
    /// For an `inspect`, whose documents are JSON without a template.
    pub(crate) fn inspector(&self) -> Outcome<Inspector> {
        match self.format.as_deref() {
            None | Some("") => Ok(Inspector::Indented),
            Some("json") => Ok(Inspector::Compact),
            Some(text) => parse(text).map(Inspector::Template),
        }
    }

    /// For a verb that has a text of its own without a template.
    pub(crate) fn template(&self) -> Outcome<Option<Template>> {
        match self.format.as_deref() {
            None | Some("") => Ok(None),
            Some("json") => parse("{{json .}}").map(Some),
            Some(text) => parse(text).map(Some),
        }
    }
}

fn parse(text: &str) -> Outcome<Template> {
    Template::parse(text).map_err(|error| parsing_error(&error).with_status(64))
}

/// A document put through a template, as a line.
pub(crate) fn line(template: &Template, document: &Value) -> Outcome<String> {
    let mut text = String::new();
    template.render(document, &mut text).map_err(|error| parsing_error(&error))?;
    Ok(text + "\n")
}
