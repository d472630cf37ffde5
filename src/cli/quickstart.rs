//! `covista quickstart`.

/// Arguments of `covista quickstart`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista quickstart`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
