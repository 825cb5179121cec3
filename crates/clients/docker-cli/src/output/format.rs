//! `--format`: which template is meant, and rows put through it.

use super::columns;
use crate::failure::{Failure, Outcome};
use crate::template::{Kind, Method, Template, TemplateError, Value};
use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The templates a noun has when the user gives none, or only a keyword.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defaults {
    /// For no format and for `table`.
    pub(crate) table: &'static str,
    /// For `-q`.
    pub(crate) quiet: &'static str,
    /// For `raw`.
    pub(crate) raw: &'static str,
    /// For `raw` with `-q`.
    pub(crate) raw_quiet: &'static str,
    /// Whether `-q` beats a template of the user's own: so with containers, not with other nouns.
    pub(crate) quiet_wins: bool,
}

/// A chosen template.
#[derive(Debug)]
pub(crate) struct Format {
    template: Template,
    table: bool,
}

/// The template of `--format`, else that of docker's configuration, which `-q` sets aside.
pub(crate) fn given_or_configured<'a>(given: Option<&'a str>, quiet: bool, configured: &'a str) -> &'a str {
    match given {
        None | Some("") if quiet => "",
        None | Some("") => configured,
        Some(given) => given,
    }
}

impl Format {
    /// Chooses by docker's rules; `table`, `raw` and `json` are keywords.
    pub(crate) fn choose(source: &str, quiet: bool, defaults: &Defaults) -> Outcome<Self> {
        let text = match (source, quiet) {
            ("" | "table", true) => defaults.quiet,
            ("" | "table", false) => defaults.table,
            ("raw", true) => defaults.raw_quiet,
            ("raw", false) => defaults.raw,
            (_, true) if defaults.quiet_wins => defaults.quiet,
            (source, _) => source,
        };
        Self::parse(text)
    }

    /// Reads a format: `table …`, `json`, or a template, in which `\t` and `\n` may be typed as such.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let table = text.starts_with("table");
        let body = match text {
            "json" => "{{json .}}",
            text => text.strip_prefix("table").unwrap_or(text),
        };
        let body = body.trim_matches(' ').replace("\\t", "\t").replace("\\n", "\n");
        Ok(Self { template: Template::parse(&body).map_err(|error| parsing_error(&error))?, table })
    }

    /// Whether the template asks for that field.
    pub(crate) fn mentions(&self, field: &str) -> bool {
        self.template.mentions(field)
    }

    /// Whether a row needs that field.
    pub(crate) fn may_show(&self, field: &str) -> bool {
        self.template.may_show(field)
    }

    /// All rows, below their titles when it is a table.
    pub(crate) fn rows(
        &self,
        titles: &[(&'static str, &'static str)],
        rows: impl IntoIterator<Item: Borrow<Value>>,
    ) -> Outcome<String> {
        let mut out = String::new();
        if self.table {
            // Titles may lack what a row has: print as much as there is, as docker does.
            self.template.render_titles(&title_row(titles), &mut out).ok();
            out.push('\n');
        }
        for row in rows {
            self.template.render(row.borrow(), &mut out).map_err(|error| parsing_error(&error))?;
            out.push('\n');
        }
        Ok(if self.table { columns::align(&out) } else { out })
    }
}

/// `docker`'s wording for any failure of a template.
pub(crate) fn parsing_error(error: &TemplateError) -> Failure {
    Failure::new(format!("template parsing error: {error}"))
}

fn title_row(titles: &[(&'static str, &'static str)]) -> Value {
    let mut fields: Vec<(Cow<'static, str>, Value)> =
        titles.iter().map(|(field, title)| ((*field).into(), Value::from(*title))).collect();
    // The title of `.Label "com.example.some-name"` is `some name`.
    let label = Method(Rc::new(|name: &str| {
        let last = name.rsplit('.').next().unwrap_or(name);
        Value::Str(last.replace(['-', '_'], " "))
    }));
    fields.push(("Label".into(), Value::Method(label)));
    Value::Object(Kind::Struct("formatter.SubHeaderContext"), fields)
}

/// `.Label "name"` over a row's labels.
pub(crate) fn label_method(labels: BTreeMap<String, String>) -> Value {
    Value::Method(Method(Rc::new(move |name| Value::from(labels.get(name).map_or("", String::as_str)))))
}

/// `a=1,b=2`, sorted.
pub(crate) fn labels_text<'l>(labels: impl IntoIterator<Item = (&'l String, &'l String)>) -> String {
    let mut pairs: Vec<String> = labels.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.sort();
    pairs.join(",")
}
