//! Who may call whom: down to a lower floor, never up; on the same floor only where `docs/ARCHITECTURE.md` lists it.

use super::Crate;
use std::collections::{BTreeMap, BTreeSet};

/// From the bottom. `crates/engine` is a floor of one crate.
const FLOORS: [&str; 8] = ["types", "host", "drivers", "services", "engine", "servers", "clients", "bin"];

/// The one floor that sees nothing between itself and the bottom: a client is as far from the engine's insides as
/// anybody else's program.
const CLIENTS: &str = "clients";

pub(super) fn problems(crates: &[Crate], architecture: &str) -> Vec<String> {
    let floors: BTreeMap<&str, &str> =
        crates.iter().filter_map(|one| Some((one.name.as_str(), floor(&one.directory)?))).collect();
    let listed = edges(architecture);
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for one in crates {
        let Some(from) = floors.get(one.name.as_str()) else {
            if !matches!(one.directory.as_str(), "tests" | "tests/fixtures" | "tests/probes" | "xtask") {
                problems.push(format!("{}: not on a floor ({})", one.directory, FLOORS.join(", ")));
            }
            continue;
        };
        for dependency in &one.dependencies {
            let Some(to) = floors.get(dependency.name.as_str()) else { continue };
            let edge = (one.name.as_str(), dependency.name.as_str());
            used.insert(edge);
            if edge.0 != edge.1 && !may(from, to) && !(from == to && listed.contains(&edge)) {
                problems.push(format!(
                    "{} ({from}) must not depend on {} ({to}): only on lower floors, or listed in docs/ARCHITECTURE.md",
                    edge.0, edge.1
                ));
            }
        }
        if !architecture.contains(&format!("`{}`", one.name)) {
            problems.push(format!("docs/ARCHITECTURE.md does not mention `{}`", one.name));
        }
    }
    let stale = listed.difference(&used);
    problems.extend(
        stale.map(|(from, to)| format!("docs/ARCHITECTURE.md lists {from} -> {to}, which is not so")),
    );
    problems
}

fn may(from: &str, to: &str) -> bool {
    let level = |floor: &str| FLOORS.iter().position(|known| *known == floor);
    match from {
        CLIENTS => to == "types",
        _ => level(to) < level(from),
    }
}

fn floor(directory: &str) -> Option<&'static str> {
    let name = directory.strip_prefix("crates/")?.split('/').next()?;
    FLOORS.into_iter().find(|floor| *floor == name)
}

/// Lines `from -> to` of the code blocks marked `edges`.
fn edges(architecture: &str) -> BTreeSet<(&str, &str)> {
    let blocks = architecture.split("```edges\n").skip(1);
    let lines = blocks.filter_map(|block| block.split("```").next()).flat_map(str::lines);
    lines
        .filter_map(|line| {
            let (from, to) = line.split_once("->")?;
            Some((from.trim(), to.split_whitespace().next()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Dependency;
    use super::*;

    fn one(directory: &str, dependencies: &[&str]) -> Crate {
        let dependency = |name: &&str| Dependency { name: name.to_string(), development: false };
        Crate {
            name: directory.rsplit('/').next().unwrap().into(),
            directory: directory.into(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    #[test]
    fn edges_go_down_or_are_listed() {
        let crates = [
            one("crates/types/a", &[]),
            one("crates/types/b", &["a"]),
            one("crates/host/h", &["a", "i"]),
            one("crates/host/i", &["e"]),
            one("crates/clients/c", &["a", "h"]),
            one("crates/engine", &[]),
            one("crates/odd/o", &[]),
        ];
        let mut crates = crates;
        crates[5].name = "e".into();
        let text = "`a` `b` `h` `c` `e`\n```edges\nb -> a   why\ni -> h   gone\n```\n";
        let problems = problems(&crates, text);
        let begin = |start: &str| problems.iter().filter(|problem| problem.starts_with(start)).count();
        assert_eq!(problems.len(), 6, "{problems:#?}");
        assert_eq!(begin("h (host) must not depend on i"), 1);
        assert_eq!(begin("i (host) must not depend on e"), 1);
        assert_eq!(begin("c (clients) must not depend on h"), 1);
        assert_eq!(begin("crates/odd/o: not on a floor"), 1);
        assert_eq!(begin("docs/ARCHITECTURE.md does not mention `i`"), 1);
        assert_eq!(begin("docs/ARCHITECTURE.md lists i -> h"), 1);
    }
}
