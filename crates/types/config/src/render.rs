//! Values as text: the one writer of YAML, for edits and for what is shown.

use crate::KeyPath;
use crate::key::{Kind, kind_of};
use crate::node::{Node, NodeValue};
use crate::value::node_of;
use serde_json::Value;
use std::fmt::Write;

/// How a text is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// As JSON, with everything in quotes.
    pub(crate) json: bool,
    /// Of what is written.
    pub(crate) kind: Kind,
}

/// A key with its value for a person to read.
#[derive(Debug, Clone)]
pub struct Line {
    /// The key.
    pub path: KeyPath,
    /// Its value; null: it is absent.
    pub value: Value,
    /// Behind a `#`.
    pub comment: Option<String>,
}

/// Settings as YAML, a line a value, below headings for their sections. They come sorted by section.
pub fn listing(lines: &[Line]) -> String {
    let (mut text, mut open): (String, &[String]) = (String::new(), &[]);
    for Line { path, value, comment } in lines {
        let Some((name, sections)) = path.parts().split_last() else { continue };
        let style = Style { json: false, kind: kind_of(path) };
        let common = sections.iter().zip(open).take_while(|(one, other)| one == other).count();
        for (depth, section) in sections.iter().enumerate().skip(common) {
            let _ = writeln!(text, "{}{}:", "  ".repeat(depth), key(section, style));
        }
        open = sections;
        let comment = comment.as_ref().map(|comment| format!("  # {comment}")).unwrap_or_default();
        let indent = "  ".repeat(sections.len());
        let _ = writeln!(text, "{indent}{}: {}{comment}", key(name, style), flow(&node_of(value), style));
    }
    text
}

/// A value in one line, as [`value_of`](crate::value_of) reads it.
pub fn word_of(node: &Node) -> String {
    match &node.value {
        NodeValue::Scalar { text, .. } => text.clone(),
        _ => flow(node, Style { json: true, kind: Kind::Text }),
    }
}

/// In one line.
pub(crate) fn flow(node: &Node, style: Style) -> String {
    let inner = Style { kind: inner_kind(style.kind), ..style };
    match &node.value {
        NodeValue::Scalar { .. } if node.is_null() => "null".to_owned(),
        NodeValue::Scalar { text, .. } => scalar(text, style),
        NodeValue::List { items } => {
            let items: Vec<String> = items.iter().map(|item| flow(item, inner)).collect();
            format!("[{}]", items.join(", "))
        }
        NodeValue::Map { entries, .. } => {
            let entry = |(name, value): &(Node, Node)| {
                format!("{}: {}", key(name.text().unwrap_or_default(), style), flow(value, inner))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A chain of names, the last with the value, in one line.
pub(crate) fn nested(path: &[String], value: &Node, style: Style) -> String {
    match path {
        [] => flow(value, style),
        [last] => format!("{}: {}", key(last, style), flow(value, style)),
        [first, rest @ ..] => format!("{}: {{{}}}", key(first, style), nested(rest, value, style)),
    }
}

/// The same in lines of their own.
pub(crate) fn lines(path: &[String], value: &Node, indent: &str, style: Style) -> String {
    match path {
        [] => String::new(),
        [last] => format!("{indent}{}: {}\n", key(last, style), flow(value, style)),
        [first, rest @ ..] => {
            format!("{indent}{}:\n{}", key(first, style), lines(rest, value, &format!("{indent}  "), style))
        }
    }
}

pub(crate) fn key(name: &str, style: Style) -> String {
    if style.json || !is_safe(name) || means_else(name) { quoted(name) } else { name.to_owned() }
}

pub(crate) fn scalar(text: &str, style: Style) -> String {
    let is_text = match style.kind {
        Kind::Bool | Kind::Number(..) | Kind::Seconds(_) => false,
        Kind::Bytes => !text.bytes().all(|byte| byte.is_ascii_digit()),
        _ => true,
    };
    let quotes = is_text && (style.json || means_else(text) || !is_safe(text));
    if quotes || (!is_text && !is_safe(text)) { quoted(text) } else { text.to_owned() }
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What the lists and maps of this kind hold.
pub(crate) fn inner_kind(kind: Kind) -> Kind {
    match kind {
        Kind::List(kind) | Kind::Map(kind) => *kind,
        Kind::Mirrors => Kind::Text,
        other => other,
    }
}

/// Whether it stands for itself without quotes, in braces too.
fn is_safe(text: &str) -> bool {
    let first = text.chars().next();
    let begins = first.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_'));
    let good = |c: char| c.is_ascii_alphanumeric() || "/._-+=@:".contains(c);
    // A colon at the end makes a key of it.
    begins && text.chars().all(good) && !text.ends_with(':')
}

/// Whether other readers of YAML take it for a number, a date, a truth or nothing.
fn means_else(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    WORDS.contains(&text.to_ascii_lowercase().as_str())
        || text.parse::<f64>().is_ok()
        || text.starts_with("0x")
        || text.starts_with("0o")
        || text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let line = |path: &str, value: Value| Line {
            path: KeyPath::dotted(path),
            value,
            comment: Some("default".to_owned()),
        };
        let lines = [
            line("runtime.labels", json!(["a=b", "c # d", "true"])),
            line("runtime.root_dir", json!("/x y")),
            line("runtime.autostart", json!(false)),
            line("runtime.init_path", json!(null)),
            line("runtime.cgroup_parent", json!("007")),
            line("network.mtu", json!(1400)),
            line("network.ip_range", json!("10.0.0.0/8")),
            line("storage.gc.images.min_age", json!(5)),
            line("storage.gc.interval", json!(7)),
        ];
        let written = listing(&lines);
        assert!(
            written.contains("storage:\n  gc:\n    images:\n      min_age: 5  # default\n    interval: 7"),
            "{written}"
        );
        let read = crate::from_file("x", &written, false).and_then(|layer| crate::Effective::of([layer]));
        let effective =
            read.unwrap_or_else(|problems| panic!("{}\n{written}", crate::problems_text(&problems)));
        for Line { path, value, .. } in lines {
            assert_eq!(effective.get(&path).unwrap().value, value, "{written}");
        }
    }

    #[test]
    fn a_word_is_read_as_the_same() {
        for (key, said) in [
            ("runtime.labels", r#"["a,b", "c"]"#),
            ("logging.options", r#"{"max-size": "8k"}"#),
            ("network.mtu", "1400"),
        ] {
            let node = crate::value_of(&KeyPath::dotted(key), said).unwrap();
            assert_eq!(word_of(&node), said);
        }
    }
}
