//! Pairs to judge a run by, made before it begins.

use std::sync::atomic::AtomicBool;

use covista::config::Config;
use covista::render::Gpu;
use covista::rng::Rng;
use covista::scene::{ListedSource, SceneList, SceneSource};
use covista::stream::PairBatch;
use covista::train::held_out::HeldOut;
use covista::train::{Cadence, Reference};

use crate::cli::common;
use crate::cli::exit::Failure;
use crate::cli::open::Walkable;

/// Sample index of the first held-out pair: training counts up from 0 and does not come here.
const FIRST_INDEX: u64 = 1 << 40;

/// The held-out pairs that `cadence` asks for: of its scene, or of other positions of the first scene of the list, or
/// of a flat of its own where that one stands for fresh flats. `None` where nothing is judged.
pub fn make(
    cadence: &Cadence,
    list: &SceneList,
    gpu: &Gpu,
    config: &Config,
    interrupted: &AtomicBool,
) -> anyhow::Result<Option<HeldOut>> {
    if cadence.validate_every == 0 && cadence.pictures_every == 0 {
        return Ok(None);
    }
    let source = match (&cadence.validation_scene, &list.entries()[0].scene) {
        (Some(name), _) => SceneSource::parse(name)?,
        (None, ListedSource::Scene(first)) => first.clone(),
        (None, ListedSource::FreshFlats) => {
            SceneSource::Procedural(Rng::stream(config.train.seed, "held-out-flat", &[]).next_u64())
        }
    };
    let walkable = Walkable::load(&source, config)?;
    eprintln!(
        "making {} held-out pairs of {}",
        cadence.validation_pairs, walkable.scene.name
    );
    let mut generator = walkable.generator(gpu, config, config.train.seed)?;
    generator.seek(FIRST_INDEX);
    let mut pairs = generator.into_pairs(config.generate.max_positions_per_pair);
    let mut batches = Vec::new();
    // An unrelated reference comes from another pair of the batch: a pair that would stand alone is left out.
    let fewest = if config.train.reference == Reference::Pair {
        1
    } else {
        2
    };
    if cadence.validation_pairs < fewest {
        return Err(Failure::arguments(
            "--validation-pairs must be at least 2 with train.reference = \"unrelated\"",
        ));
    }
    let mut left = cadence.validation_pairs;
    while left >= fewest {
        let mut group = Vec::new();
        for pair in pairs.by_ref().take(left.min(config.train.batch)) {
            group.push(pair?);
            common::check(interrupted)?;
        }
        left -= group.len();
        batches.push(
            PairBatch::from_views(&group, config.stream.shrink)
                .ok_or_else(|| Failure::input("the scene gave no held-out pair"))?,
        );
    }
    Ok(Some(HeldOut::new(batches)))
}
