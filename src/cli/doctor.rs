//! `covista doctor`.

/// Arguments of `covista doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista doctor`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
