//! `covista navmesh`.

/// Arguments of `covista navmesh`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista navmesh`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
