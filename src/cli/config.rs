//! `covista config`.

/// Arguments of `covista config`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista config`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
