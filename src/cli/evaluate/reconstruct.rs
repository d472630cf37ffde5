//! `covista evaluate reconstruct RUN_A RUN_B`.

use std::path::{Path, PathBuf};

use covista::evaluate::{Conditions, EvaluatedModel, ModelLosses, Reconstruction};
use covista::report::reconstruction::{ShownCompletion, difference_title, model_title};
use covista::train::reconstruct::{Completed, masked_picture};
use covista::train::test_set::{TestSet, hidden_patches};
use covista::train::{DeviceChoice, Reference, SavedRun};

use super::super::common::{self, ConfigArgs, UpArg};
use super::super::device;
use super::super::exit::Failure;
use super::folder;
use super::pairs::{self, PairLabel};

/// Arguments of `covista evaluate reconstruct`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders of trained runs, or of single checkpoints; each is held against the first
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Scene that no run was trained on: a file (glTF, GLB, OBJ, PLY), or procedural[:SEED]; may be repeated
    #[arg(
        long = "scene",
        value_name = "FILE|procedural[:SEED]",
        required_unless_present = "from"
    )]
    pub(super) scenes: Vec<String>,
    /// Up axis of the files; by default Z for Habitat stages and Y for everything else
    #[arg(long, value_name = "y|z|auto")]
    pub(super) up: Option<UpArg>,
    /// Pairs of a set that `covista generate` made, instead of scenes; may be repeated
    #[arg(long, value_name = "SET", conflicts_with_all = ["scenes", "up"])]
    pub(super) from: Vec<PathBuf>,
    /// How the held-out pairs are made; pictures must have the size that the models were trained with
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Held-out pairs, the same number from each scene
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(2..=100_000))]
    pub(super) pairs: u64,
    /// Seed of positions, masks and test sets
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(super) seed: u64,
    /// Complete every view a second time from the reference of another pair
    #[arg(long)]
    unrelated: bool,
    /// Pairs shown as pictures, evenly spaced over the test set
    #[arg(long, value_name = "N", default_value_t = 6)]
    shown: usize,
    /// Where the models run: auto, flex (CPU) or wgpu
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
    /// New folder for table, figure and page
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print the outcome as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Runs `covista evaluate reconstruct`.
pub fn run(args: &Args) -> anyhow::Result<()> {
    if args.out.exists() {
        return Err(Failure::output(format!(
            "the output folder exists already, name a new one: {}",
            args.out.display()
        )));
    }
    let config = args.config.load()?;
    let stop = common::interrupt_flag()?;
    let runs = args.runs.iter().map(|folder| SavedRun::open(folder));
    let runs = runs.collect::<Result<Vec<_>, _>>()?;
    agree(&runs)?;
    let devices = device::open(args.device, args.adapter.clone())?;
    let model = &runs[0].record.config;
    let made = pairs::make(args, config, &runs, &devices.gpu, &stop)?;
    let held_out = &made.held_out;
    let conditions = Conditions {
        pairs: held_out.len(),
        scenes: made.scenes,
        seed: args.seed,
        image_px: model.image,
        patch_px: model.patch,
        patches: model.croco().tokens(),
        hidden_patches: model.masked_tokens(),
        profile: made.profile,
        config_hash: made.config_hash,
    };
    let mut shown = blank(held_out, &made.labels, &conditions, args.shown);
    let mut models = Vec::new();
    let references = [Reference::Pair, Reference::Unrelated];
    for reference in &references[..=usize::from(args.unrelated)] {
        for (run, name) in runs.iter().zip(names(&args.runs)) {
            common::check(&stop)?;
            eprintln!("completing {} views: {name}", held_out.len());
            let mut losses = Vec::with_capacity(held_out.len());
            let each = |pair, completed: Completed| {
                losses.push(completed.loss);
                if let Some((_, shown)) = shown.iter_mut().find(|(number, _)| *number == pair) {
                    shown.completed.push((completed.picture, completed.loss));
                }
            };
            held_out.complete(
                &run.model(&devices.train)?,
                conditions.hidden_patches,
                args.seed,
                *reference,
                &devices.train,
                each,
            )?;
            models.push(ModelLosses {
                model: EvaluatedModel {
                    name,
                    run: run.folder.display().to_string(),
                    updates: run.updates,
                    scenes_trained_on: run.record.data.scenes.len(),
                    unrelated_reference: *reference == Reference::Unrelated,
                },
                losses,
            });
        }
    }
    let outcome = Reconstruction::new(conditions, &models);
    let shown: Vec<ShownCompletion> = shown.into_iter().map(|(_, shown)| shown).collect();
    folder::write(&args.out, &outcome, &models, &made.labels, &shown)?;
    if args.json {
        println!("{}", serde_json::to_string(&outcome)?);
    } else {
        print_table(&outcome);
        eprintln!("wrote {}", args.out.display());
    }
    Ok(())
}

/// One mask fits all models.
fn agree(runs: &[SavedRun]) -> anyhow::Result<()> {
    let shape = |run: &SavedRun| {
        let config = &run.record.config;
        (config.image, config.patch, config.masked_tokens())
    };
    for run in runs {
        if shape(run) != shape(&runs[0]) {
            let says = |run: &SavedRun| {
                let (image, patch, hidden) = shape(run);
                format!(
                    "{} hides {hidden} patches of {patch} px in pictures of {image} px",
                    run.folder.display()
                )
            };
            return Err(Failure::arguments(format!(
                "the runs cannot share one mask: {}, {}",
                says(&runs[0]),
                says(run)
            )));
        }
    }
    Ok(())
}

/// The names of the folders, or their whole paths where two have one name.
fn names(runs: &[PathBuf]) -> Vec<String> {
    let short = |path: &Path| {
        path.file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned()
    };
    let unique = |path: &Path| runs.iter().filter(|other| short(other) == short(path)).count() == 1;
    let name = |path: &PathBuf| match unique(path) {
        true => short(path),
        false => path.display().to_string(),
    };
    runs.iter().map(name).collect()
}

/// The pairs to be shown, with no model's completion yet.
fn blank(
    held_out: &TestSet,
    labels: &[PairLabel],
    conditions: &Conditions,
    shown: usize,
) -> Vec<(usize, ShownCompletion)> {
    let count = shown.min(held_out.len());
    (0..count)
        .map(|place| {
            // The middle of each of `count` equal stretches of the test set.
            let pair = (2 * place + 1) * held_out.len() / (2 * count);
            let target = held_out.target(pair);
            let hidden = hidden_patches(conditions.patches, conditions.hidden_patches, conditions.seed, pair);
            let shown = ShownCompletion {
                title: labels[pair].title(),
                masked: masked_picture(&target, &hidden, conditions.patch_px as u32),
                reference: held_out.reference(pair, Reference::Pair),
                completed: Vec::new(),
                target,
            };
            (pair, shown)
        })
        .collect()
}

fn print_table(outcome: &Reconstruction) {
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
    let line = |title: &str, spread: &covista::validate::stats::Spread, last: String| {
        let numbers = [spread.value, spread.min, spread.max, spread.mean, spread.sd].map(number);
        println!(
            "{title:<44} {:>8} {:>8} {:>8} {:>8} {:>8}  {last}",
            numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
        );
    };
    println!(
        "{:<44} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "loss", "min", "max", "mean", "sd"
    );
    for model in &outcome.models {
        line(&model_title(&model.model), &model.normalised, String::new());
    }
    for difference in &outcome.differences {
        let better = format!("better on {:.0} % of the pairs", 100.0 * difference.better_share);
        line(&difference_title(outcome, difference), &difference.normalised, better);
    }
}
