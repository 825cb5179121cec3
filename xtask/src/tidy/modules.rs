//! Modules: each begins with a sentence on what it is for, and none is a collection of leftovers.

use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};

/// Names that say nothing about what is inside.
const NAMELESS: [&str; 5] = ["utils.rs", "util.rs", "common.rs", "helpers.rs", "misc.rs"];

pub(super) fn problems(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for top in ["crates", "tests", "xtask"] {
        for path in sources(&root.join(top))? {
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            let text = std::fs::read_to_string(&path).with_context(|| shown.clone())?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !says_what_for(&text) {
                problems.push(format!("{shown}: begin with `//!` and what the module is for"));
            }
            if NAMELESS.contains(&&*name) {
                problems.push(format!("{shown}: name the module after its subject"));
            }
        }
    }
    Ok(problems)
}

/// Whether the first line is a comment on the module, and more than a placeholder.
fn says_what_for(text: &str) -> bool {
    let line = text.strip_prefix("//!").and_then(|rest| rest.lines().next()).unwrap_or_default().trim();
    line.len() > 3 && !line.starts_with("TBD") && !line.starts_with("TODO")
}

fn sources(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_no_sentence() {
        assert!(says_what_for("//! Names of things.\nuse x;"));
        assert!(!says_what_for("//! TBD\n"));
        assert!(!says_what_for("use x;\n"));
        assert!(!says_what_for("//!\n//! Later."));
    }
}
