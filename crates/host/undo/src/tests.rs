//! The promises of the crate, one each.

use crate::{Failure, Undo, UndoError, inject};
use errors::{Class, Error};
use futures_util::FutureExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

type Log = Arc<Mutex<Vec<&'static str>>>;

fn noting(undo: &mut Undo, log: &Log, name: &'static str) {
    let log = Arc::clone(log);
    undo.push(name, move || {
        async move {
            log.lock().unwrap().push(name);
            Ok(())
        }
        .boxed()
    });
}

fn names(failures: &[Failure]) -> Vec<&'static str> {
    failures.iter().map(|failure| failure.name).collect()
}

#[tokio::test]
async fn steps_are_undone_in_reverse_whatever_their_kind() {
    let (log, mut undo) = (Log::default(), Undo::new("test.order"));
    noting(&mut undo, &log, "first");
    let second = Arc::clone(&log);
    undo.push_sync("second", move || {
        second.lock().unwrap().push("second");
        Ok(())
    });
    noting(&mut undo, &log, "third");
    assert!(undo.unwind().await.is_empty());
    assert_eq!(*log.lock().unwrap(), ["third", "second", "first"]);
}

#[tokio::test]
async fn a_success_undoes_nothing() {
    let (log, mut undo) = (Log::default(), Undo::new("test.success"));
    noting(&mut undo, &log, "kept");
    undo.disarm();
    assert!(Undo::new("test.empty").unwind().await.is_empty());
    assert_eq!(Arc::strong_count(&log), 1, "the closure is dropped uncalled");
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn settling_keeps_a_success_and_undoes_a_failure_before_it_is_told() {
    let log = Log::default();
    for (outcome, undone) in [(Ok(7), &[][..]), (Err(Error::new(Class::Conflict, "busy")), &["taken"])] {
        let mut undo = Undo::new("test.settle");
        noting(&mut undo, &log, "taken");
        let class = outcome.as_ref().map_err(Error::class).copied();
        assert_eq!(undo.settle(outcome).await.map_err(|error| error.class()), class);
        assert_eq!(*log.lock().unwrap(), undone);
    }
}

#[tokio::test]
async fn the_steps_of_a_part_are_undone_before_those_around_it() {
    let (log, mut undo) = (Log::default(), Undo::new("test.whole"));
    noting(&mut undo, &log, "outer");
    let mut part = Undo::new("test.part");
    noting(&mut part, &log, "inner");
    undo.absorb(part);
    assert!(undo.unwind().await.is_empty());
    assert_eq!(*log.lock().unwrap(), ["inner", "outer"]);
}

#[tokio::test]
async fn failures_and_panics_are_collected_and_stop_nothing() {
    let (log, mut undo) = (Log::default(), Undo::new("test.failures"));
    noting(&mut undo, &log, "first");
    undo.push_sync("fails", || Err(Error::new(Class::Conflict, "busy")));
    undo.push("panics", || async { panic!("on purpose") }.boxed());
    noting(&mut undo, &log, "last");
    let failures = undo.unwind().await;
    assert_eq!(names(&failures), ["panics", "fails"]);
    assert_eq!(failures[1].error.class(), Class::Conflict);
    assert!(matches!(failures[0].error.cause().downcast_ref(), Some(UndoError::Panicked { .. })));
    assert_eq!(*log.lock().unwrap(), ["last", "first"]);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_hangs_is_given_up_and_the_others_run() {
    let (log, mut undo) = (Log::default(), Undo::new("test.timeout").with_limit(Duration::from_secs(3)));
    noting(&mut undo, &log, "first");
    undo.push("hangs", || std::future::pending().boxed());
    let failures = undo.unwind().await;
    assert_eq!(names(&failures), ["hangs"]);
    assert_eq!(failures[0].error.to_string(), "undo test.timeout hangs: no result within 3s");
    assert_eq!(*log.lock().unwrap(), ["first"]);
}

#[tokio::test]
async fn dropping_the_verb_undoes_it() {
    let (sender, mut undone) = mpsc::unbounded_channel();
    let mut verb = Box::pin(async move {
        let mut undo = Undo::new("test.drop");
        undo.push("taken", move || {
            async move {
                sender.send("taken").unwrap();
                Ok(())
            }
            .boxed()
        });
        std::future::pending::<()>().await;
        undo.disarm();
    });
    assert!((&mut verb).now_or_never().is_none());
    drop(verb);
    assert_eq!(undone.recv().await, Some("taken"));
}

#[tokio::test]
async fn dropping_the_unwinding_does_not_stop_it() {
    let (sender, mut undone) = mpsc::unbounded_channel();
    let mut undo = Undo::new("test.unwind");
    undo.push("taken", move || {
        async move {
            sender.send("taken").unwrap();
            Ok(())
        }
        .boxed()
    });
    undo.push("slow", || {
        async {
            tokio::task::yield_now().await;
            Ok(())
        }
        .boxed()
    });
    assert!(undo.unwind().now_or_never().is_none());
    assert_eq!(undone.recv().await, Some("taken"));
}

#[test]
fn dropping_it_outside_any_runtime_undoes_too() {
    let (sender, mut undone) = mpsc::unbounded_channel();
    let mut undo = Undo::new("test.thread");
    undo.push("taken", move || {
        async move {
            sender.send("taken").unwrap();
            Ok(())
        }
        .boxed()
    });
    drop(undo);
    assert_eq!(undone.blocking_recv(), Some("taken"));
}

/// The configuration is one for the process, so all that touches it is one test.
#[tokio::test]
async fn every_step_can_be_made_to_fail_until_the_verb_completes() {
    async fn verb(log: &Log) -> Result<(), Error> {
        let mut undo = Undo::new("test.inject");
        for name in ["name", "snapshot", "network"] {
            undo.step(name)?;
            log.lock().unwrap().push(name);
            let taken = Arc::clone(log);
            undo.push_sync(name, move || {
                assert_eq!(taken.lock().unwrap().pop(), Some(name));
                Ok(())
            });
        }
        undo.disarm();
        Ok(())
    }
    let log = Log::default();
    verb(&log).await.unwrap();
    assert_eq!(inject::steps("test.inject"), 0, "off: nothing is counted");
    let mut round = 0;
    let outcome = loop {
        round += 1;
        log.lock().unwrap().clear();
        inject::configure(&format!("test.inject={round}:error, test.other=1:kill")).unwrap();
        let outcome = verb(&log).await;
        if inject::steps("test.inject") < round {
            break outcome;
        }
        let error = outcome.unwrap_err();
        assert!(error.to_string().starts_with(&format!("injected failure at step {round} (")), "{error}");
        wait_until_empty(&log).await;
    };
    inject::configure("").unwrap();
    outcome.unwrap();
    assert_eq!(round, 4);
    assert_eq!(log.lock().unwrap().len(), 3);
}

async fn wait_until_empty(log: &Log) {
    let empty = async {
        while !log.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), empty).await.expect("undone");
}

/// The child's side of the test below.
#[test]
fn killed_child() {
    if std::env::var_os(inject::VARIABLE).is_some() {
        inject::configure(&std::env::var(inject::VARIABLE).unwrap()).unwrap();
        let undo = Undo::new("test.kill");
        undo.step("one").unwrap();
        undo.step("two").unwrap();
    }
}

#[test]
fn kill_ends_the_process_between_two_steps() {
    use std::os::unix::process::ExitStatusExt;
    let child = |spec: &str| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "tests::killed_child"]).env(inject::VARIABLE, spec);
        command.stdout(std::process::Stdio::null()).status().unwrap()
    };
    assert_eq!(child("test.kill=2:kill").signal(), Some(9));
    assert!(child("test.kill=3:kill").success());
}
