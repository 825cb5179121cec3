//! Virtual machines: not there yet.
#[derive(clap::Args)]
pub(crate) struct Arguments {}
pub(crate) fn run(_: &Arguments) -> anyhow::Result<u8> {
    anyhow::bail!("no")
}
