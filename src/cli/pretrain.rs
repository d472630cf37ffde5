//! `covista pretrain`.

/// Arguments of `covista pretrain`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `covista pretrain`.
pub fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
