//! What follows from which facts.

use super::{Facts, Recorded, compare};
use crate::system::check::table::Kind;
use ids::ContainerId;

type Change = fn(&mut Facts);

fn id(number: u8) -> ContainerId {
    ContainerId::from_bytes([number; 32])
}

/// One that runs (1) and one that has ended (2), and nothing wrong.
fn sound() -> Facts {
    let runs = Recorded { name: "runs".into(), live: true, busy: false, process: true, shim: true };
    let done = Recorded { name: "done".into(), live: false, busy: false, process: false, shim: false };
    Facts {
        recorded: [(id(1), runs), (id(2), done)].into(),
        layers: [id(1), id(2)].into(),
        directories: [id(1), id(2)].into(),
        bundles: [id(1)].into(),
        cgroups: vec![(id(1), true)],
        ..Facts::default()
    }
}

fn recorded(facts: &mut Facts, number: u8) -> &mut Recorded {
    facts.recorded.get_mut(&id(number)).unwrap()
}

/// What is found once the facts were changed.
#[track_caller]
fn found(change: impl FnOnce(&mut Facts)) -> Vec<(Kind, ContainerId)> {
    assert!(compare(&sound()).is_empty());
    let mut facts = sound();
    change(&mut facts);
    compare(&facts).into_iter().map(|one| (one.kind, one.thing.parse().unwrap())).collect()
}

#[test]
fn each_disagreement_has_its_name() {
    let cases: [(Change, Kind, u8); 14] = [
        (|facts| recorded(facts, 1).process = false, Kind::ContainerDead, 1),
        (|facts| recorded(facts, 1).shim = false, Kind::ShimLost, 1),
        (|facts| facts.layers.retain(|one| *one != id(2)), Kind::ContainerWithoutLayer, 2),
        (|facts| facts.directories.retain(|one| *one != id(2)), Kind::ContainerWithoutDirectory, 2),
        (|facts| facts.bundles.extend([id(2)]), Kind::BundleWithoutContainer, 2),
        (|facts| facts.bundles.extend([id(3)]), Kind::BundleWithoutContainer, 3),
        (|facts| facts.layers.extend([id(3)]), Kind::ContainerHalfRemoved, 3),
        (|facts| facts.directories.extend([id(3)]), Kind::ContainerHalfRemoved, 3),
        (|facts| facts.cgroups.push((id(3), true)), Kind::ProcessWithoutContainer, 3),
        (|facts| facts.cgroups.push((id(3), false)), Kind::CgroupWithoutContainer, 3),
        (|facts| facts.cgroups.push((id(2), true)), Kind::ProcessWithoutContainer, 2),
        (|facts| facts.cgroups.push((id(2), false)), Kind::CgroupWithoutContainer, 2),
        (
            |facts| {
                facts.layers.extend([id(3)]);
                facts.directories.extend([id(3)]);
                facts.bundles.extend([id(3)]);
            },
            Kind::BundleWithoutContainer,
            3,
        ),
        (
            |facts| {
                facts.store_older = true;
                facts.layers.extend([id(3)]);
                facts.bundles.extend([id(3)]);
                facts.cgroups.push((id(3), true));
            },
            Kind::StoreOlder,
            3,
        ),
    ];
    for (change, kind, number) in cases {
        assert_eq!(found(change), [(kind, id(number))]);
    }
}

#[test]
fn what_is_in_progress_is_no_disagreement() {
    let none = Vec::new();
    let made = found(|facts| {
        facts.in_progress = [id(3)].into();
        facts.layers.extend([id(3)]);
        facts.directories.extend([id(3)]);
        facts.cgroups.push((id(3), false));
    });
    assert_eq!(made, none);
    let starting = found(|facts| {
        recorded(facts, 2).busy = true;
        facts.bundles.extend([id(2)]);
        facts.cgroups.push((id(2), true));
    });
    assert_eq!(starting, none);
    let ending = found(|facts| {
        let one = recorded(facts, 1);
        (one.busy, one.process, one.shim) = (true, false, false);
    });
    assert_eq!(ending, none);
    let removing = found(|facts| {
        facts.in_progress = [id(2)].into();
        facts.layers.remove(&id(2));
        facts.directories.remove(&id(2));
    });
    assert_eq!(removing, none);
}
