//! Manifests: every version, and everything that crates have in common, stands once, in the root.

use super::Crate;
use anyhow::{Context as _, Result};
use std::path::Path;
use toml::{Table, Value};

const PACKAGE_KEYS: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

/// The one crate with lints of its own, because it may hold `unsafe`.
const OWN_LINTS: &str = "crates/host/sys";

pub(super) fn problems(root: &Path, crates: &[Crate]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let workspace: Table = std::fs::read_to_string(root.join("Cargo.toml"))?.parse()?;
    for one in crates {
        let path = root.join(&one.directory).join("Cargo.toml");
        let manifest: Table =
            std::fs::read_to_string(&path)?.parse().with_context(|| format!("parse {}", path.display()))?;
        let found = check(&manifest, one.directory == OWN_LINTS, stands_in(&workspace, &one.name));
        problems.extend(found.into_iter().map(|problem| format!("{}/Cargo.toml: {problem}", one.directory)));
    }
    problems.extend(unused(&workspace, crates));
    Ok(problems)
}

/// Whether a crate takes the place of a foreign one: then it has that one's version.
fn stands_in(workspace: &Table, name: &str) -> bool {
    let patched = workspace.get("patch").and_then(|patch| patch.get("crates-io"));
    patched.and_then(|patched| patched.get(name)).is_some()
}

fn check(manifest: &Table, own_lints: bool, own_version: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let package = manifest.get("package");
    for key in PACKAGE_KEYS.into_iter().filter(|key| !(own_version && *key == "version")) {
        if !package.and_then(|package| package.get(key)).is_some_and(of_workspace) {
            problems.push(format!("write {key}.workspace = true"));
        }
    }
    if !own_lints && !manifest.get("lints").is_some_and(of_workspace) {
        problems.push("write [lints] workspace = true".to_owned());
    }
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let dependencies = manifest.get(kind).and_then(Value::as_table).into_iter().flatten();
        for (name, value) in dependencies {
            // A crate may name itself in its tests, with a feature.
            let itself = value.get("path").and_then(Value::as_str) == Some(".");
            if !of_workspace(value) && !itself {
                problems.push(format!("{kind}.{name}: its version belongs into the workspace's Cargo.toml"));
            }
        }
    }
    problems
}

fn of_workspace(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// Versions that nobody asks for.
fn unused(root: &Table, crates: &[Crate]) -> Vec<String> {
    let offered = root.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let used = |name: &String| {
        crates.iter().flat_map(|one| &one.dependencies).any(|dependency| dependency.name == *name)
    };
    let ours = |name: &String| crates.iter().any(|one| one.name == *name);
    let offered = offered.and_then(Value::as_table).into_iter().flat_map(|table| table.keys());
    let unused = offered.filter(|name| !used(name) && !ours(name));
    unused.map(|name| format!("Cargo.toml: no crate uses workspace.dependencies.{name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_inherited_is_named() {
        let manifest = "[package]\nname = 'a'\nversion = '1'\nedition.workspace = true\nrust-version.workspace = true
            license.workspace = true\npublish.workspace = true\n[dependencies]\nlibc = '0.2'\nserde.workspace = true
            [dev-dependencies]\na = { path = '.', features = ['x'] }"
            .parse()
            .unwrap();
        let expected = [
            "write version.workspace = true",
            "write [lints] workspace = true",
            "dependencies.libc: its version belongs into the workspace's Cargo.toml",
        ];
        assert_eq!(check(&manifest, false, false), expected);
    }
}
