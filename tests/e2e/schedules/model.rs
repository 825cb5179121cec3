//! What an engine may answer: a few containers by name, and the volume that all of them use, as pure states.

use std::collections::BTreeMap;

/// Names of containers.
pub(super) const NAMES: [&str; 2] = ["one", "two"];
/// The volume that every container has.
pub(super) const VOLUME: &str = "shared";

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Life {
    Created,
    Running,
    /// It was killed: it ends by itself, at a moment that nobody hears of.
    Dying,
    Paused,
    Exited,
}

/// All that there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct World {
    containers: BTreeMap<&'static str, Life>,
    volume: bool,
}

/// What is asked of the engine. Its own program never ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Start,
    Stop,
    Kill,
    Pause,
    Unpause,
    /// Its first part is that the container ends.
    Restart,
    /// The second part of a restart, which others may come before: it is there only in histories.
    RestartsStart,
    Remove,
    RemoveByForce,
    RenameToOther,
    Inspect,
    MakeVolume,
    RemoveVolume,
    InspectVolume,
}

/// A status code, and what `inspect` says of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) state: Option<String>,
}

impl World {
    /// The worlds that there may be after such an answer; none: no engine answers so here.
    pub(super) fn after(&self, verb: Verb, name: &'static str, answer: &Answer) -> Vec<Self> {
        self.with_ends().into_iter().flat_map(|world| world.step(verb, name, answer)).collect()
    }

    /// This one, and those in which containers that are dying have ended.
    fn with_ends(&self) -> Vec<Self> {
        let mut worlds = vec![self.clone()];
        for (name, _) in self.containers.iter().filter(|(_, life)| **life == Life::Dying) {
            let ended: Vec<_> = worlds.iter().map(|world| world.with(name, Life::Exited)).collect();
            worlds.extend(ended);
        }
        worlds
    }

    fn with(&self, name: &'static str, life: Life) -> Self {
        let mut world = self.clone();
        world.containers.insert(name, life);
        world
    }

    fn without(&self, name: &str) -> Self {
        let mut world = self.clone();
        world.containers.remove(name);
        world
    }

    fn step(&self, verb: Verb, name: &'static str, answer: &Answer) -> Vec<Self> {
        match verb {
            Verb::MakeVolume if answer.status == 201 => return vec![Self { volume: true, ..self.clone() }],
            Verb::RemoveVolume => return self.volume_removed(answer.status),
            Verb::InspectVolume => return self.unless(answer.status != if self.volume { 200 } else { 404 }),
            Verb::Create => return self.created(name, answer.status),
            _ => {}
        }
        let Some(life) = self.containers.get(name).copied() else { return self.unless(answer.status != 404) };
        self.changed(verb, name, life, answer)
    }

    /// The same world, if that is no contradiction.
    fn unless(&self, contradiction: bool) -> Vec<Self> {
        if contradiction { Vec::new() } else { vec![self.clone()] }
    }

    fn created(&self, name: &'static str, status: u16) -> Vec<Self> {
        let is_there = self.containers.contains_key(name);
        match status {
            201 if !is_there => vec![Self { volume: true, ..self.with(name, Life::Created) }],
            409 => self.unless(!is_there),
            _ => Vec::new(),
        }
    }

    fn volume_removed(&self, status: u16) -> Vec<Self> {
        let is_used = !self.containers.is_empty();
        match status {
            204 if self.volume && !is_used => vec![Self { volume: false, ..self.clone() }],
            404 => self.unless(self.volume),
            409 => self.unless(!(self.volume && is_used)),
            _ => Vec::new(),
        }
    }

    /// What becomes of a container that is there.
    fn changed(&self, verb: Verb, name: &'static str, life: Life, answer: &Answer) -> Vec<Self> {
        use Life::{Created, Dying, Exited, Paused, Running};
        let to = |life: Life| vec![self.with(name, life)];
        match (verb, answer.status, life) {
            (Verb::Start, 204, Created | Exited) | (Verb::Unpause, 204, Paused) => to(Running),
            (Verb::Restart, 204, Running | Dying | Paused) => to(Exited),
            (Verb::Restart, 204, Created | Exited) => to(life),
            (Verb::RestartsStart, 204, Created | Exited | Running) => to(Running),
            (Verb::Stop, 204, Running | Dying | Paused) => to(Exited),
            (Verb::Kill, 204, Running | Dying | Paused) => to(Dying),
            (Verb::Pause, 204, Running) => to(Paused),
            // It ends when it is thawed, or was not frozen in time.
            (Verb::Pause, 204, Dying) | (Verb::Unpause, 204, Dying) => to(Dying),
            (Verb::Start, 304, Running | Dying) | (Verb::Stop, 304, Created | Exited) => to(life),
            (Verb::Start, 409, Paused) | (Verb::Kill, 409, Created | Exited) => to(life),
            (Verb::Pause, 409, Created | Exited | Paused) => to(life),
            (Verb::Unpause, 409, Created | Exited | Running | Dying) => to(life),
            (Verb::Remove, 204, Created | Exited) | (Verb::RemoveByForce, 204, _) => vec![self.without(name)],
            (Verb::Remove, 409, Running | Dying | Paused) => to(life),
            (Verb::RenameToOther, ..) => self.renamed(name, life, answer.status),
            (Verb::Inspect, 200, _) => self.unless(!is_said(life, answer.state.as_deref())),
            _ => Vec::new(),
        }
    }

    fn renamed(&self, name: &'static str, life: Life, status: u16) -> Vec<Self> {
        let other = other(name);
        let is_taken = self.containers.contains_key(other);
        match status {
            204 if !is_taken => vec![self.without(name).with(other, life)],
            409 => self.unless(!is_taken),
            _ => Vec::new(),
        }
    }
}

/// The name that a container gets by [`Verb::RenameToOther`].
pub(super) fn other(name: &str) -> &'static str {
    if name == NAMES[0] { NAMES[1] } else { NAMES[0] }
}

fn is_said(life: Life, state: Option<&str>) -> bool {
    let expected = match life {
        Life::Created => "created",
        Life::Running | Life::Dying => "running",
        Life::Paused => "paused",
        Life::Exited => "exited",
    };
    state == Some(expected)
}
