//! `GET /containers/json`.

use crate::http::answer::{Answer, json_of_about};
use crate::http::query::Query;
use crate::present::summary::summary;
use crate::routes::Context;
use axum::extract::State;
use engine::container::{List, Summary};
use serde::{Serialize, Serializer};

pub(super) async fn list(State(api): Context, query: Query) -> Answer {
    let request = List {
        all: query.flag("all"),
        limit: query
            .integer("limit")?
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| *limit > 0),
        size: query.flag("size"),
        filters: query.filters()?,
    };
    let found = engine::container::list(&api.services, request).await?;
    let now = engine::now();
    json_of_about(found.len() * ELEMENT, &Elements { found: &found, now })
}

/// What an element takes as a rule, in bytes.
const ELEMENT: usize = 1024;

/// Made one after the other while they are written: of thousands there is one at a time.
struct Elements<'a> {
    found: &'a [Summary],
    now: i64,
}

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.found.iter().map(|found| summary(found, self.now)))
    }
}
