//! The page that describes every key, made from the table.

use crate::effective::Effective;
use crate::{Change, Key, KeyPath, SECTIONS, keys};
use std::fmt::Write;

const HEAD: &str = include_str!("reference.md");

/// The whole page, in Markdown.
pub fn reference() -> String {
    let defaults = Effective::defaults();
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        let of = |key: &&Key| key.path.split('.').next() == Some(section);
        let _ = write!(page, "\n## {section}\n\n");
        if keys().find(of).is_none() {
            page.push_str("There is nothing to choose yet.\n");
            continue;
        }
        page.push_str("| key | value | default | changes work | |\n|---|---|---|---|---|\n");
        for key in keys().filter(of) {
            let default = default_of(key, &defaults);
            let (kind, about) = (cell(&key.kind.to_string()), cell(key.about));
            let change = match key.change {
                Change::Restart => "after a restart".to_owned(),
                other => other.to_string(),
            };
            let _ = writeln!(page, "| `{}` | {kind} | {default} | {change} | {about} |", key.path);
        }
    }
    page
}

fn default_of(key: &Key, defaults: &Effective) -> String {
    if let Some(absent) = key.absent {
        return cell(absent);
    }
    match defaults.get(&KeyPath::dotted(key.path)).map(|entry| &entry.value) {
        Some(serde_json::Value::Array(items)) if !items.is_empty() => {
            let items: Vec<String> =
                items.iter().map(|item| format!("`{}`", item.as_str().unwrap_or_default())).collect();
            items.join(", ")
        }
        Some(serde_json::Value::Array(_)) | None => "none".to_owned(),
        Some(serde_json::Value::String(text)) => format!("`{text}`"),
        Some(value) => format!("`{value}`"),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_page_in_the_documentation_is_this_one() {
        let page = include_str!("../../../../docs/configuration.md");
        assert!(
            page == reference(),
            "write it anew: container-runtime config reference > docs/configuration.md"
        );
    }

    /// Every leaf of the defaults is in the table, and nothing else is.
    #[test]
    fn the_table_has_every_key_that_the_types_have() {
        fn leaves(value: &Value, path: &KeyPath, found: &mut Vec<String>) {
            match value {
                Value::Object(entries) if !entries.is_empty() => {
                    entries.iter().for_each(|(name, value)| leaves(value, &path.child(name), found));
                }
                _ => found.push(path.to_string()),
            }
        }
        let mut settings = crate::Settings::default();
        settings.registry.serve.tls = Some(crate::ServeTls::default());
        settings.runtime.runtimes.insert("*".to_owned(), crate::RuntimeEntry::default());
        let mut found = Vec::new();
        leaves(&serde_json::to_value(&settings).unwrap(), &KeyPath::root(), &mut found);
        found.retain(|path| path != "metrics");
        found.sort();
        let mut known: Vec<String> = keys().map(|key| key.path.to_owned()).collect();
        known.sort();
        assert_eq!(known, found);
    }

    #[test]
    fn what_may_be_absent_is_what_has_no_default() {
        let defaults = Effective::defaults();
        for key in keys().filter(|key| !key.path.contains('*') && !key.path.contains(".tls.")) {
            let default = defaults.get(&KeyPath::dotted(key.path)).map(|entry| entry.value.is_null());
            assert_eq!(key.absent.is_some(), default == Some(true), "{}", key.path);
        }
    }
}
