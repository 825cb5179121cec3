//! All verbs: what they are called, where they are listed. A newcomer finds a verb's file here.

use crate::environment::Section;
use crate::verb::Verb;
use crate::{container, context, image, manifest, network, system, volume};

/// A verb under a name.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// Other names that call it without being listed.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) section: Section,
    pub(crate) verb: &'static Verb,
}

impl Entry {
    /// Whether `word` calls it.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        self.name == word || self.aliases.contains(&word)
    }
}

/// A noun with its verbs.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) verbs: &'static [Entry],
}

const fn common(name: &'static str, verb: &'static Verb) -> Entry {
    Entry { name, aliases: &[], section: Section::Common, verb }
}

const fn other(name: &'static str, verb: &'static Verb) -> Entry {
    Entry { name, aliases: &[], section: Section::Other, verb }
}

const fn aliased(name: &'static str, aliases: &'static [&'static str], verb: &'static Verb) -> Entry {
    Entry { name, aliases, section: Section::Other, verb }
}

/// The verbs that stand alone. Common ones come in the order in which they are listed.
pub(crate) static VERBS: &[Entry] = &[
    common("run", &container::run::VERB),
    common("exec", &container::exec::VERB),
    common("ps", &container::ps::VERB),
    common("pull", &image::pull::VERB),
    common("push", &image::push::VERB),
    common("images", &image::images::VERB),
    common("login", &image::login::VERB),
    common("logout", &image::logout::VERB),
    common("search", &image::search::VERB),
    common("version", &system::version::VERB),
    common("info", &system::info::VERB),
    other("attach", &container::attach::VERB),
    other("commit", &container::commit::VERB),
    other("cp", &container::cp::VERB),
    other("create", &container::create::VERB),
    other("diff", &container::diff::VERB),
    other("events", &system::events::VERB),
    other("export", &container::export::VERB),
    other("history", &image::history::VERB),
    other("import", &image::import::VERB),
    other("inspect", &system::inspect::VERB),
    other("kill", &container::kill::VERB),
    other("load", &image::load::VERB),
    other("logs", &container::logs::VERB),
    other("pause", &container::pause::VERB),
    other("port", &container::port::VERB),
    other("rename", &container::rename::VERB),
    other("restart", &container::restart::VERB),
    aliased("rm", &["remove"], &container::rm::VERB),
    other("rmi", &image::rmi::VERB),
    other("save", &image::save::VERB),
    other("start", &container::start::VERB),
    other("stats", &container::stats::VERB),
    other("stop", &container::stop::VERB),
    other("tag", &image::tag::VERB),
    other("top", &container::top::VERB),
    other("unpause", &container::unpause::VERB),
    other("update", &container::update::VERB),
    other("wait", &container::wait::VERB),
];

/// The nouns.
pub(crate) static GROUPS: &[Group] = &[
    Group {
        name: "container",
        about: "Manage containers",
        verbs: &[
            other("attach", &container::attach::VERB),
            other("commit", &container::commit::VERB),
            other("cp", &container::cp::VERB),
            other("create", &container::create::VERB),
            other("diff", &container::diff::VERB),
            other("exec", &container::exec::VERB),
            other("export", &container::export::VERB),
            other("inspect", &container::inspect::VERB),
            other("kill", &container::kill::VERB),
            other("logs", &container::logs::VERB),
            aliased("ls", &["list", "ps"], &container::ps::VERB),
            other("pause", &container::pause::VERB),
            other("port", &container::port::VERB),
            other("prune", &container::prune::VERB),
            other("rename", &container::rename::VERB),
            other("restart", &container::restart::VERB),
            aliased("rm", &["remove"], &container::rm::VERB),
            other("run", &container::run::VERB),
            other("start", &container::start::VERB),
            other("stats", &container::stats::VERB),
            other("stop", &container::stop::VERB),
            other("top", &container::top::VERB),
            other("unpause", &container::unpause::VERB),
            other("update", &container::update::VERB),
            other("wait", &container::wait::VERB),
        ],
    },
    Group {
        name: "context",
        about: "Manage contexts",
        verbs: &[
            other("inspect", &context::inspect::VERB),
            aliased("ls", &["list"], &context::ls::VERB),
            other("show", &context::show::VERB),
            other("use", &context::use_::VERB),
        ],
    },
    Group {
        name: "image",
        about: "Manage images",
        verbs: &[
            other("history", &image::history::VERB),
            other("import", &image::import::VERB),
            other("inspect", &image::inspect::VERB),
            other("load", &image::load::VERB),
            aliased("ls", &["list"], &image::images::VERB),
            other("prune", &image::prune::VERB),
            other("pull", &image::pull::VERB),
            other("push", &image::push::VERB),
            aliased("rm", &["remove", "rmi"], &image::rmi::VERB),
            other("save", &image::save::VERB),
            other("tag", &image::tag::VERB),
        ],
    },
    Group {
        name: "manifest",
        about: "Manage image manifests and manifest lists",
        verbs: &[
            other("annotate", &manifest::annotate::VERB),
            other("create", &manifest::create::VERB),
            other("inspect", &manifest::inspect::VERB),
            other("push", &manifest::push::VERB),
            other("rm", &manifest::rm::VERB),
        ],
    },
    Group {
        name: "network",
        about: "Manage networks",
        verbs: &[
            other("connect", &network::connect::VERB),
            other("create", &network::create::VERB),
            other("disconnect", &network::disconnect::VERB),
            other("inspect", &network::inspect::VERB),
            aliased("ls", &["list"], &network::ls::VERB),
            other("prune", &network::prune::VERB),
            aliased("rm", &["remove"], &network::rm::VERB),
        ],
    },
    Group {
        name: "system",
        about: "Manage Docker",
        verbs: &[
            other("df", &system::df::VERB),
            other("events", &system::events::VERB),
            other("info", &system::info::VERB),
            other("prune", &system::prune::VERB),
        ],
    },
    Group {
        name: "volume",
        about: "Manage volumes",
        verbs: &[
            other("create", &volume::create::VERB),
            other("inspect", &volume::inspect::VERB),
            aliased("ls", &["list"], &volume::ls::VERB),
            other("prune", &volume::prune::VERB),
            aliased("rm", &["remove"], &volume::rm::VERB),
        ],
    },
];

/// All the ways to call a verb, as its help lists them: those of its group first.
pub(crate) fn aliases(program: &str, verb: &'static Verb) -> Vec<String> {
    let mut paths = Vec::new();
    for group in GROUPS {
        for entry in group.verbs.iter().filter(|entry| std::ptr::eq(entry.verb, verb)) {
            // A name that is also listed alone is told as such.
            let alone = |name: &&&str| {
                !VERBS.iter().any(|single| single.name == **name && std::ptr::eq(single.verb, verb))
                    || group.name == "container"
            };
            paths.push(format!("{program} {} {}", group.name, entry.name));
            paths.extend(
                entry.aliases.iter().filter(alone).map(|name| format!("{program} {} {name}", group.name)),
            );
        }
    }
    let single = VERBS.iter().filter(|entry| std::ptr::eq(entry.verb, verb));
    paths.extend(single.map(|entry| format!("{program} {}", entry.name)));
    paths
}

/// Why a word that docker knows is no verb here.
pub(crate) fn missing(word: &str) -> Option<&'static str> {
    match word {
        "swarm" | "node" | "service" | "stack" | "secret" | "config" => Some(
            "this engine is not a swarm manager: it runs one machine, and a cluster is Kubernetes' business",
        ),
        "build" | "builder" | "buildx" => Some("building images is not supported by this version"),
        "compose" => Some("run the compose program itself, with DOCKER_HOST set to this engine's socket"),
        "checkpoint" | "plugin" | "trust" => Some("not supported by this version"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_those_that_docker_lists() {
        let listed = |verb| aliases("docker", verb).join(", ");
        assert_eq!(listed(&container::run::VERB), "docker container run, docker run");
        assert_eq!(
            listed(&container::ps::VERB),
            "docker container ls, docker container list, docker container ps, docker ps"
        );
        assert_eq!(listed(&image::rmi::VERB), "docker image rm, docker image remove, docker rmi");
        assert_eq!(listed(&network::rm::VERB), "docker network rm, docker network remove");
        assert_eq!(listed(&system::version::VERB), "docker version");
    }

    #[test]
    fn every_command_can_be_built() {
        for entry in VERBS.iter().chain(GROUPS.iter().flat_map(|group| group.verbs)) {
            crate::usage::command(entry.name, entry.verb.flags, entry.verb.arity).debug_assert();
        }
    }
}
