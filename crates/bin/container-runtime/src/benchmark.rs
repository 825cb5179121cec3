//! `container-runtime benchmark`: see the crate `benchmark`.

use anyhow::{Context, Result};
use benchmark::Options;
use docker_cli::Invocation;
use std::process::ExitCode;

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "benchmark", measure)
}

#[expect(clippy::print_stdout, reason = "the report is what the verb is for")]
fn measure(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(benchmark::run(options))?;
    println!("{report}");
    std::fs::write(&options.output, report.to_json()?)
        .with_context(|| format!("save the figures in {}", options.output.display()))?;
    println!("saved in {}", options.output.display());
    Ok(())
}
