//! `covista render`.

/// Arguments of `covista render`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista render`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
