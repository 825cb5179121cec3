//! Records, kernel and disk beside each other: looked at twice, mended, looked at again.
//!
//! What is in progress holds a lock, is noted as such, or is over by the second look: it is never told of.

use super::disagreement::{Disagreement, Subject};
use super::table::Kind;
use super::{containers, mounts, names, networks, volumes};
use crate::Services;
use errors::{Error, Result};
use images::Finding;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// How long what was mended may take to be in order: the kernel removes devices and cgroups in its own time.
const SETTLING: Duration = Duration::from_secs(10);
/// Before the first of the looks meanwhile; each later pause is twice as long.
const AGAIN: Duration = Duration::from_millis(100);

/// What is wrong now; with `repair` it is mended.
///
/// # Errors
/// Those of reading directories and of asking the kernel.
pub(super) async fn check(services: &Arc<Services>, repair: bool) -> Result<Vec<Finding>> {
    let found = confirmed(services).await?;
    if !repair {
        return Ok(found.iter().map(|one| one.finding(None)).collect());
    }
    mend(services, found).await
}

/// What two looks found.
async fn confirmed(services: &Arc<Services>) -> Result<Vec<Disagreement>> {
    let first = look(services).await?;
    if first.is_empty() {
        settle_if_known(services, &first);
        return Ok(first);
    }
    sleep(PAUSE).await;
    let mut second = look(services).await?;
    settle_if_known(services, &second);
    second.retain(|one| first.iter().any(|before| before.is_same(one)));
    Ok(second)
}

/// Everything that records, kernel and disk say differently at this moment, in the order of its repair.
///
/// # Errors
/// Those of reading directories and of asking the kernel.
pub(super) async fn look(services: &Arc<Services>) -> Result<Vec<Disagreement>> {
    let mounted = mounts::gather(services).await;
    let flaws = services.networks.audit().await?;
    let told = names::gather(services).await?;
    let audit = services.volumes.audit().await?;
    // Last: whoever is at work on a container by now was not before it was noted.
    let facts = containers::gather(services).await?;
    let mut found = containers::compare(&facts);
    found.extend(mounts::compare(&mounted, &facts));
    let name_of = |endpoint: &::networks::Endpoint| {
        let one = facts.recorded.get(&endpoint.container)?;
        (one.live && one.process && !one.busy).then(|| one.name.clone())
    };
    found.extend(networks::compare(flaws, name_of));
    found.extend(names::compare(told, &facts));
    found.extend(volumes::compare(audit));
    found.sort_by_key(|one| one.kind);
    Ok(found)
}

/// Mends what was found, and tells what came of it: what is still there at the end is not mended, whatever the repair said.
async fn mend(services: &Arc<Services>, found: Vec<Disagreement>) -> Result<Vec<Finding>> {
    let mut outcomes = Vec::new();
    let mut names_told = false;
    for one in found {
        // All that netd is told wrongly is put right at once.
        let is_names = matches!(one.subject, Subject::Names);
        let outcome = if is_names && names_told { Ok(()) } else { repair(services, &one).await };
        names_told |= is_names;
        outcomes.push((one, outcome));
    }
    let still = remaining(services, &outcomes).await?;
    let told = outcomes.into_iter().zip(still).map(|((one, outcome), still)| {
        let repaired = match outcome {
            Err(error) => (false, sentence(&error)),
            Ok(()) if still => (false, "it is there again, or still".to_owned()),
            Ok(()) => (true, format!("done: {}", one.kind.row().repair)),
        };
        tell(&one, &repaired);
        one.finding(Some(repaired))
    });
    Ok(told.collect())
}

/// Whether each of them is still there once they have had the time to settle.
async fn remaining(services: &Arc<Services>, outcomes: &[(Disagreement, Result<()>)]) -> Result<Vec<bool>> {
    let deadline = Instant::now() + SETTLING;
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    let mut pause = AGAIN;
    loop {
        let now = look(services).await?;
        let still: Vec<bool> =
            outcomes.iter().map(|(one, _)| now.iter().any(|other| other.is_same(one))).collect();
        let settled = outcomes.iter().zip(&still).all(|((_, outcome), still)| outcome.is_err() || !still);
        if settled || Instant::now() >= deadline {
            settle_if_known(services, &now);
            return Ok(still);
        }
        sleep_until((Instant::now() + pause).min(deadline)).await;
        pause *= 2;
    }
}

async fn repair(services: &Arc<Services>, one: &Disagreement) -> Result<()> {
    match &one.subject {
        Subject::Container(id) => containers::repair(services, one.kind, id).await,
        Subject::Mount(point) => mounts::repair(point).await,
        Subject::Volume(name) => volumes::repair(services, one.kind, name).await,
        Subject::Network(flaw) => networks::repair(services, flaw).await,
        Subject::Names => {
            crate::names::restore(services, false).await;
            Ok(())
        }
    }
}

/// Mends what may be mended unasked and was there the last time too; answers what there is now.
///
/// # Errors
/// Those of reading directories and of asking the kernel.
pub(super) async fn keep(services: &Arc<Services>, before: &[Disagreement]) -> Result<Vec<Disagreement>> {
    let found = look(services).await?;
    let older = services.store_age.is_older();
    // With a store that is older than the disk it is not known whose things are.
    let may = |one: &&Disagreement| one.kind.row().by_itself && !(older && one.kind.may_be_strangers());
    let lasting: Vec<Disagreement> = found
        .iter()
        .filter(may)
        .filter(|one| before.iter().any(|before| before.is_same(one)))
        .cloned()
        .collect();
    mend(services, lasting).await?;
    settle_if_known(services, &found);
    Ok(found)
}

/// A store that was older than the disk is no longer, once a look finds nothing that it does not know.
fn settle_if_known(services: &Services, found: &[Disagreement]) {
    if services.store_age.is_older() && !found.iter().any(|one| one.kind == Kind::StoreOlder) {
        services.store_age.settle();
    }
}

fn tell(one: &Disagreement, (repaired, outcome): &(bool, String)) {
    let row = one.kind.row();
    if *repaired {
        tracing::warn!(
            disagreement = row.name,
            thing = one.thing,
            detail = one.detail,
            "{}: mended",
            row.means
        );
    } else {
        tracing::error!(disagreement = row.name, thing = one.thing, outcome, "{}: not mended", row.means);
    }
}

fn sentence(error: &Error) -> String {
    match error.next_step() {
        Some(hint) => format!("{error}. {hint}"),
        None => error.to_string(),
    }
}
