//! Configurations: lists of plugins, or one plugin alone.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A network as its configuration describes it (specification, section 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Its name.
    pub name: String,
    /// The specification's version that plugins are spoken to in.
    pub version: String,
    /// Whether `CHECK` is not to be asked.
    pub unchecked: bool,
    /// What each plugin reads.
    pub plugins: Vec<Value>,
}

/// The configuration of this name, from the first file in the order of their names that has it.
///
/// # Errors
/// [`Error::NoConfiguration`]; [`Error::BadConfiguration`] for a file that has it and makes no sense.
pub fn find(directories: &[PathBuf], name: &str) -> Result<Configuration> {
    let mut files: Vec<PathBuf> = directories.iter().flat_map(|directory| files_of(directory)).collect();
    files.sort_by_key(|path| path.file_name().map(std::ffi::OsStr::to_owned));
    let mut present = BTreeSet::new();
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Ok(document) = serde_json::from_str::<Value>(&text) else { continue };
        if document["name"] == name {
            return read(&document).map_err(|why| Error::BadConfiguration { path, why });
        }
        present.extend(document["name"].as_str().map(str::to_owned));
    }
    let (name, directories) = (name.to_owned(), directories.to_vec());
    Err(Error::NoConfiguration { name, present: present.into_iter().collect(), directories })
}

fn files_of(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let known = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ["conflist", "conf", "json"].iter().any(|one| ending == *one))
    };
    entries.map(|entry| entry.path()).filter(known).collect()
}

fn read(document: &Value) -> Result<Configuration, String> {
    let text = |field: &str| document[field].as_str().map(str::to_owned);
    let name = text("name").ok_or("it has no name")?;
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(letters) {
        return Err(format!("the name {name:?} has other letters than A-Z, a-z, 0-9, '.', '_' and '-'"));
    }
    let version = text("cniVersion").unwrap_or_else(|| "0.1.0".to_owned());
    let plugins = match &document["plugins"] {
        Value::Array(plugins) => plugins.clone(),
        Value::Null => vec![document.clone()],
        _ => return Err("its plugins are no list".to_owned()),
    };
    if plugins.is_empty() {
        return Err("it has no plugins".to_owned());
    }
    // A type is a file's name in the plugins' directory and nothing else.
    let named = |plugin: &Value| {
        plugin["type"].as_str().is_some_and(|kind| !kind.is_empty() && kind != ".." && !kind.contains('/'))
    };
    if !plugins.iter().all(named) {
        return Err("a plugin has no type, or one that is no program's name".to_owned());
    }
    Ok(Configuration { name, version, unchecked: document["disableCheck"] == true, plugins })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_that_has_the_name_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| std::fs::write(dir.path().join(file), text).unwrap();
        write("10-b.conf", r#"{"cniVersion": "1.0.0", "name": "b", "type": "bridge"}"#);
        write("20-b.conflist", r#"{"cniVersion": "0.4.0", "name": "b", "plugins": []}"#);
        write("05.json", "{");
        write("30-c.conflist", r#"{"name": "c", "plugins": []}"#);
        write("40-d.conflist", r#"{"name": "d", "plugins": [{"type": "../sh"}]}"#);
        write("00-e.txt", r#"{"name": "e", "type": "x"}"#);
        let directories = [dir.path().to_owned()];
        let found = find(&directories, "b").unwrap();
        assert_eq!((found.version.as_str(), found.plugins.len()), ("1.0.0", 1));
        for (name, text) in [
            ("c", "it has no plugins"),
            ("d", "no program's name"),
            ("e", "no CNI configuration \"e\""),
            ("e", "where there are b, c, d"),
        ] {
            let said = find(&directories, name).unwrap_err().to_string();
            assert!(said.contains(text), "{said}");
        }
        let nowhere = [dir.path().join("nope")];
        assert!(find(&nowhere, "b").unwrap_err().to_string().ends_with("where there is none"));
    }
}
