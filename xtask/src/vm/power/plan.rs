//! What is to happen between two cuts.

use super::images::{self, Image};
use super::model::{Content, Model};
use super::random::Random;
use std::collections::BTreeMap;

/// Who does things at the same time, each to names of its own.
pub(super) const ACTORS: u64 = 3;
/// More deeds than anybody comes to.
const DEEDS: usize = 150;
/// Names of a kind that an actor has.
const SLOTS: u64 = 3;
/// What is pulled comes from here, and pushes go there.
const REGISTRY: &str = "127.0.0.1:5000";
const CUT_REGISTRY: &str = "127.0.0.1:5001";

/// A deed: what the guest runs, and what it makes of which name.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) verb: &'static str,
    pub(super) script: String,
    pub(super) effect: Option<(String, Content)>,
}

/// Makes plans, and numbers what is in them.
#[derive(Debug)]
pub(super) struct Planner<'a> {
    images: &'a [Image],
    made: u64,
}

/// One actor's plan in the making.
struct Plan<'a> {
    actor: u64,
    /// What its names mean when it comes to the next deed.
    here: BTreeMap<String, String>,
    model: &'a mut Model,
}

impl<'a> Planner<'a> {
    pub(super) fn new(images: &'a [Image]) -> Self {
        Self { images, made: 0 }
    }

    /// A list of deeds for each actor, from the state that was just looked at.
    pub(super) fn plan(&mut self, model: &mut Model, random: &mut Random) -> Vec<Vec<Deed>> {
        let mut plan_of = |actor| {
            let mut plan = Plan { actor, here: model.meanings(&format!("a{actor}")), model: &mut *model };
            (0..DEEDS).map(|_| self.deed(&mut plan, random)).collect()
        };
        (0..ACTORS).map(&mut plan_of).collect()
    }

    fn deed(&mut self, plan: &mut Plan<'_>, random: &mut Random) -> Deed {
        self.made += 1;
        let names: Vec<_> = plan.here.keys().cloned().collect();
        let (old, image) = (random.choose(&names).cloned(), random.choose(self.images));
        let slot = random.below(SLOTS);
        match (random.below(100), old, image) {
            (0..25, Some(old), _) => plan.remove(old),
            (25..33, Some(old), _) => plan.tag(&old, slot),
            (33..55, Some(old), _) => plan.commit(&old, slot, self.made),
            (55..60, Some(old), _) => {
                Deed { verb: "save", script: format!("cr save {old} >/dev/null"), effect: None }
            }
            (60..66, Some(old), _) => plan.push(&old),
            // Images whose name another was given.
            (66..70, ..) => Deed { verb: "prune", script: "cr image prune -f".to_owned(), effect: None },
            (70..84, _, Some(image)) => plan.load(image),
            (_, _, Some(image)) => plan.pull(image),
            _ => Deed { verb: "nothing", script: "true".to_owned(), effect: None },
        }
    }
}

impl Plan<'_> {
    fn remove(&mut self, old: String) -> Deed {
        self.here.remove(&old);
        Deed { verb: "rmi", script: format!("cr rmi {old}"), effect: Some((old, None)) }
    }

    fn tag(&mut self, old: &str, slot: u64) -> Deed {
        let new = format!("tag-a{}:{slot}", self.actor);
        let script = format!("cr tag {old} {new}");
        self.made("tag", script, new, self.here[old].clone())
    }

    /// Under a name that the engine forgets again.
    fn push(&self, old: &str) -> Deed {
        let new = format!("{CUT_REGISTRY}/push-a{}:1", self.actor);
        let script = format!("cr tag {old} {new} && cr push {new} && cr rmi {new}");
        let effect = Some((pushed(&new), Some(self.here[old].clone())));
        Deed { verb: "push", script, effect }
    }

    fn commit(&mut self, old: &str, slot: u64, number: u64) -> Deed {
        let (new, box_) = (format!("commit-a{}:{slot}", self.actor), format!("box-a{}-{number}", self.actor));
        let content = self.model.committed(&self.here[old], number);
        let script = format!(
            "cr run --name {box_} {old} sh -c 'echo {number} >/data/committed' && cr commit {box_} {new} && cr rm {box_}"
        );
        self.made("commit", script, new, content)
    }

    fn load(&mut self, image: &Image) -> Deed {
        let script = format!("cr load -i {}", archive(image.name, self.actor));
        self.made("load", script, loaded(image.name, self.actor), images::digest(&image.files))
    }

    fn pull(&mut self, image: &Image) -> Deed {
        let name = format!("{REGISTRY}/{}:{}", image.name, tag(self.actor));
        self.made("pull", format!("cr pull {name}"), name, images::digest(&image.files))
    }

    /// A deed that gives a name a meaning.
    fn made(&mut self, verb: &'static str, script: String, name: String, content: String) -> Deed {
        self.here.insert(name.clone(), content.clone());
        Deed { verb, script, effect: Some((name, Some(content))) }
    }
}

/// A name in the registry as the model has it.
pub(super) fn pushed(name: &str) -> String {
    format!("pushed {name}")
}

/// The tag that an actor pulls.
pub(super) fn tag(actor: u64) -> String {
    format!("a{actor}")
}

/// The name that an archive gives to what is loaded.
pub(super) fn loaded(image: &str, actor: u64) -> String {
    format!("load-a{actor}/{image}:latest")
}

/// Where the archive is in the guest.
pub(super) fn archive(image: &str, actor: u64) -> String {
    format!("/vm/archives/{image}-a{actor}.tar")
}
