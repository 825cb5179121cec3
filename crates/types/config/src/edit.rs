//! Changes one value in a text and nothing else: comments, order and everybody's way of writing stay.

mod insert;
mod replace;

use crate::key::kind_of;
use crate::node::{self, Document, Node, NodeValue, Unreadable};
use crate::render::Style;
use crate::{KeyPath, parse};
use std::fmt;
use std::ops::Range;

/// Why a text was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditError {
    /// It can't be read.
    Unreadable(Unreadable),
    /// What the key would have to stand in is a value.
    NotASection {
        /// What is one.
        path: KeyPath,
    },
    /// The key stands in an alias, or in something else where a change would change more than it.
    Entangled {
        /// The key.
        path: KeyPath,
    },
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "{}:{}: {}", error.line, error.column, error.message),
            Self::NotASection { path } => write!(
                f,
                "{path} has a value in the file, where a section would have to be: change the file by hand"
            ),
            Self::Entangled { path } => {
                write!(f, "{path} can't be changed without changing more of the file: change it by hand")
            }
        }
    }
}

impl std::error::Error for EditError {}

/// A part of a text, and what comes in its place.
#[derive(Debug)]
pub(crate) struct Patch {
    range: Range<usize>,
    text: String,
}

/// The text with `path` set to `value`. What was there before is read again and compared: else it is refused.
///
/// # Errors
/// See [`EditError`]; the text is to stay as it is then.
pub fn edit(text: &str, path: &KeyPath, value: &Node) -> Result<String, EditError> {
    let old = parse(text).map_err(EditError::Unreadable)?;
    let json = matches!(&old.root, Some(Node { value: NodeValue::Map { flow: true, .. }, .. }));
    let style = Style { json, kind: kind_of(path) };
    let patches = patches(text, &old, path, value, style)?;
    let mut new = text.to_owned();
    // From the end: what comes before keeps its place.
    for patch in patches.iter().rev() {
        new.replace_range(patch.range.clone(), &patch.text);
    }
    if !is_only(&old, text, &new, path, value, &patches) {
        return Err(EditError::Entangled { path: path.clone() });
    }
    Ok(new)
}

fn patches(
    text: &str,
    old: &Document,
    path: &KeyPath,
    value: &Node,
    style: Style,
) -> Result<Vec<Patch>, EditError> {
    let Some(root) = &old.root else { return Ok(insert::into_nothing(text, path.parts(), value, style)) };
    let (mut place, mut above) = (root, None);
    for (depth, part) in path.parts().iter().enumerate() {
        let NodeValue::Map { entries, flow } = &place.value else {
            return match above {
                // `network:` and nothing below it.
                Some((key, _)) if place.is_null() => {
                    Ok(insert::into_null(text, key, place, &path.parts()[depth..], value, style))
                }
                _ => Err(EditError::NotASection { path: KeyPath::of(&path.parts()[..depth]) }),
            };
        };
        match entries.iter().find(|(key, _)| key.text() == Some(part)) {
            Some((key, found)) => (place, above) = (found, Some((key, *flow))),
            None if *flow => return Ok(insert::into_flow(text, place, &path.parts()[depth..], value, style)),
            None => return Ok(insert::into_block(text, place, &path.parts()[depth..], value, style)),
        }
    }
    let Some((key, in_flow)) = above else { return Err(EditError::Entangled { path: path.clone() }) };
    Ok(replace::value(text, key, place, value, Style { json: style.json, ..style }, in_flow))
}

/// Whether the new text says what the old one does with this change, and has the old one's comments.
fn is_only(old: &Document, text: &str, new: &str, path: &KeyPath, value: &Node, patches: &[Patch]) -> bool {
    let Ok(read) = parse(new) else { return false };
    let Some(root) = &read.root else { return false };
    let expected = with(old.root.as_ref(), path.parts(), value);
    let gone = |comment: &Range<usize>| {
        patches.iter().any(|patch| patch.range.start <= comment.start && comment.end <= patch.range.end)
    };
    let kept: Vec<&str> =
        old.comments.iter().filter(|comment| !gone(comment)).map(|comment| &text[comment.clone()]).collect();
    let now: Vec<&str> = read.comments.iter().map(|comment| &new[comment.clone()]).collect();
    root.says_what(&expected) && kept == now
}

fn with(node: Option<&Node>, path: &[String], value: &Node) -> Node {
    let Some((first, rest)) = path.split_first() else { return value.clone() };
    let mut entries = match node.map(|node| &node.value) {
        Some(NodeValue::Map { entries, .. }) => entries.clone(),
        _ => Vec::new(),
    };
    match entries.iter_mut().find(|(key, _)| key.text() == Some(first)) {
        Some((_, below)) => *below = with(Some(below), rest, value),
        None => {
            let key = NodeValue::Scalar { text: first.clone(), plain: false };
            entries.push((Node { value: key, ..value.clone() }, with(None, rest, value)));
        }
    }
    Node { value: NodeValue::Map { entries, flow: false }, ..value.clone() }
}

/// Where the line that holds this byte begins.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Where it ends, without the line break.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline)
}

/// The white space before this byte, if there is nothing else in its line.
fn indentation(text: &str, at: usize) -> Option<&str> {
    let before = &text[line_start(text, at)..at];
    before.chars().all(char::is_whitespace).then_some(before)
}

/// Where the value of a key begins if it is the next thing.
fn colon(text: &str, key: &Node) -> usize {
    node::colon_after(text, key.span.end)
}

#[cfg(test)]
mod tests;
