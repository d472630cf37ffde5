//! Held-out pairs: from scenes or sets, and only from scenes that no model has seen.

use std::sync::atomic::AtomicBool;

use covista::config::Config;
use covista::evaluate::EvaluatedScene;
use covista::export::native::{NativeReader, Replay};
use covista::render::Gpu;
use covista::stream::shrunk;
use covista::train::SavedRun;
use covista::train::test_set::TestSet;
use covista::view::{PairOrigin, PairOverlaps, ViewPair};
use image::RgbImage;

use super::super::common::{self, SceneArgs};
use super::super::exit::Failure;
use super::super::open::Walkable;
use super::reconstruct::Args;

/// Where a pair comes from and how much it overlaps.
pub struct PairLabel {
    /// Where it comes from.
    pub origin: PairOrigin,
    /// Overlaps as they were measured.
    pub overlaps: PairOverlaps,
}

impl PairLabel {
    /// One line for people.
    pub fn title(&self) -> String {
        let PairOrigin {
            scene, index, views, ..
        } = &self.origin;
        format!("{scene}, position {index}, views {} and {}", views[0], views[1])
    }
}

/// Held-out pairs and how they were made.
pub struct Made {
    /// Pictures.
    pub held_out: TestSet,
    /// What is known of each pair.
    pub labels: Vec<PairLabel>,
    /// How many each scene gave.
    pub scenes: Vec<EvaluatedScene>,
    /// Profile that they were made with.
    pub profile: String,
    /// Hash of the settings that they were made with.
    pub config_hash: String,
}

/// The pairs that `args` asks for at the size of the models.
pub fn make(args: &Args, config: Config, runs: &[SavedRun], gpu: &Gpu, stop: &AtomicBool) -> anyhow::Result<Made> {
    if let Some(run) = runs.iter().find(|run| run.record.data.scenes.is_empty()) {
        return Err(Failure::input(format!(
            "the run does not say which scenes it was trained on, so nothing can be known to be held out from it: {}",
            run.folder.display()
        )));
    }
    let (shrink, made_with) = (config.stream.shrink, config.data_hash());
    let mut gathered = Gathered {
        runs,
        shrink,
        held_out: TestSet::new(runs[0].record.config.image),
        labels: Vec::new(),
        scenes: Vec::new(),
        bar: common::progress(args.pairs, "pairs"),
    };
    let (profile, config_hash) = if args.from.is_empty() {
        from_scenes(args, config, gpu, stop, &mut gathered)?;
        (args.config.profile.clone(), made_with)
    } else {
        from_sets(args, stop, &mut gathered)?
    };
    gathered.bar.finish_and_clear();
    Ok(Made {
        held_out: gathered.held_out,
        labels: gathered.labels,
        scenes: gathered.scenes,
        profile,
        config_hash,
    })
}

struct Gathered<'a> {
    runs: &'a [SavedRun],
    shrink: u32,
    held_out: TestSet,
    labels: Vec<PairLabel>,
    scenes: Vec<EvaluatedScene>,
    bar: indicatif::ProgressBar,
}

impl Gathered<'_> {
    /// A scene that some run has seen is refused.
    fn check(&self, name: &str, hash: &str) -> anyhow::Result<()> {
        for run in self.runs {
            if run.record.data.scenes.iter().any(|seen| seen.hash == hash) {
                return Err(Failure::arguments(format!(
                    "{} was trained on the scene {name}: held-out pairs come from scenes that no model has seen; give \
                     another --scene",
                    run.folder.display()
                )));
            }
        }
        Ok(())
    }

    fn add(&mut self, pair: ViewPair) -> anyhow::Result<()> {
        let small = |picture: &RgbImage| shrunk(picture.as_raw(), picture.dimensions(), self.shrink);
        self.held_out
            .push(small(&pair.first.color), small(&pair.second.color))?;
        let origin = &pair.origin;
        match self.scenes.iter_mut().find(|scene| scene.hash == origin.scene_hash) {
            Some(scene) => scene.pairs += 1,
            None => self.scenes.push(EvaluatedScene {
                name: origin.scene.clone(),
                hash: origin.scene_hash.clone(),
                pairs: 1,
            }),
        }
        self.labels.push(PairLabel {
            origin: pair.origin,
            overlaps: pair.overlaps,
        });
        self.bar.inc(1);
        Ok(())
    }
}

fn from_scenes(
    args: &Args,
    mut config: Config,
    gpu: &Gpu,
    stop: &AtomicBool,
    gathered: &mut Gathered<'_>,
) -> anyhow::Result<()> {
    let scene_args = |scene: &String| SceneArgs {
        scene: scene.clone(),
        up: args.up,
    };
    // All scenes are looked at before the first pair is made: a refusal should not cost minutes.
    let mut hashes: Vec<String> = Vec::new();
    for source in &args.scenes {
        let scene = scene_args(source).load(&mut config)?;
        let hash = scene.hash_hex();
        gathered.check(&scene.name, &hash)?;
        if hashes.contains(&hash) {
            return Err(Failure::arguments(format!("the scene {} is given twice", scene.name)));
        }
        hashes.push(hash);
    }
    let scenes = args.scenes.len() as u64;
    for (place, source) in args.scenes.iter().enumerate() {
        let count = args.pairs / scenes + u64::from((place as u64) < args.pairs % scenes);
        let walkable = Walkable::open(&scene_args(source), &mut config)?;
        let generator = walkable.generator(gpu, &config, args.seed)?;
        let pairs = generator.into_pairs(config.generate.max_positions_per_pair);
        for pair in pairs.take(count as usize) {
            common::check(stop)?;
            gathered.add(pair?)?;
        }
    }
    Ok(())
}

/// Returns profile and configuration hash of the first set.
fn from_sets(args: &Args, stop: &AtomicBool, gathered: &mut Gathered<'_>) -> anyhow::Result<(String, String)> {
    let sets = args.from.iter().map(|dir| NativeReader::open(dir));
    let sets = sets.collect::<Result<Vec<_>, _>>()?;
    for set in &sets {
        for scene in &set.run().scenes {
            gathered.check(&scene.name, &scene.hash)?;
        }
    }
    let made = sets
        .first()
        .map(|set| (set.run().profile.clone(), set.run().config_hash.clone()));
    let pairs = Replay::new(sets);
    if (pairs.len() as u64) < args.pairs {
        return Err(Failure::arguments(format!(
            "the sets of --from hold {} pairs, and --pairs asks for {}",
            pairs.len(),
            args.pairs
        )));
    }
    for pair in pairs.take(args.pairs as usize) {
        common::check(stop)?;
        let pair = pair?;
        gathered.check(&pair.origin.scene, &pair.origin.scene_hash)?;
        gathered.add(pair)?;
    }
    Ok(made.unwrap_or_default())
}
