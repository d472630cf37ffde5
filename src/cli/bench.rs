//! `covista bench`.

/// Arguments of `covista bench`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista bench`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
