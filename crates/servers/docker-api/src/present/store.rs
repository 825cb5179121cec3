//! The store of images: checks and collections.

use crate::wire::store::{Choice, Collected, Finding, Report};
use engine::system::Fate;

/// The answer of `POST /container-runtime/check`.
pub(crate) fn report(checked: engine::system::Checked) -> Report {
    let engine::system::Checked { store: report, containers, networks, volumes } = checked;
    Report {
        containers,
        networks,
        volumes,
        clean: report.is_clean(),
        images: report.images,
        layers: report.layers,
        layers_without_blob: report.layers_without_blob,
        blobs: report.blobs,
        bytes: report.bytes,
        findings: report.findings.into_iter().map(finding).collect(),
    }
}

fn finding(found: images::Finding) -> Finding {
    Finding {
        kind: found.kind,
        thing: found.thing,
        images: found.images,
        problem: found.problem,
        remedy: found.remedy,
        repaired: found.repaired,
        outcome: found.outcome,
    }
}

/// The answer of `POST /container-runtime/gc`.
pub(crate) fn collected(collected: engine::system::Collected) -> Collected {
    let choices = collected.choices.into_iter();
    Collected {
        budget: collected.budget,
        partials: collected.partials,
        partials_reason: collected.partials_reason,
        space_reclaimed: collected.reclaimed,
        choices: choices
            .map(|choice| Choice {
                image: choice.image,
                removed: choice.fate == Fate::Removed,
                reason: choice.reason,
            })
            .collect(),
    }
}
