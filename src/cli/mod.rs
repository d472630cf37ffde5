//! One file a subcommand; the only place that joins device, generator and trainer.

mod bench;
mod bench_generate;
mod bench_render;
#[cfg(feature = "train")]
mod bench_train;
mod cameras;
mod capture_files;
mod clock;
mod common;
mod config;
mod device;
mod doctor;
mod estimate;
#[cfg(feature = "train")]
mod evaluate;
mod exit;
mod export;
mod formats;
mod generate;
mod merge;
mod mine;
mod navmesh;
mod open;
mod overlap;
mod picture;
mod plan;
#[cfg(feature = "train")]
mod pretrain;
mod quickstart;
mod remote;
mod render;
mod render_plan;
mod report;
mod scene;
mod scene_gallery;
mod scratch;
mod select;
mod semantic;
mod show;
#[cfg(feature = "rerun")]
mod show_rerun;
mod stream;
mod validate;
mod verify;
mod walk;
#[cfg(feature = "train")]
mod weights;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Co-visible view pairs from indoor meshes, rendered headless and streamed into pretraining.
#[derive(Debug, Parser)]
#[command(name = "covista", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole flow on an invented flat: pairs, a short training run and a page to look at
    Quickstart(quickstart::Args),
    /// Write a set of pairs to a folder
    Generate(generate::Args),
    /// Put the shards of a run together
    Merge(merge::Args),
    /// Check every file of a set against its recorded hash
    Verify(verify::Args),
    /// Write pairs as they are made to standard output, as a tar that WebDataset reads
    Stream(stream::Args),
    /// Choose pairs as `generate` does and write their poses only
    Plan(plan::Args),
    /// Say what a set of a given size will take, from a short measured sample of each scene
    Estimate(estimate::Args),
    /// Render given cameras or the pairs of a plan: colour, metric depth, normals, ids, validity, flow
    Render(render::Args),
    /// Train a cross-view completion model on pairs made on the fly
    #[cfg(feature = "train")]
    Pretrain(pretrain::Args),
    /// Hold trained models against each other on pairs that none of them has seen
    #[cfg(feature = "train")]
    Evaluate(evaluate::Args),
    /// Measure the overlap of two pictures with the published metric
    Overlap(overlap::Args),
    /// Choose the best pair among 24 pictures of a sweep
    Select(select::Args),
    /// Make pairs of pictures that exist: frames of videos, groups of pictures of one place
    Mine(mine::Args),
    /// Render the frames of a walk, or groups of views of one point, with depth and poses
    Walk(walk::Args),
    /// Hold metrics of overlap against the truth from depth and pose
    Validate(validate::Args),
    /// Look into a scene
    Scene(scene::Args),
    /// Build or look into a navmesh
    Navmesh(navmesh::Args),
    /// Convert a generated set to the formats of other programs
    Export(export::Args),
    /// Draw one pair of any format with its correspondences
    Show(show::Args),
    /// Weights of other programs, in and out
    #[cfg(feature = "train")]
    Weights(weights::Args),
    /// Make the HTML page of a generated set or of a training run
    Report(report::Args),
    /// Time the steps on this machine
    Bench(bench::Args),
    /// Say what this machine offers: adapters, cores, what is missing
    Doctor(doctor::Args),
    /// Show a resolved profile or the schema of the configuration
    Config(config::Args),
}

/// Parses the command line, runs it and turns the outcome into a documented exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
    // What is caught is told as an error by whoever caught it.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| match covista::contain::is_contained() {
        true => tracing::debug!("caught: {info}"),
        false => hook(info),
    }));
    let outcome = match cli.command {
        Command::Quickstart(args) => quickstart::run(args),
        Command::Generate(args) => generate::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Stream(args) => stream::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Estimate(args) => estimate::run(args),
        Command::Render(args) => render::run(args),
        #[cfg(feature = "train")]
        Command::Pretrain(args) => pretrain::run(args),
        #[cfg(feature = "train")]
        Command::Evaluate(args) => evaluate::run(args),
        Command::Overlap(args) => overlap::run(args),
        Command::Select(args) => select::run(args),
        Command::Mine(args) => mine::run(args),
        Command::Walk(args) => walk::run(args),
        Command::Validate(args) => validate::run(args),
        Command::Scene(args) => scene::run(args),
        Command::Navmesh(args) => navmesh::run(args),
        Command::Export(args) => export::run(args),
        Command::Show(args) => show::run(args),
        #[cfg(feature = "train")]
        Command::Weights(args) => weights::run(args),
        Command::Report(args) => report::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Config(args) => config::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("covista: {error:#}");
            exit::code_of(&error)
        }
    }
}
