//! Go's `text/template`, as far as `--format` reaches: what users type after `docker … --format`.
//!
//! The published crate for this (gtmpl 0.7) keeps objects in a hash map, so that `{{json .}}` and `range` come out
//! in random order, has no `break`/`continue`, and words its errors in its own way. Documents here keep the
//! order they were received in, and messages are Go's, because scripts and tests read both.

mod exec;
mod functions;
mod lexer;
mod parse;
mod printf;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use value::{HIDDEN, Kind, Method, Value};

use parse::Node;

/// A parsed template.
#[derive(Debug)]
pub(crate) struct Template {
    text: String,
    nodes: Vec<Node>,
}

/// Why a template is wrong or cannot be applied, in the words of Go's package.
#[derive(Debug, thiserror::Error)]
#[error("template: :{0}")]
pub(crate) struct TemplateError(pub(crate) String);

impl Template {
    /// Parses `text`.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { text: text.to_owned(), nodes: parse::parse(text)? })
    }

    /// Applies it to `dot`, appending to `out`.
    pub(crate) fn render(&self, dot: &Value, out: &mut String) -> Result<(), TemplateError> {
        exec::execute(&self.text, &self.nodes, dot, functions::Set::Values, out)
    }

    /// Applies it to the titles of a table's columns: functions that change case or cut leave titles whole.
    pub(crate) fn render_titles(&self, dot: &Value, out: &mut String) -> Result<(), TemplateError> {
        exec::execute(&self.text, &self.nodes, dot, functions::Set::Titles, out)
    }

    /// Whether the template mentions the field `name` anywhere.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        parse::mentions(&self.nodes, name)
    }

    /// Whether what comes of it can depend on the field `name`: others need not be there.
    pub(crate) fn may_show(&self, name: &str) -> bool {
        parse::may_show(&self.nodes, name)
    }
}
