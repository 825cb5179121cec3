//! What is asked of the engine, from an engine with `busybox` alone back to one.

use super::world::World;

/// Commands, one after the other.
#[derive(Debug)]
pub(super) struct Deed {
    /// The words of each, without `docker`.
    pub(super) lines: &'static [&'static str],
    /// Containers in whose midst it may be cut off, and the states that they may then have.
    halfway: &'static [(&'static str, &'static [&'static str])],
    /// What clears away what stands in the way of another try.
    pub(super) before_again: &'static [&'static str],
}

impl Deed {
    const fn of(lines: &'static [&'static str]) -> Self {
        Self { lines, halfway: &[], before_again: &[] }
    }

    const fn by(self, halfway: &'static [(&'static str, &'static [&'static str])]) -> Self {
        Self { halfway, ..self }
    }

    /// Whether a client may see this once it was cut off: what was before, what is afterwards, or a state on the way.
    pub(super) fn may_leave(&self, found: &World, before: &World, after: &World) -> bool {
        [before, after].into_iter().any(|end| {
            let mut found = found.clone();
            for (name, states) in self.halfway {
                let lacks = |world: &World| !world.containers.contains_key(*name);
                match (found.containers.get(*name), end.containers.get(*name)) {
                    (Some(seen), Some(expected)) if states.contains(&seen.status.as_str()) => {
                        let halfway = expected.but_as(seen);
                        found.containers.insert((*name).to_owned(), halfway);
                    }
                    (Some(seen), None) if states.contains(&seen.status.as_str()) => {
                        found.containers.remove(*name);
                    }
                    // It comes or goes with this deed.
                    (None, Some(expected)) if lacks(before) || lacks(after) => {
                        found.containers.insert((*name).to_owned(), expected.clone());
                    }
                    _ => {}
                }
            }
            found == *end
        })
    }
}

/// Every verb that changes records, alone and for what runs.
pub(super) const DEEDS: &[Deed] = &[
    Deed::of(&["volume create keep"]),
    Deed::of(&["network create inner"]),
    Deed::of(&[
        "create --name one -v keep:/data -v /scratch --network inner -p 127.0.0.1::80 busybox sleep 600",
    ]),
    Deed::of(&["start one"]).by(&[("one", &["created", "exited"])]),
    Deed::of(&["exec one touch /data/kept"]),
    Deed::of(&["pause one"]),
    Deed::of(&["unpause one"]),
    Deed::of(&["rename one two"]),
    Deed::of(&["update --memory 64m --memory-swap 128m --restart unless-stopped two"]),
    Deed::of(&["network create outer"]),
    Deed::of(&["network connect outer two"]),
    Deed::of(&["network disconnect inner two"]),
    Deed::of(&["restart -t 0 two"]).by(&[("two", &["exited"])]),
    Deed::of(&["exec two ls /data/kept"]),
    Deed::of(&["commit two picture:1"]),
    Deed::of(&["tag picture:1 picture:2"]),
    Deed::of(&["create --name three --network none --volumes-from two picture:1 ls /data/kept"]),
    Deed::of(&["start -a three"]).by(&[("three", &["created", "running", "exited"])]),
    Deed::of(&["kill two", "wait two"]),
    Deed::of(&["start two"]).by(&[("two", &["exited"])]),
    Deed::of(&["stop -t 0 two"]),
    Deed::of(&["rm three"]),
    Deed {
        before_again: &["rm -f four"],
        ..Deed::of(&["run --rm --name four busybox true"]).by(&[("four", &["created", "running", "exited"])])
    },
    Deed::of(&["start two"]).by(&[("two", &["exited"])]),
    Deed::of(&["rm -f -v two"]).by(&[("two", &["exited"])]),
    Deed::of(&["create --name five -v spare:/data busybox true"]),
    Deed::of(&["container prune -f"]),
    Deed::of(&["image rm picture:2"]),
    Deed::of(&["image rm picture:1"]),
    Deed::of(&["network rm outer"]),
    Deed::of(&["network prune -f"]),
    Deed::of(&["volume rm keep"]),
    Deed::of(&["volume prune -a -f"]),
];
