//! What a change came to, in lines.

use serde_json::Value;
use std::fmt::Write;

/// A line a key, then what a person should know.
pub(super) fn text(outcome: &Value) -> String {
    let mut text = String::new();
    let list = |name: &str| outcome[name].as_array().cloned().unwrap_or_default();
    let changes = list("Changes");
    for change in &changes {
        let field = |name: &str| change[name].as_str().unwrap_or_default();
        let _ = writeln!(
            text,
            "{}: {} -> {} ({})",
            field("Key"),
            value(&change["From"]),
            value(&change["To"]),
            field("Works")
        );
    }
    if changes.is_empty() {
        text.push_str("Nothing has changed.\n");
    }
    for note in list("Notes") {
        let _ = writeln!(text, "Note: {}", note.as_str().unwrap_or_default());
    }
    if changes.iter().any(|change| change["NeedsRestart"] == true) {
        text.push_str("Restart the daemon for the rest; containers go on meanwhile.\n");
    }
    text
}

/// A value in one line.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => "(absent)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
