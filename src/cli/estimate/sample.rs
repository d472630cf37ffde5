//! The measured sample of one scene: real positions, judged and written to a scratch folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use covista::config::Config;
use covista::export::native::{NativeWriter, RunRecord};
use covista::generate::Outcome;
use covista::render::Gpu;
use covista::rng::Rng;
use covista::scene::{ListedSource, SceneSource};

use super::Args;
use crate::cli::clock::{Clock, Spent};
use crate::cli::exit::Failure;
use crate::cli::generate;
use crate::cli::open::Walkable;
use crate::cli::scratch::Scratch;

/// Positions before the clock starts: shaders, targets and caches.
const WARM_UP: u64 = 2;
/// Endless invented flats: how many of them stand for the others.
const FLATS: u64 = 3;
/// Positions that a sample has at least, however long they take.
const FEWEST: u64 = 12;

/// What a scene was measured to give.
pub struct Sample {
    /// Reading the scene, its navmesh, upload.
    pub open: Spent,
    /// Positions tried.
    pub positions: u64,
    /// Pairs kept.
    pub pairs: u64,
    /// Of the positions after the warm-up.
    pub per_position: Spent,
    /// Bytes of the files of a pair, on average.
    pub bytes_per_pair: f64,
    /// Bytes of the manifest for each position.
    pub bytes_per_position: f64,
    /// Refused positions, by reason.
    pub refused: BTreeMap<String, u64>,
}

impl Sample {
    /// What scenes gave together, each position of each counting once.
    fn mean(all: &[Self]) -> Self {
        let positions: u64 = all.iter().map(|one| one.positions).sum();
        let pairs: u64 = all.iter().map(|one| one.pairs).sum();
        let over = |count: u64, of: &dyn Fn(&Self) -> f64| all.iter().map(of).sum::<f64>() / count.max(1) as f64;
        let scenes = all.len() as u64;
        let mut refused = BTreeMap::new();
        for (reason, count) in all.iter().flat_map(|one| &one.refused) {
            *refused.entry(reason.clone()).or_default() += count;
        }
        Self {
            open: Spent {
                cpu_s: over(scenes, &|one| one.open.cpu_s),
                wall_s: over(scenes, &|one| one.open.wall_s),
            },
            positions,
            pairs,
            per_position: Spent {
                cpu_s: over(positions, &|one| one.per_position.cpu_s * one.positions as f64),
                wall_s: over(positions, &|one| one.per_position.wall_s * one.positions as f64),
            },
            bytes_per_pair: over(pairs, &|one| one.bytes_per_pair * one.pairs as f64),
            bytes_per_position: over(positions, &|one| one.bytes_per_position * one.positions as f64),
            refused,
        }
    }
}

/// The sample of one entry of a list; of endless invented flats that of some of them.
pub fn take(
    args: &Args,
    scene: &ListedSource,
    config: &Config,
    gpu: &Gpu,
    stop: &AtomicBool,
) -> anyhow::Result<Sample> {
    let share = |parts: u64| Enough {
        pairs: args.sample_pairs.div_ceil(parts),
        seconds: args.sample_seconds / parts as f64,
    };
    match scene {
        ListedSource::Scene(source) => one(args, source, config, gpu, stop, share(1)),
        ListedSource::FreshFlats => {
            let flat = |number| {
                let seed = Rng::stream(args.seed, "block flat", &[number]).next_u64();
                one(args, &SceneSource::Procedural(seed), config, gpu, stop, share(FLATS))
            };
            let all = (0..FLATS).map(flat).collect::<anyhow::Result<Vec<_>>>()?;
            Ok(Sample::mean(&all))
        }
    }
}

/// When a sample is large enough.
#[derive(Debug, Clone, Copy)]
struct Enough {
    pairs: u64,
    seconds: f64,
}

/// Opens a scene and makes positions of it until there are pairs enough or the time is over.
fn one(
    args: &Args,
    source: &SceneSource,
    config: &Config,
    gpu: &Gpu,
    stop: &AtomicBool,
    enough: Enough,
) -> anyhow::Result<Sample> {
    let mut open = Spent::default();
    let (walkable, mut generator) = open.time(|| -> anyhow::Result<_> {
        let walkable = Walkable::load(source, config)?;
        let generator = walkable.generator(gpu, config, args.seed)?;
        Ok((walkable, generator))
    })?;
    let mut run = RunRecord::new(
        &args.config.profile,
        config.data_json(),
        args.seed,
        vec![walkable.record()],
        &gpu.adapter().to_string(),
    );
    run.pictures = args.pictures.format();
    run.selection = generate::selection(config);
    let folder = Scratch::new("estimate");
    let mut writer = NativeWriter::create(&folder.path, &run)?;
    let name = walkable.scene.name.as_str();
    let (mut positions, mut refused) = (0, BTreeMap::new());
    let begin = Instant::now();
    let mut clock = Clock::start();
    loop {
        let enough = writer.pairs() as u64 >= enough.pairs || begin.elapsed().as_secs_f64() > enough.seconds;
        if positions >= FEWEST && enough {
            break;
        }
        if stop.load(Ordering::SeqCst) {
            return Err(Failure::interrupted("interrupted"));
        }
        if positions == WARM_UP {
            clock = Clock::start();
        }
        let Some(position) = generator.next() else { break };
        let position = position?;
        if let Outcome::Refused(reason) = position.outcome {
            *refused.entry(reason.to_owned()).or_default() += 1;
        }
        generate::write(&mut writer, name, position)?;
        positions += 1;
    }
    let per_position = clock.spent().per(positions.saturating_sub(WARM_UP));
    let pairs = writer.pairs() as u64;
    writer.finish()?;
    let manifest = file_bytes(&folder.path, false)?;
    let all = file_bytes(&folder.path, true)?;
    Ok(Sample {
        open,
        positions,
        pairs,
        per_position,
        bytes_per_pair: (all - manifest) as f64 / pairs.max(1) as f64,
        bytes_per_position: manifest as f64 / positions.max(1) as f64,
        refused,
    })
}

/// Bytes of the files in a folder, those of the folders in it too when `deep`.
fn file_bytes(folder: &Path, deep: bool) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            bytes += if deep { file_bytes(&entry.path(), true)? } else { 0 };
        } else {
            bytes += metadata.len();
        }
    }
    Ok(bytes)
}
