//! `container-runtime benchmark`: see the crate `benchmark`.

use anyhow::{Context, Result};
use benchmark::Options;
use clap::Parser;
use docker_cli::Invocation;
use std::process::ExitCode;

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    let program = format!("{} benchmark", invocation.program);
    let options = match Options::try_parse_from(std::iter::once(&program).chain(&invocation.args)) {
        Ok(options) => options,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 125 } else { 0 });
        }
    };
    match measure(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
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
