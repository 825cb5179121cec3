//! Values as text.

use super::Style;
use crate::key::Kind;
use crate::node::{Node, NodeValue};

/// In one line.
pub(super) fn flow(node: &Node, style: Style) -> String {
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
pub(super) fn nested(path: &[String], value: &Node, style: Style) -> String {
    match path {
        [] => flow(value, style),
        [last] => format!("{}: {}", key(last, style), flow(value, style)),
        [first, rest @ ..] => format!("{}: {{{}}}", key(first, style), nested(rest, value, style)),
    }
}

/// The same in lines of their own.
pub(super) fn lines(path: &[String], value: &Node, indent: &str, style: Style) -> String {
    match path {
        [] => String::new(),
        [last] => format!("{indent}{}: {}\n", key(last, style), flow(value, style)),
        [first, rest @ ..] => {
            format!("{indent}{}:\n{}", key(first, style), lines(rest, value, &format!("{indent}  "), style))
        }
    }
}

pub(super) fn key(name: &str, style: Style) -> String {
    if style.json || !is_safe(name) || means_else(name) { quoted(name) } else { name.to_owned() }
}

pub(super) fn scalar(text: &str, style: Style) -> String {
    let is_text = match style.kind {
        Kind::Bool | Kind::Number(..) | Kind::Seconds(_) => false,
        Kind::Bytes => !text.bytes().all(|byte| byte.is_ascii_digit()),
        _ => true,
    };
    let quotes = is_text && (style.json || means_else(text) || !is_safe(text));
    if quotes || (!is_text && !is_safe(text)) { quoted(text) } else { text.to_owned() }
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What the lists and maps of this kind hold.
pub(super) fn inner_kind(kind: Kind) -> Kind {
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
