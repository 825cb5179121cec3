//! Many images at once.

use crate::http::answer::{Answer, Refusal, json};
use crate::http::query::Query;
use crate::http::version::ApiVersion;
use crate::present::image;
use crate::routes::Context;
use crate::wire::image::Pruned;
use axum::extract::State;
use engine::Filters;
use images::Filter;

pub(super) async fn list(State(api): Context, version: ApiVersion, query: Query) -> Answer {
    let found = engine::image::list(&api.services, &filter(&query)?).await?;
    let mut summaries = Vec::with_capacity(found.len());
    for listed in &found {
        let mut summary = image::summary(listed, version);
        if version.at_least(47) && query.flag("manifests") {
            let manifests = engine::image::platforms(&api.services, &listed.summary.image).await?;
            summary.manifests = Some(manifests.into_iter().map(image::manifest).collect());
        }
        summaries.push(summary);
    }
    json(&summaries)
}

fn filter(query: &Query) -> Result<Filter, Refusal> {
    let filters = query.filters()?;
    filters.allow(&["before", "dangling", "label", "reference", "since", "until"])?;
    let mut references = list_of(&filters, "reference");
    // A parameter of its own, long ago.
    references.extend(query.owned("filter"));
    Ok(Filter {
        all: query.flag("all"),
        dangling: filters.flag("dangling")?,
        labels: list_of(&filters, "label"),
        without_labels: Vec::new(),
        references,
        before: list_of(&filters, "before").pop(),
        since: list_of(&filters, "since").pop(),
        until: until(&filters)?,
    })
}

fn list_of(filters: &Filters, name: &str) -> Vec<String> {
    filters.values(name).into_iter().flatten().cloned().collect()
}

/// Seconds since 1970.
fn until(filters: &Filters) -> Result<Option<i64>, Refusal> {
    Ok(engine::until(filters)?.map(|nanoseconds| nanoseconds.div_euclid(1_000_000_000)))
}

pub(super) async fn prune(State(api): Context, query: Query) -> Answer {
    let pruned = engine::image::prune(&api.services, query.filters()?).await?;
    let removed: Vec<_> = pruned.removed.into_iter().map(image::removed).collect();
    json(&Pruned {
        images_deleted: (!removed.is_empty()).then_some(removed),
        space_reclaimed: pruned.reclaimed,
    })
}
