//! `covista overlap`.

/// Arguments of `covista overlap`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista overlap`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
