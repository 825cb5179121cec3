//! The access list: small, because the large ones are token services' to keep.

use super::{Action, Resource, Scope, unauthorized};
use crate::http::refusal::{Code, Refusal};
use axum::http::{HeaderValue, StatusCode};
use std::collections::{BTreeSet, HashSet};

/// Users may do everything, others nothing; with these exceptions.
#[derive(Debug, Clone, Default)]
pub struct AccessList {
    /// Everybody may pull.
    pub anonymous_pull: bool,
    /// Users who may only pull.
    pub read_only: HashSet<String>,
}

impl AccessList {
    /// Those of the actions that are allowed. Nobody: somebody unknown.
    pub(crate) fn allowed(&self, user: Option<&str>, scope: &Scope) -> BTreeSet<Action> {
        let reader = user.map_or(self.anonymous_pull, |name| self.read_only.contains(name));
        let writer = user.is_some() && !reader;
        let may = |action: &Action| match (&scope.resource, action) {
            (Resource::Catalog, _) => user.is_some(),
            (Resource::Repository(_), Action::Pull) => reader || writer,
            (Resource::Repository(_), _) => writer,
        };
        scope.actions.iter().copied().filter(may).collect()
    }

    /// Lets pass who may do all of it. Who is unknown is asked who they are.
    pub(crate) fn admit(
        &self,
        user: Option<&str>,
        scopes: &[Scope],
        challenge: impl Fn() -> HeaderValue,
    ) -> Result<(), Refusal> {
        let all = scopes.iter().all(|scope| self.allowed(user, scope) == scope.actions);
        match user {
            // A request for nothing in particular is how clients find out that there is something to log in to.
            None if scopes.is_empty() || !all => Err(unauthorized("authentication required", challenge())),
            Some(_) if !all => {
                let wanted: Vec<_> = scopes.iter().map(Scope::to_string).collect();
                let message = format!("not allowed: {}", wanted.join(" "));
                Err(Refusal::new(StatusCode::FORBIDDEN, Code::Denied, message))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_readers_and_strangers() {
        let list = AccessList { anonymous_pull: true, read_only: ["bob".to_owned()].into() };
        let scope = Scope::parse("repository:a:delete,pull,push").unwrap();
        let allowed = |list: &AccessList, user| {
            list.allowed(user, &scope).into_iter().map(|a| format!("{a:?}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(allowed(&list, Some("ada")), "Delete Pull Push");
        assert_eq!(allowed(&list, Some("bob")), "Pull");
        assert_eq!(allowed(&list, None), "Pull");
        assert_eq!(allowed(&AccessList::default(), None), "");
        assert!(list.allowed(None, &Scope::catalog()).is_empty());
        let challenge = || HeaderValue::from_static("Basic");
        let admit =
            |user, scopes: &[Scope]| list.admit(user, scopes, challenge).map_err(|r| r.status().as_u16());
        assert_eq!(admit(None, &[]), Err(401));
        assert_eq!(admit(None, std::slice::from_ref(&scope)), Err(401));
        assert_eq!(admit(Some("bob"), std::slice::from_ref(&scope)), Err(403));
        assert_eq!(admit(None, &[Scope::parse("repository:a:pull").unwrap()]), Ok(()));
    }
}
