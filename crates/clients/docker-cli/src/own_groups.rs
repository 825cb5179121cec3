//! The nouns of the containing program: what they list, and what is said where a verb is missing.

use crate::environment::{Environment, OwnGroup, Section};
use crate::usage;

/// The group that the words name, with as many of them as it can.
pub(crate) fn find(words: &[String], environment: &Environment) -> Option<OwnGroup> {
    let named = |group: &&OwnGroup| {
        group.path.len() <= words.len() && group.path.iter().zip(words).all(|(name, word)| name == word)
    };
    environment.groups.iter().filter(named).max_by_key(|group| group.path.len()).copied()
}

/// Its name and its line, if it stands at the top.
pub(crate) fn top(environment: &Environment) -> impl Iterator<Item = (&'static str, &'static str)> {
    environment.groups.iter().filter(|group| group.path.len() == 1).map(|group| (group.path[0], group.about))
}

/// What it holds, one line each: its verbs and the groups in it.
pub(crate) fn help(program: &str, group: OwnGroup, environment: &Environment) -> String {
    let verbs = environment.verbs.iter().filter(|verb| verb.section != Section::Hidden);
    let all = verbs.map(|verb| (verb.path, verb.about));
    let all = all.chain(environment.groups.iter().map(|group| (group.path, group.about)));
    let inside = |path: &&[&'static str]| path.len() == group.path.len() + 1 && path.starts_with(group.path);
    let lines = all.filter(|(path, _)| inside(path)).map(|(path, about)| (path[path.len() - 1], about));
    usage::list_help(&format!("{program} {}", group.path.join(" ")), group.about, lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OwnVerb;
    use std::process::ExitCode;

    fn environment() -> Environment {
        let verb = |path| OwnVerb { path, about: "do", section: Section::Engine, run: |_| ExitCode::SUCCESS };
        Environment {
            program: "x",
            version: "1",
            commit: "",
            default_host: String::new(),
            verbs: vec![verb(&["reg", "serve"]), verb(&["reg", "user", "add"]), verb(&["image", "mount"])],
            groups: vec![
                OwnGroup { path: &["reg"], about: "Tend" },
                OwnGroup { path: &["reg", "user"], about: "Users" },
            ],
            words: |_| Vec::new(),
            autostart: None,
        }
    }

    #[test]
    fn the_longest_group_is_meant_and_lists_what_is_in_it() {
        let environment = environment();
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let of = |text: &str| find(&words(text), &environment).map(|group| group.path.join(" "));
        assert_eq!(of("reg"), Some("reg".to_owned()));
        assert_eq!(of("reg nonsense"), Some("reg".to_owned()));
        assert_eq!(of("reg user --help"), Some("reg user".to_owned()));
        assert_eq!(of("image"), None);
        let help = help("x", find(&words("reg"), &environment).unwrap(), &environment);
        assert!(help.starts_with("Usage:  x reg COMMAND\n\nTend\n\nCommands:\n  serve"), "{help}");
        assert!(help.contains("  user        Users\n") && !help.contains("add"), "{help}");
    }
}
