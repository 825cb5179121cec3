//! Whether answers that came at the same time could have been given one after the other (Wing and Gong, "Testing and verifying
//! concurrent objects", 1993).

use super::model::{Answer, Verb, World};
use std::collections::BTreeSet;
use std::time::Instant;

/// One call: it took effect at some moment between its begin and its end.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) verb: Verb,
    pub(super) name: &'static str,
    pub(super) answer: Answer,
    pub(super) begin: Instant,
    pub(super) end: Instant,
}

/// Whether there is an order of these calls, each after all that had ended before it began, in which a world without
/// anything answers so.
pub(super) fn has_an_order(calls: &[Call]) -> bool {
    // A restart is an end and a start, the one after the other.
    let is_restart = |call: &&Call| (call.verb, call.answer.status) == (Verb::Restart, 204);
    let starts =
        calls.iter().filter(is_restart).map(|call| Call { verb: Verb::RestartsStart, ..call.clone() });
    let calls: Vec<Call> = calls.iter().cloned().chain(starts).collect();
    assert!(calls.len() < 64, "a set of calls is a number");
    let all = (1_u64 << calls.len()) - 1;
    goes_on(&calls, all, &World::default(), &mut BTreeSet::new())
}

fn goes_on(calls: &[Call], left: u64, world: &World, futile: &mut BTreeSet<(u64, World)>) -> bool {
    if left == 0 {
        return true;
    }
    if futile.contains(&(left, world.clone())) {
        return false;
    }
    let remaining = || (0..calls.len()).filter(|number| left & (1 << number) != 0);
    let first_end = remaining().map(|number| calls[number].end).min();
    for number in remaining().filter(|number| Some(calls[*number].begin) <= first_end) {
        let Call { verb, name, answer, begin, end } = &calls[number];
        let is_its_end = |other: usize| {
            (calls[other].verb, calls[other].begin, calls[other].end) == (Verb::Restart, *begin, *end)
        };
        if *verb == Verb::RestartsStart && remaining().any(is_its_end) {
            continue;
        }
        let refused = is_refused_for_another(calls, number).then(|| world.clone());
        for next in world.after(*verb, name, answer).into_iter().chain(refused) {
            if goes_on(calls, left & !(1 << number), &next, futile) {
                return true;
            }
        }
    }
    futile.insert((left, world.clone()));
    false
}

/// Whether it was refused while another call was at it: a name is taken, and a volume used, from the moment on in which a creation has
/// begun, though the container is not there before it has ended; and with what is being removed nothing else can be done.
fn is_refused_for_another(calls: &[Call], number: usize) -> bool {
    let call = &calls[number];
    let concerned = |other: &Call| match (call.verb, other.verb) {
        (Verb::Create, Verb::Create) => other.name == call.name,
        (Verb::Create, Verb::RenameToOther) => other.name != call.name,
        (Verb::RenameToOther, Verb::Create) => other.name != call.name,
        (Verb::RenameToOther, Verb::RenameToOther) => other.name == call.name,
        (Verb::RemoveVolume, Verb::Create) => true,
        // It may have had the other name when the removal began.
        (_, Verb::Remove | Verb::RemoveByForce) => true,
        _ => false,
    };
    let mut others = calls.iter().enumerate().filter(|(other, _)| *other != number).map(|(_, other)| other);
    // The same as its own: the other one came first.
    let is_refusal =
        call.answer.status == 409 || (call.verb, call.answer.status) == (Verb::RenameToOther, 400);
    is_refusal && others.any(|other| concerned(other) && other.begin < call.end && call.begin < other.end)
}

#[test]
fn orders_are_found_and_contradictions_too() {
    let begin = Instant::now();
    let at = |milliseconds| begin + std::time::Duration::from_millis(milliseconds);
    let call = |verb, status, from, to| Call {
        verb,
        name: super::model::NAMES[0],
        answer: Answer { status, state: None },
        begin: at(from),
        end: at(to),
    };
    // Both at once: one of them came second.
    let (first, second) = (call(Verb::Create, 409, 0, 5), call(Verb::Create, 201, 1, 6));
    assert!(has_an_order(&[first.clone(), second.clone()]));
    // It had ended before the other began.
    assert!(!has_an_order(&[Call { end: at(0), ..first.clone() }, second.clone()]));
    // A name is taken before the container is there.
    let start = |status| Call { name: super::model::NAMES[0], ..call(Verb::Start, status, 2, 3) };
    assert!(has_an_order(&[Call { end: at(2), ..first }, second.clone(), start(404)]));
    assert!(!has_an_order(&[second.clone(), start(409)]));
    assert!(!has_an_order(&[second.clone(), call(Verb::Create, 201, 0, 9)]));
    // A removal in between makes room.
    assert!(has_an_order(&[second, call(Verb::Remove, 204, 0, 9), call(Verb::Create, 201, 0, 9)]));
    // What was killed ends at any moment, and not before.
    let (made, started) = (call(Verb::Create, 201, 0, 1), call(Verb::Start, 204, 2, 3));
    let killed = call(Verb::Kill, 204, 4, 5);
    for (status, holds) in [(204, true), (409, true), (404, false)] {
        let calls = [made.clone(), started.clone(), killed.clone(), call(Verb::Remove, status, 6, 7)];
        assert_eq!(has_an_order(&calls), holds, "{status}");
    }
    assert!(!has_an_order(&[made.clone(), started.clone(), call(Verb::Remove, 204, 6, 7)]));
    // In the midst of a restart it does not run, afterwards it does.
    let restarted = call(Verb::Restart, 204, 4, 9);
    for (status, from, holds) in [(409, 5, true), (409, 10, false), (204, 10, true)] {
        let calls =
            [made.clone(), started.clone(), restarted.clone(), call(Verb::Kill, status, from, from + 1)];
        assert_eq!(has_an_order(&calls), holds, "{status} at {from}");
    }
}
