//! What netd is told, by the table's names.

use super::containers;
use super::disagreement::{Disagreement, Subject};
use super::table::Kind;
use crate::Services;
use errors::Result;
use std::sync::Arc;

/// Records that are not what they should be: `network ID`, `container ID`.
pub(super) async fn gather(services: &Arc<Services>) -> Result<Vec<String>> {
    Ok(crate::names::differences(services).await?)
}

/// Those that nobody is at work on.
pub(super) fn compare(told: Vec<String>, facts: &containers::Facts) -> Vec<Disagreement> {
    let busy = |thing: &str| {
        let id = thing.strip_prefix("container ").and_then(|id| id.parse().ok());
        let one = id.and_then(|id| facts.recorded.get(&id));
        // One that has just ended is about to be forgotten.
        one.is_some_and(|one| one.busy || (one.live && !one.process))
    };
    let wrong = told.into_iter().filter(|thing| !busy(thing));
    wrong.map(|thing| Disagreement::new(Kind::NameRecordWrong, thing, Subject::Names)).collect()
}
