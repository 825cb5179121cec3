//! What keeps the workspace in shape, as one list of complaints: run as `cargo xtask tidy` and as a test.

mod dependencies;
mod floors;
mod licences;
mod manifests;
mod modules;

use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::BTreeSet;

/// All complaints, one a line; none: all is well.
pub(crate) fn problems() -> Result<Vec<String>> {
    let root = crate::root();
    let crates = workspace(&metadata(&["--no-deps"])?)?;
    let architecture = std::fs::read_to_string(root.join("docs/ARCHITECTURE.md"))?;
    let mut problems = floors::problems(&crates, &architecture);
    problems.extend(manifests::problems(&root, &crates)?);
    problems.extend(modules::problems(&root)?);
    problems.extend(dependencies::unused(&crates)?);
    problems.extend(dependencies::shim()?);
    problems.extend(licences::problems()?);
    Ok(problems)
}

/// What `cargo metadata` says.
pub(crate) fn metadata(arguments: &[&str]) -> Result<Value> {
    let mut cargo = crate::dist::cargo();
    cargo.args(["metadata", "--format-version=1", "--locked"]).args(arguments);
    serde_json::from_str(&crate::run::output(&mut cargo)?).context("parse cargo metadata")
}

/// A crate of ours.
#[derive(Debug)]
struct Crate {
    name: String,
    /// Of its manifest, relative to the root: `crates/types/ids`.
    directory: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug)]
struct Dependency {
    name: String,
    /// Only for tests.
    development: bool,
}

fn workspace(metadata: &Value) -> Result<Vec<Crate>> {
    let root = metadata["workspace_root"].as_str().context("workspace_root")?;
    let members: BTreeSet<_> = list(&metadata["workspace_members"]).filter_map(Value::as_str).collect();
    let packages = list(&metadata["packages"]);
    let ours = packages.filter(|package| package["id"].as_str().is_some_and(|id| members.contains(id)));
    ours.map(|package| {
        let manifest = package["manifest_path"].as_str().context("manifest_path")?;
        let relative = manifest.strip_prefix(root).unwrap_or(manifest).trim_start_matches('/');
        Ok(Crate {
            name: text(&package["name"]),
            directory: relative.trim_end_matches("/Cargo.toml").to_owned(),
            dependencies: list(&package["dependencies"]).map(dependency).collect(),
        })
    })
    .collect()
}

fn dependency(value: &Value) -> Dependency {
    Dependency { name: text(&value["name"]), development: value["kind"] == "dev" }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        let problems = super::problems().unwrap();
        assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
    }
}
