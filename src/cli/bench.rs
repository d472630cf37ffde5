//! `covista bench`.

/// Arguments of `covista bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[cfg(feature = "train")]
    #[command(subcommand)]
    what: What,
}

#[cfg(feature = "train")]
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Seconds of one training step on the CPU, on random pictures
    Train(super::bench_train::Args),
}

/// Runs `covista bench`.
#[cfg(feature = "train")]
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Train(args) => super::bench_train::run(args),
    }
}

/// Says what is missing.
#[cfg(not(feature = "train"))]
pub fn run(_args: Args) -> anyhow::Result<()> {
    Err(super::exit::Failure::arguments(
        "this build has nothing to time: it was made without the `train` feature",
    ))
}
