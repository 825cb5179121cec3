//! Licences: everything that is linked comes under terms from a short list.

use super::{list, text};
use anyhow::Result;
use serde_json::Value;

const ALLOWED: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
];

/// Crates that are looked at one by one, and why they may stay.
const KNOWN: [(&str, &str); 2] = [
    ("pathrs", "MPL-2.0, of libcontainer: used unmodified, and the terms stop at its files"),
    ("rust-criu", "MIT, of libcontainer: says so in its LICENSE file only"),
];

pub(super) fn problems() -> Result<Vec<String>> {
    let metadata = super::metadata(&["--filter-platform=x86_64-unknown-linux-gnu"])?;
    let foreign = list(&metadata["packages"]).filter(|package| !package["source"].is_null());
    let wrong = foreign.filter(|package| !is_allowed(package));
    Ok(wrong
        .map(|package| {
            let (name, version) = (text(&package["name"]), text(&package["version"]));
            format!("{name} {version}: licence {} is not on the list", package["license"])
        })
        .collect())
}

fn is_allowed(package: &Value) -> bool {
    let known = KNOWN.iter().any(|(name, _)| package["name"] == *name);
    known || package["license"].as_str().is_some_and(satisfied)
}

/// Whether an SPDX expression can be met with licences of the list. The old way of writing `OR` is `/`.
fn satisfied(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    any(&mut rest) && rest.is_empty()
}

fn any(words: &mut &[&str]) -> bool {
    let mut met = all(words);
    while words.first() == Some(&"OR") {
        *words = &words[1..];
        met |= all(words);
    }
    met
}

fn all(words: &mut &[&str]) -> bool {
    let mut met = one(words);
    while words.first() == Some(&"AND") {
        *words = &words[1..];
        met &= one(words);
    }
    met
}

fn one(words: &mut &[&str]) -> bool {
    match **words {
        ["(", ..] => {
            *words = &words[1..];
            let met = any(words);
            let closed = words.first() == Some(&")");
            *words = words.get(1..).unwrap_or(&[]);
            met && closed
        }
        [licence, "WITH", exception, ..] => {
            *words = &words[3..];
            ALLOWED.contains(&format!("{licence} WITH {exception}").as_str())
        }
        [licence, ..] => {
            *words = &words[1..];
            ALLOWED.contains(&licence)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_or_not() {
        for good in
            ["MIT", "MIT/GPL-3.0", "(MIT OR GPL-2.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]
        {
            assert!(satisfied(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "MPL-2.0", "(MIT", "", "GPL-2.0 WITH X OR LGPL-3.0"] {
            assert!(!satisfied(bad), "{bad}");
        }
    }
}
