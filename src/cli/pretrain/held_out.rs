//! Pairs to judge a run by, made before it begins.

use std::sync::atomic::AtomicBool;

use covista::config::Config;
use covista::render::Gpu;
use covista::stream::PairBatch;
use covista::train::Cadence;
use covista::train::held_out::HeldOut;

use crate::cli::common::{self, SceneArgs};
use crate::cli::exit::Failure;
use crate::cli::open::Walkable;

/// Sample index of the first held-out pair: training counts up from 0 and does not come here.
const FIRST_INDEX: u64 = 1 << 40;

/// The held-out pairs that `cadence` asks for: of its scene, or of other positions of the `trained` one.
/// `None` where nothing is judged.
pub fn make(
    cadence: &Cadence,
    trained: &Walkable,
    scene: &SceneArgs,
    gpu: &Gpu,
    config: &Config,
    interrupted: &AtomicBool,
) -> anyhow::Result<Option<HeldOut>> {
    if cadence.validate_every == 0 && cadence.pictures_every == 0 {
        return Ok(None);
    }
    let other = cadence.validation_scene.as_ref().map(|name| {
        let named = SceneArgs {
            scene: name.clone(),
            ..scene.clone()
        };
        Walkable::open(&named, &mut config.clone())
    });
    let other = other.transpose()?;
    let walkable = other.as_ref().unwrap_or(trained);
    eprintln!(
        "making {} held-out pairs of {}",
        cadence.validation_pairs, walkable.scene.name
    );
    let mut generator = walkable.generator(gpu, config, config.train.seed)?;
    generator.seek(FIRST_INDEX);
    let mut pairs = generator.into_pairs(config.generate.max_positions_per_pair);
    let mut batches = Vec::new();
    let mut left = cadence.validation_pairs;
    while left > 0 {
        let mut group = Vec::new();
        for pair in pairs.by_ref().take(left.min(config.train.batch)) {
            group.push(pair?);
            common::check(interrupted)?;
        }
        left -= group.len();
        batches.push(PairBatch::from_views(&group).ok_or_else(|| Failure::input("the scene gave no held-out pair"))?);
    }
    Ok(Some(HeldOut::new(batches)))
}
