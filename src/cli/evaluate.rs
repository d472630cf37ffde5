//! `covista evaluate`: trained models on data that none of them has seen.

mod folder;
mod pairs;
mod reconstruct;

use clap::Subcommand;

/// Arguments of `covista evaluate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The reconstruction experiment: hidden views completed from their references, with error estimates
    Reconstruct(reconstruct::Args),
}

/// Runs `covista evaluate`.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Reconstruct(args) => reconstruct::run(&args),
    }
}
