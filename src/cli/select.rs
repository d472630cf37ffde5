//! `covista select`.

/// Arguments of `covista select`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista select`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
