//! Settings as YAML, a line a value: lists and maps in brackets.

use serde_json::Value;
use std::fmt::Write;

/// A key for a person to read.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Its parts.
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    /// Behind a `#`.
    pub(super) comment: Option<String>,
}

/// The lines below headings for their sections. They come sorted by section.
pub(super) fn text(lines: &[Line]) -> String {
    let (mut text, mut open): (String, &[String]) = (String::new(), &[]);
    for line in lines {
        let Some((name, sections)) = line.path.split_last() else { continue };
        let common = sections.iter().zip(open).take_while(|(one, other)| one == other).count();
        for (depth, section) in sections.iter().enumerate().skip(common) {
            let _ = writeln!(text, "{}{}:", "  ".repeat(depth), word(section));
        }
        open = sections;
        let comment = line.comment.as_ref().map(|comment| format!("  # {comment}")).unwrap_or_default();
        let _ =
            writeln!(text, "{}{}: {}{comment}", "  ".repeat(sections.len()), word(name), flow(&line.value));
    }
    text
}

/// JSON is YAML; what is clear without quotes has none.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => word(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let means_else =
        matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    if begins && text.chars().all(plain) && !means_else {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let line = |path: &str, value: Value| Line {
            path: path.split('.').map(str::to_owned).collect(),
            value,
            comment: Some("default".to_owned()),
        };
        let lines = [
            line("runtime.labels", json!(["a=b", "c # d", "true"])),
            line("runtime.root_dir", json!("/x y")),
            line("network.mtu", json!(1400)),
            line("network.ip_range", json!("10.0.0.0/8")),
            line("storage.gc.images.min_age", json!(5)),
            line("storage.gc.interval", json!(7)),
        ];
        let written = text(&lines);
        assert!(
            written.contains("storage:\n  gc:\n    images:\n      min_age: 5  # default\n    interval: 7"),
            "{written}"
        );
        let read = config::from_file("x", &written, false).and_then(|layer| config::Effective::of([layer]));
        let settings = read
            .unwrap_or_else(|problems| panic!("{}\n{written}", config::problems_text(&problems)))
            .settings;
        assert_eq!(settings.runtime.labels, ["a=b", "c # d", "true"]);
        assert_eq!(settings.runtime.root_dir.to_str(), Some("/x y"));
        assert_eq!((settings.storage.gc.interval, settings.storage.gc.images.min_age), (7, 5));
    }
}
