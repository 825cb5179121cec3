//! A change is offered to one after the other; if one refuses, it is taken back from those who took it.

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

    /// Goes from the one to the other, or refuses and stays as it is. What it did before is taken back by the call with the two
    /// exchanged.
    fn apply<'a>(&'a self, context: &'a Arc<C>, from: &'a Settings, to: &'a Settings) -> Applied<'a>;
}

/// Offers a change to all that it concerns, in their order.
///
/// # Errors
/// Who refused, which key and why; nothing has changed then.
pub(super) async fn offer<C: Sync + Send>(
    subscribers: &[Arc<dyn Subscriber<C>>],
    context: &Arc<C>,
    from: &Settings,
    to: &Settings,
    changes: &[Changed],
) -> Result<Vec<String>> {
    let (mut notes, mut done) = (Vec::new(), Vec::new());
    for subscriber in subscribers {
        let Some(key) = concerned(&**subscriber, changes) else { continue };
        match subscriber.apply(context, from, to).await {
            Ok(more) => {
                notes.extend(more);
                done.push(subscriber);
            }
            Err(error) => {
                for subscriber in done.into_iter().rev() {
                    if let Err(error) = subscriber.apply(context, to, from).await {
                        tracing::error!(component = subscriber.component(), %error, "the old settings don't come back");
                    }
                }
                return Err(refused(subscriber.component(), key, &error));
            }
        }
    }
    Ok(notes)
}

fn concerned<C: Sync>(subscriber: &dyn Subscriber<C>, changes: &[Changed]) -> Option<KeyPath> {
    let keys: Vec<KeyPath> = subscriber.keys().iter().map(|key| KeyPath::of(key.split('.'))).collect();
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

    /// Writes down what it is told; refuses a limit of 13.
    #[derive(Debug)]
    struct Part(&'static str, &'static [&'static str], bool);

    impl Subscriber<Mutex<Vec<String>>> for Part {
        fn component(&self) -> &'static str {
            self.0
        }

        fn keys(&self) -> &'static [&'static str] {
            self.1
        }

        fn apply<'a>(
            &'a self,
            told: &'a Arc<Mutex<Vec<String>>>,
            from: &'a Settings,
            to: &'a Settings,
        ) -> Applied<'a> {
            Box::pin(async move {
                let (from, to) = (from.runtime.max_containers, to.runtime.max_containers);
                if self.2 && to == 13 {
                    return Err(Error::new(Class::Conflict, "13 is too many"));
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

    async fn offered(to: u32) -> (Result<Vec<String>>, Vec<String>) {
        let parts: Vec<Arc<dyn Subscriber<_>>> = vec![
            Arc::new(Part("a", &["runtime"], false)),
            Arc::new(Part("of others", &["network", "runtime.labels"], false)),
            Arc::new(Part("b", &["runtime.max_containers"], false)),
            Arc::new(Part("c", &["runtime.max_containers"], true)),
            Arc::new(Part("d", &["runtime.max_containers"], false)),
        ];
        let told = Arc::new(Mutex::new(Vec::new()));
        let (old, new) = (settings(1), settings(to));
        let changes = new.changes_from(&old);
        let outcome = offer(&parts, &told, &old.settings, &new.settings, &changes).await;
        let told = told.lock().clone();
        (outcome, told)
    }

    #[tokio::test]
    async fn all_whom_it_concerns_are_told_in_their_order() {
        let (outcome, told) = offered(2).await;
        assert_eq!(outcome.unwrap(), ["a", "b", "c", "d"]);
        assert_eq!(told, ["a 1->2", "b 1->2", "c 1->2", "d 1->2"]);
        assert!(offered(1).await.1.is_empty(), "nothing has changed");
    }

    #[tokio::test]
    async fn one_that_refuses_takes_it_back_from_the_others() {
        let (outcome, told) = offered(13).await;
        let error = outcome.unwrap_err();
        assert_eq!(
            error.to_string(),
            "c refuses runtime.max_containers: 13 is too many. The old settings stay"
        );
        assert_eq!(error.class(), Class::Conflict);
        assert_eq!(told, ["a 1->13", "b 1->13", "b 13->1", "a 13->1"]);
    }
}
