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

/// A call, or one of two of which it consists.
struct Part<'a> {
    call: &'a Call,
    verb: Verb,
    /// Which part comes before it.
    after: Option<usize>,
}

/// Whether there is an order of these calls, each after all that had ended before it began, in which a world without
/// anything answers so.
pub(super) fn has_an_order(calls: &[Call]) -> bool {
    let mut parts: Vec<Part<'_>> =
        calls.iter().map(|call| Part { call, verb: call.verb, after: None }).collect();
    for (number, call) in calls.iter().enumerate() {
        match (call.verb, call.answer.status) {
            // It is an end and a start, which others may come between.
            (Verb::Restart, 204) => parts.push(Part { call, verb: Verb::RestartsStart, after: Some(number) }),
            // Its volume is there before it.
            (Verb::Create, 201) => {
                parts[number].after = Some(parts.len());
                parts.push(Part { call, verb: Verb::MakeVolume, after: None });
            }
            _ => {}
        }
    }
    assert!(parts.len() < 64, "a set of calls is a number");
    let all = (1_u64 << parts.len()) - 1;
    goes_on(&parts, all, &World::default(), &mut BTreeSet::new())
}

fn goes_on(parts: &[Part<'_>], left: u64, world: &World, futile: &mut BTreeSet<(u64, World)>) -> bool {
    if left == 0 {
        return true;
    }
    if futile.contains(&(left, world.clone())) {
        return false;
    }
    let is_left = |number: usize| left & (1 << number) != 0;
    let remaining = || (0..parts.len()).filter(|number| is_left(*number));
    let first_end = remaining().map(|number| parts[number].call.end).min();
    for number in remaining().filter(|number| Some(parts[*number].call.begin) <= first_end) {
        let Part { call, verb, after } = &parts[number];
        if after.is_some_and(is_left) {
            continue;
        }
        let unmoved = is_due_to_another(parts, number).then(|| world.clone());
        for next in world.after(*verb, call.name, &call.answer).into_iter().chain(unmoved) {
            if goes_on(parts, left & !(1 << number), &next, futile) {
                return true;
            }
        }
    }
    futile.insert((left, world.clone()));
    false
}

/// Whether it was answered so because another call was at it: a name is taken, and a volume used, from the moment on in which a creation
/// has begun, though the container is not there before it has ended; and what is being removed says so, and nothing else can be done
/// with it.
fn is_due_to_another(parts: &[Part<'_>], number: usize) -> bool {
    let Part { call, verb, .. } = &parts[number];
    let concerned = |other: &Call| match (verb, other.verb) {
        (Verb::Create, Verb::Create) => other.name == call.name,
        (Verb::Create, Verb::RenameToOther) => other.name != call.name,
        (Verb::RenameToOther, Verb::Create) => other.name != call.name,
        (Verb::RenameToOther, Verb::RenameToOther) => other.name == call.name,
        (Verb::RemoveVolume, Verb::Create) => true,
        // It may have had the other name when the removal began.
        (_, Verb::Remove | Verb::RemoveByForce) => true,
        _ => false,
    };
    let is_due = match (verb, call.answer.status) {
        (_, 409) => true,
        // The same as its own: the other one came first.
        (Verb::RenameToOther, 400) => true,
        (Verb::Inspect, 200) => call.answer.state.as_deref() == Some("removing"),
        _ => false,
    };
    let mut others = parts.iter().map(|part| part.call).filter(|other| !std::ptr::eq(*other, *call));
    is_due && others.any(|other| concerned(other) && other.begin < call.end && call.begin < other.end)
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
    // Its volume is there before it, and can't be taken away any more.
    let making = call(Verb::Create, 201, 0, 9);
    for (verb, status, holds) in
        [(Verb::InspectVolume, 200, true), (Verb::RemoveVolume, 409, true), (Verb::Inspect, 200, false)]
    {
        let inspected = [call(verb, status, 1, 2), call(Verb::Start, 404, 3, 4), making.clone()];
        assert_eq!(has_an_order(&inspected), holds, "{verb:?}");
    }
    assert!(!has_an_order(&[making, call(Verb::InspectVolume, 404, 10, 11)]));
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
