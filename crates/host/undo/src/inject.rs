//! Failure injection: lets the n-th step of a verb fail, or ends the process before it.
//!
//! Off unless [`configure`]d; a step then costs one relaxed load. The daemon configures it from the environment
//! variable [`VARIABLE`] at its start. The spec is a list of `verb=n:action` with commas between:
//!
//! - `container.create=3:error`: the third step of that verb, counted since the configuration, fails once;
//! - `container.start=2:kill`: the process kills itself before that step, so that a test finds the state between two
//!   steps as a crash leaves it;
//! - `*=7:kill`: the same before the seventh step of any verb;
//! - `container.create`: nothing happens, but its steps are counted.
//!
//! The engine's transactions are steps of `store.commit`, and what follows each is one of `store.committed`. A test loops n = 1, 2, … until the verb completes: then [`steps`] was smaller than n.

use errors::{Class, Classified};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The environment variable from which the daemon takes its configuration.
pub const VARIABLE: &str = "CONTAINER_RUNTIME_INJECT";

/// The error of a step that was made to fail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("injected failure at step {number} ({step}) of {verb}")]
pub struct Injected {
    /// The verb.
    pub verb: &'static str,
    /// The step's name.
    pub step: &'static str,
    /// Which one it was since the configuration, from 1.
    pub number: u64,
}

impl Classified for Injected {
    fn class(&self) -> Class {
        Class::Internal
    }
}

/// A spec that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no failure to inject: write verb=N:error or verb=N:kill, with commas between several")]
pub struct BadSpec {
    /// The part of the spec.
    pub text: String,
}

impl Classified for BadSpec {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Error,
    Kill,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    verb: String,
    fault: Option<(u64, Action)>,
}

impl FromStr for Rule {
    type Err = BadSpec;

    fn from_str(text: &str) -> Result<Self, BadSpec> {
        let bad = || BadSpec { text: text.to_owned() };
        let Some((verb, fault)) = text.split_once('=') else {
            return if text.is_empty() {
                Err(bad())
            } else {
                Ok(Self { verb: text.to_owned(), fault: None })
            };
        };
        let (number, action) = fault.split_once(':').ok_or_else(bad)?;
        let number = number.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?;
        let action = match action {
            "error" => Action::Error,
            "kill" => Action::Kill,
            _ => return Err(bad()),
        };
        if verb.is_empty() {
            Err(bad())
        } else {
            Ok(Self { verb: verb.to_owned(), fault: Some((number, action)) })
        }
    }
}

#[derive(Debug, Default)]
struct Plan {
    rules: Vec<Rule>,
    passed: HashMap<&'static str, u64>,
}

static ON: AtomicBool = AtomicBool::new(false);
static PLAN: Mutex<Option<Plan>> = Mutex::new(None);

/// Replaces the configuration and counts from 0 again; an empty spec switches injection off.
///
/// # Errors
/// [`BadSpec`] names the part that is not `verb`, `verb=N:error` or `verb=N:kill`; nothing is changed then.
pub fn configure(spec: &str) -> Result<(), BadSpec> {
    let spec = spec.trim();
    let rules: Vec<Rule> = match spec {
        "" => Vec::new(),
        _ => spec.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>()?,
    };
    let on = !rules.is_empty();
    *plan() = on.then(|| Plan { rules, passed: HashMap::new() });
    ON.store(on, Ordering::Relaxed);
    Ok(())
}

/// Whether anything is configured.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// How many steps of `verb` were reached since the configuration, the failing one included; 0 when off.
pub fn steps(verb: &str) -> u64 {
    plan().as_ref().and_then(|plan| plan.passed.get(verb).copied()).unwrap_or(0)
}

/// Counts one step of `verb` and does what is configured for it: for what is given back by guards of its own. A verb
/// that has an [`Undo`](crate::Undo) calls [`Undo::step`](crate::Undo::step).
///
/// # Errors
/// [`Injected`], if [`configure`] asked for it.
pub fn pass(verb: &'static str, step: &'static str) -> Result<(), Injected> {
    if !is_on() {
        return Ok(());
    }
    let (number, action) = match plan().as_mut() {
        Some(plan) => plan.count(verb),
        None => return Ok(()),
    };
    match action {
        None => Ok(()),
        Some(Action::Error) => Err(Injected { verb, step, number }),
        Some(Action::Kill) => die(),
    }
}

/// The same for a step that has been taken, and can only be followed by the process's end.
pub fn passed(verb: &'static str) {
    // An error that was asked for comes too late.
    let _ = pass(verb, "after it");
}

/// Every verb.
const ANY: &str = "*";

impl Plan {
    fn count(&mut self, verb: &'static str) -> (u64, Option<Action>) {
        let [all, passed] = [ANY, verb].map(|verb| {
            let passed = self.passed.entry(verb).or_insert(0);
            *passed += 1;
            *passed
        });
        let is_hit = |rule: &Rule, n| (rule.verb == verb && n == passed) || (rule.verb == ANY && n == all);
        let hit = |rule: &Rule| rule.fault.filter(|(n, _)| is_hit(rule, *n));
        (passed, self.rules.iter().find_map(hit).map(|(_, action)| action))
    }
}

fn plan() -> MutexGuard<'static, Option<Plan>> {
    PLAN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process as a power cut would: no destructor, no flush, no handler.
fn die() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_are_read_as_documented() {
        let rule: Rule = "container.create=3:error".parse().unwrap();
        assert_eq!(rule, Rule { verb: "container.create".into(), fault: Some((3, Action::Error)) });
        assert_eq!("x".parse::<Rule>().unwrap().fault, None);
        for bad in ["", "a=", "a=0:error", "a=x:error", "a=1:explode", "=1:kill", "a=1"] {
            assert!(bad.parse::<Rule>().is_err(), "{bad}");
        }
        assert!(configure("good=1:error,bad=").is_err());
    }

    #[test]
    fn only_the_named_step_of_the_named_verb_is_hit() {
        let mut plan = Plan { rules: vec!["b=2:error".parse().unwrap()], passed: HashMap::new() };
        assert_eq!(plan.count("b"), (1, None));
        assert_eq!(plan.count("a"), (1, None));
        assert_eq!(plan.count("a"), (2, None));
        assert_eq!(plan.count("b"), (2, Some(Action::Error)));
        assert_eq!(plan.count("b"), (3, None));
    }

    #[test]
    fn steps_of_all_verbs_are_counted_together() {
        let mut plan = Plan { rules: vec!["*=3:kill".parse().unwrap()], passed: HashMap::new() };
        assert_eq!(plan.count("a"), (1, None));
        assert_eq!(plan.count("b"), (1, None));
        assert_eq!(plan.count("a"), (2, Some(Action::Kill)));
        assert_eq!(plan.count("a"), (3, None));
    }
}
