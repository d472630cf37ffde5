//! `covista report`.

/// Arguments of `covista report`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista report`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
