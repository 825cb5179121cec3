//! Plugins: there are none, and none can be installed.

use crate::http::answer::{Answer, Refusal, json};
use axum::Router;
use axum::extract::Path;
use axum::http::Method;
use axum::routing::{any, get, post};
use errors::{Class, Error};

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/plugins", get(list))
        .route("/plugins/privileges", get(unsupported))
        .route("/plugins/pull", post(unsupported))
        .route("/plugins/create", post(unsupported))
        .route("/plugins/{*rest}", any(by_name))
}

async fn list() -> Answer {
    json::<[(); 0]>(&[])
}

async fn unsupported() -> Answer {
    Err(Error::new(Class::Unsupported, "this engine has no managed plugins").into())
}

/// Whatever is wanted of a plugin, it does not exist.
async fn by_name(method: Method, Path(rest): Path<String>) -> Answer {
    let actions = ["json", "enable", "disable", "upgrade", "push", "set"];
    let name = match rest.rsplit_once('/') {
        Some((name, action)) if method != Method::DELETE && actions.contains(&action) => name,
        _ => &rest,
    };
    Err(Refusal(Error::new(Class::NotFound, format!("plugin {name:?} not found"))))
}
