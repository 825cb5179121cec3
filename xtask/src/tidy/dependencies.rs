//! Dependencies: none that is not used, and a shim that stays small.

use super::Crate;
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::Path;

/// What has no place in a process that every container has one of: async runtimes, HTTP, TLS, API types, a
/// command-line parser.
const NOT_IN_SHIM: [&str; 14] = [
    "async-std",
    "axum",
    "bollard",
    "bollard-stubs",
    "clap",
    "h2",
    "hyper",
    "native-tls",
    "openssl",
    "reqwest",
    "rustls",
    "tokio",
    "tonic",
    "tower",
];

/// Crates that the shim's dependency tree must not hold, but does.
pub(super) fn shim() -> Result<Vec<String>> {
    let mut cargo = crate::dist::cargo();
    // Resolved for this package alone: what the daemon switches on in a shared crate does not count.
    cargo.args(["tree", "--locked", "--package=container-runtime-shim", "--edges=normal", "--prefix=none"]);
    let tree = crate::run::output(&mut cargo)?;
    let inside: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let wrong = NOT_IN_SHIM.iter().filter(|name| inside.contains(**name));
    Ok(wrong.map(|name| format!("container-runtime-shim: must not link {name}")).collect())
}

/// Dependencies whose name no source file of the crate holds.
pub(super) fn unused(crates: &[Crate]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for one in crates {
        let text = source_text(&crate::root().join(&one.directory))?;
        for dependency in &one.dependencies {
            if !names(&text, &dependency.name.replace('-', "_")) {
                let kind = if dependency.development { "dev-dependency" } else { "dependency" };
                problems.push(format!("{}: {kind} {} is not used", one.directory, dependency.name));
            }
        }
    }
    Ok(problems)
}

fn names(text: &str, name: &str) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.match_indices(name).any(|(at, _)| {
        let bytes = text.as_bytes();
        !word(at.checked_sub(1).and_then(|before| bytes.get(before))) && !word(bytes.get(at + name.len()))
    })
}

/// All source of a crate, its manifest too: a feature may forward to a dependency.
fn source_text(directory: &Path) -> Result<String> {
    let mut text = String::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            text.push_str(&source_text(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path)?);
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words() {
        assert!(names("use tower::Layer;", "tower"));
        assert!(!names("use tower_service::Service; my_tower", "tower"));
    }
}
