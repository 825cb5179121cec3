//! A change is offered to one after the other; if one refuses, it is taken back from those who took it. So it is when it can't be kept.

use super::SettingsError;
use config::{Changed, KeyPath, Settings};
use errors::{Error, Result};
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What a subscriber does with a change: sentences that a person should read, or why not.
pub type Applied<'a> = Pin<Box<dyn Future<Output = Result<Vec<String>>> + Send + 'a>>;

/// A part of the engine that has to do something when settings change. What only reads [`Live::now`](super::Live::now) needs none.
pub trait Subscriber<C: Sync>: Debug + Send + Sync {
    /// What a person calls it.
    fn component(&self) -> &'static str;

    /// The keys that concern it; those below them do too.
    fn keys(&self) -> &'static [&'static str];

    /// Whether it says yes or no and does nothing that would have to be taken back.
    fn only_looks(&self) -> bool {
        false
    }

    /// Goes from the one to the other, or refuses and stays as it is. What it did before is taken back by the call with the two
    /// exchanged.
    fn apply<'a>(&'a self, context: &'a Arc<C>, from: &'a Settings, to: &'a Settings) -> Applied<'a>;
}

/// What the subscribers say to a change that all of them took.
#[derive(Debug)]
pub(super) struct Taken<'a, C> {
    /// Sentences that a person should read.
    pub(super) notes: Vec<String>,
    by: Vec<&'a dyn Subscriber<C>>,
}

/// Offers a change to all that it concerns, in their order.
///
/// # Errors
/// Who refused, which key and why; nothing has changed then.
pub(super) async fn offer<'a, C: Sync + Send>(
    subscribers: &'a [Arc<dyn Subscriber<C>>],
    context: &Arc<C>,
    from: &Settings,
    to: &Settings,
    changes: &[Changed],
) -> Result<Taken<'a, C>> {
    let mut taken = Taken { notes: Vec::new(), by: Vec::new() };
    for subscriber in subscribers {
        let Some(key) = concerned(&**subscriber, changes) else { continue };
        match subscriber.apply(context, from, to).await {
            Ok(notes) => {
                taken.notes.extend(notes);
                taken.by.push(&**subscriber);
            }
            Err(error) => {
                taken.back(context, from, to).await;
                return Err(refused(subscriber.component(), key, &error));
            }
        }
    }
    Ok(taken)
}

impl<C: Sync + Send> Taken<'_, C> {
    /// Takes the change from `from` to `to` back from all who took it, the last one first. Nobody's refusal keeps it from the others.
    pub(super) async fn back(self, context: &Arc<C>, from: &Settings, to: &Settings) {
        for subscriber in self.by.into_iter().rev().filter(|subscriber| !subscriber.only_looks()) {
            if let Err(error) = subscriber.apply(context, to, from).await {
                tracing::error!(component = subscriber.component(), %error, "the old settings don't come back");
            }
        }
    }
}

fn concerned<C: Sync>(subscriber: &dyn Subscriber<C>, changes: &[Changed]) -> Option<KeyPath> {
    let keys: Vec<KeyPath> = subscriber.keys().iter().map(|key| KeyPath::dotted(key)).collect();
    let concerns = |path: &KeyPath| keys.iter().any(|key| path.is_in(key));
    changes.iter().map(|changed| &changed.path).find(|path| concerns(path)).cloned()
}

fn refused(component: &'static str, key: KeyPath, error: &Error) -> Error {
    SettingsError::Refused { component, key, reason: error.to_string(), class: error.class() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::{Effective, from_file};
    use errors::Class;
    use parking_lot::Mutex;

    /// What a part does beside writing down what it is told.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Part {
        Takes,
        /// Refuses a limit of this.
        Refuses(usize),
        /// Only looks.
        Looks,
    }

    #[derive(Debug)]
    struct Named(&'static str, &'static [&'static str], Part);

    impl Subscriber<Mutex<Vec<String>>> for Named {
        fn component(&self) -> &'static str {
            self.0
        }

        fn keys(&self) -> &'static [&'static str] {
            self.1
        }

        fn only_looks(&self) -> bool {
            self.2 == Part::Looks
        }

        fn apply<'a>(
            &'a self,
            told: &'a Arc<Mutex<Vec<String>>>,
            from: &'a Settings,
            to: &'a Settings,
        ) -> Applied<'a> {
            Box::pin(async move {
                let (from, to) = (from.runtime.max_containers, to.runtime.max_containers);
                if self.2 == Part::Refuses(to) {
                    return Err(Error::new(Class::Conflict, format!("{to} is too many")));
                }
                told.lock().push(format!("{} {from}->{to}", self.0));
                Ok(vec![self.0.to_owned()])
            })
        }
    }

    fn settings(limit: u32) -> Effective {
        let text = format!("runtime: {{max_containers: {limit}}}");
        Effective::of([from_file("f", &text, false).unwrap()]).unwrap()
    }

    fn parts() -> Vec<Arc<dyn Subscriber<Mutex<Vec<String>>>>> {
        vec![
            Arc::new(Named("a", &["runtime"], Part::Takes)),
            Arc::new(Named("of others", &["network", "runtime.labels"], Part::Takes)),
            Arc::new(Named("b", &["runtime.max_containers"], Part::Looks)),
            Arc::new(Named("c", &["runtime.max_containers"], Part::Refuses(1))),
            Arc::new(Named("d", &["runtime.max_containers"], Part::Refuses(13))),
            Arc::new(Named("e", &["runtime.max_containers"], Part::Takes)),
        ]
    }

    /// What comes of an offer, and whom it was told; `back`: it is taken back from who took it.
    async fn offered(from: u32, to: u32, back: bool) -> (Result<Vec<String>>, Vec<String>) {
        let parts = parts();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (old, new) = (settings(from), settings(to));
        let changes = new.changes_from(&old);
        let outcome = match offer(&parts, &told, &old.settings, &new.settings, &changes).await {
            Ok(taken) => {
                let notes = taken.notes.clone();
                if back {
                    taken.back(&told, &old.settings, &new.settings).await;
                }
                Ok(notes)
            }
            Err(error) => Err(error),
        };
        let told = told.lock().clone();
        (outcome, told)
    }

    #[tokio::test]
    async fn all_whom_it_concerns_are_told_in_their_order() {
        let (outcome, told) = offered(1, 2, false).await;
        assert_eq!(outcome.unwrap(), ["a", "b", "c", "d", "e"]);
        assert_eq!(told, ["a 1->2", "b 1->2", "c 1->2", "d 1->2", "e 1->2"]);
        assert!(offered(1, 1, false).await.1.is_empty(), "nothing has changed");
    }

    #[tokio::test]
    async fn one_that_refuses_takes_it_back_from_the_others() {
        let (outcome, told) = offered(2, 13, false).await;
        let error = outcome.unwrap_err();
        assert_eq!(
            error.to_string(),
            "d refuses runtime.max_containers: 13 is too many. The old settings stay"
        );
        assert_eq!(error.class(), Class::Conflict);
        assert_eq!(told, ["a 2->13", "b 2->13", "c 2->13", "c 13->2", "a 13->2"]);
    }

    #[tokio::test]
    async fn one_that_refuses_the_way_back_keeps_it_from_nobody() {
        let (outcome, told) = offered(1, 2, true).await;
        outcome.unwrap();
        assert_eq!(told[5..], ["e 2->1", "d 2->1", "a 2->1"]);
    }
}
