//! `container-runtime registry gc`

use super::options::Collect;
use super::{runtime, storage, told};
use anyhow::Result;
use docker_cli::Invocation;
use repositories::{Collected, Collection};
use std::process::ExitCode;

/// Collects once and says what went.
pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "registry gc", |options: &Collect| {
        let rules = Collection {
            grace: options.grace,
            untagged: options.untagged,
            dry_run: options.dry_run,
            ..Collection::default()
        };
        let runtime = runtime()?;
        let collected = runtime.block_on(async {
            let opened = storage::open_existing(&options.storage).await?;
            opened.repositories.collect(&rules).await.map_err(told)
        });
        report(&collected?, options.dry_run)
    })
}

#[expect(clippy::print_stdout, reason = "the report is what the verb is for")]
fn report(collected: &Collected, dry_run: bool) -> Result<()> {
    let verb = if dry_run { "would delete" } else { "deleted" };
    let Collected { uploads, manifests, links, blobs, bytes, damaged } = collected;
    println!(
        "{verb} {blobs} blobs ({bytes} bytes), {manifests} manifests, {links} unused links to blobs, {uploads} idle uploads"
    );
    if *damaged > 0 {
        println!(
            "{damaged} manifests are damaged: of their repositories nothing was collected; push them again, or delete them"
        );
    }
    Ok(())
}
