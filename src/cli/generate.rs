//! `covista generate`.

/// Arguments of `covista generate`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista generate`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
