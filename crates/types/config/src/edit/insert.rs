//! A key where there was none.

use super::{Patch, colon, indentation, line_end};
use crate::node::{Node, NodeValue};
use crate::render::{self, Style};

/// Into a text that holds comments at most.
pub(super) fn into_nothing(text: &str, path: &[String], value: &Node, style: Style) -> Vec<Patch> {
    // Before an explicit end of the document it would be no part of it; such a text is refused by what checks the outcome.
    let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    vec![at(text.len(), format!("{newline}{}", render::lines(path, value, "", style)))]
}

/// Below a key that has no value: `network:`.
pub(super) fn into_null(
    text: &str,
    key: &Node,
    null: &Node,
    path: &[String],
    value: &Node,
    style: Style,
) -> Vec<Patch> {
    match indentation(text, key.span.start) {
        Some(indent) if null.span.is_empty() && !style.json => {
            let indent = format!("{indent}  ");
            below_line(text, colon(text, key), &render::lines(path, value, &indent, style))
        }
        _ => {
            let space = if null.span.is_empty() { " " } else { "" };
            let start = if null.span.is_empty() { colon(text, key) } else { null.span.start };
            let text = format!("{space}{{{}}}", render::nested(path, value, style));
            vec![Patch { range: start..null.span.end.max(start), text }]
        }
    }
}

/// Behind the last line of a section.
pub(super) fn into_block(
    text: &str,
    section: &Node,
    path: &[String],
    value: &Node,
    style: Style,
) -> Vec<Patch> {
    let NodeValue::Map { entries, .. } = &section.value else { return Vec::new() };
    let first = entries.first().map_or(section.span.start, |(key, _)| key.span.start);
    let indent = indentation(text, first).unwrap_or_default();
    below_line(text, section.span.end, &render::lines(path, value, indent, style))
}

/// Behind the last entry in braces.
pub(super) fn into_flow(
    text: &str,
    section: &Node,
    path: &[String],
    value: &Node,
    style: Style,
) -> Vec<Patch> {
    let NodeValue::Map { entries, .. } = &section.value else { return Vec::new() };
    let written = render::nested(path, value, style);
    let Some((key, last)) = entries.last() else {
        return vec![at(section.span.start + 1, written)];
    };
    let end = last.span.end.max(key.span.end);
    let before = match indentation(text, key.span.start).filter(|_| text[..key.span.start].contains('\n')) {
        Some(indent) => format!("\n{indent}"),
        None => " ".to_owned(),
    };
    let rest = &text[end..section.span.end];
    if rest.trim_start().starts_with(',') {
        let comma = end + rest.find(',').unwrap_or_default() + 1;
        return vec![at(comma, format!("{before}{written}"))];
    }
    vec![at(end, format!(",{before}{written}"))]
}

fn below_line(text: &str, at_byte: usize, lines: &str) -> Vec<Patch> {
    let end = line_end(text, at_byte);
    if end == text.len() { vec![at(end, format!("\n{lines}"))] } else { vec![at(end + 1, lines.to_owned())] }
}

fn at(byte: usize, text: String) -> Patch {
    Patch { range: byte..byte, text }
}
