//! The measured sample of one scene: real positions, judged and written to a scratch folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use covista::export::native::{NativeWriter, RunRecord};
use covista::generate::Outcome;
use covista::render::Gpu;

use super::Args;
use crate::cli::clock::{Clock, Spent};
use crate::cli::common::SceneArgs;
use crate::cli::exit::Failure;
use crate::cli::generate;
use crate::cli::open::Walkable;
use crate::cli::scratch::Scratch;

/// Positions before the clock starts: shaders, targets and caches.
const WARM_UP: u64 = 2;
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

/// Opens a scene and makes positions of it until there are pairs enough or the time is over.
pub fn take(args: &Args, scene: &SceneArgs, gpu: &Gpu, stop: &AtomicBool) -> anyhow::Result<Sample> {
    let mut config = args.config.load()?;
    let mut open = Spent::default();
    let (walkable, mut generator) = open.time(|| -> anyhow::Result<_> {
        let walkable = Walkable::open(scene, &mut config)?;
        let generator = walkable.generator(gpu, &config, args.seed)?;
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
    run.selection = generate::selection(&config);
    let folder = Scratch::new("estimate");
    let mut writer = NativeWriter::create(&folder.path, &run)?;
    let name = walkable.scene.name.as_str();
    let (mut positions, mut refused) = (0, BTreeMap::new());
    let begin = Instant::now();
    let mut clock = Clock::start();
    loop {
        let enough = writer.pairs() as u64 >= args.sample_pairs || begin.elapsed().as_secs_f64() > args.sample_seconds;
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
