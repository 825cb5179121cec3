//! Another value for a key that has one.

use super::{Patch, colon, indentation, line_start};
use crate::node::{Node, NodeValue};
use crate::render::{self, Style};

pub(super) fn value(
    text: &str,
    key: &Node,
    old: &Node,
    new: &Node,
    style: Style,
    in_flow: bool,
) -> Vec<Patch> {
    if old.span.is_empty() {
        let at = colon(text, key);
        return vec![Patch { range: at..at, text: format!(" {}", render::flow(new, style)) }];
    }
    let written = &text[old.span.clone()];
    let is_block =
        !in_flow && !written.starts_with(['[', '{']) && !matches!(old.value, NodeValue::Scalar { .. });
    if !is_block {
        return vec![Patch { range: old.span.clone(), text: scalar_as(written, new, style) }];
    }
    if let (NodeValue::List { .. }, NodeValue::List { items }) = (&old.value, &new.value)
        && let Some(indent) = indentation(text, old.span.start)
        && !items.is_empty()
    {
        let style = Style { kind: render::inner_kind(style.kind), ..style };
        let lines: Vec<String> =
            items.iter().map(|item| format!("- {}", render::flow(item, style))).collect();
        return vec![Patch { range: old.span.clone(), text: lines.join(&format!("\n{indent}")) }];
    }
    // Lines of its own become a value in the key's line, before that one's comment.
    let at = colon(text, key);
    let first = line_start(text, old.span.start).saturating_sub(1).max(at);
    vec![
        Patch { range: at..at, text: format!(" {}", render::flow(new, style)) },
        Patch { range: first..old.span.end, text: String::new() },
    ]
}

/// With the quotes that were there.
fn scalar_as(written: &str, new: &Node, style: Style) -> String {
    match &new.value {
        NodeValue::Scalar { text, .. } if !new.is_null() && written.starts_with('"') => render::quoted(text),
        NodeValue::Scalar { text, .. } if !new.is_null() && written.starts_with('\'') => {
            let plain = !text.contains(|c: char| c == '\'' || c.is_control());
            if plain { format!("'{text}'") } else { render::quoted(text) }
        }
        _ => render::flow(new, style),
    }
}
