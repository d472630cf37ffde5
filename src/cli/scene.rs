//! `covista scene`.

/// Arguments of `covista scene`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista scene`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
