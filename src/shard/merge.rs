//! Shards to one set.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::ShardError;
use super::folder::{ClaimedFolder, find_shards};
use super::replay::replay;
use crate::export::ExportError;
use crate::export::native::{Counters, NativeReader, Placing, RunRecord, SetMerger, ShardRecord};

/// What was put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MergeReport {
    /// Number of shards.
    pub shards: u64,
    /// Pairs that the run was to have.
    pub pairs_wanted: u64,
    /// What all shards counted.
    pub counters: Counters,
}

/// Puts the shards of one run together in `out`: every shard once, in order, every hash checked. The result equals
/// the set that one process would have made, byte for byte.
///
/// `paths` are shards, or folders of them. `out` has its name once it is complete.
///
/// # Errors
///
/// [`ShardError::Incomplete`] where a shard is missing, unfinished, given twice or of another run;
/// [`ShardError::Export`] for damaged files, an `out` that exists, and write errors.
pub fn merge(paths: &[PathBuf], out: &Path, placing: Placing) -> Result<MergeReport, ShardError> {
    let Shards { paths, first, run } = check(collect(paths)?)?;
    if out.exists() {
        return Err(ExportError::Exists {
            path: out.to_path_buf(),
        }
        .into());
    }
    let folder = ClaimedFolder::claim(out)?;
    let temporary = folder.temporary();
    if temporary.exists() {
        // What a merge that was killed left: links and copies, never the only ones.
        fs::remove_dir_all(temporary).map_err(|e| ExportError::write(temporary, e))?;
    }
    fs::create_dir(temporary).map_err(|e| ExportError::create(temporary, e))?;
    let mut merger = SetMerger::new(temporary, &run, placing);
    let added = paths.iter().try_for_each(|path| merger.add(&NativeReader::open(path)?));
    let counters = match added.and_then(|()| merger.finish()) {
        Ok(counters) => counters,
        Err(error) => {
            // The space is wanted back; that the clean-up may fail too changes nothing.
            let _ = fs::remove_dir_all(temporary);
            return Err(error.into());
        }
    };
    folder.name()?;
    Ok(MergeReport {
        shards: first.count,
        pairs_wanted: first.pairs,
        counters,
    })
}

/// The shards that `paths` name, folders of shards looked into.
fn collect(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ShardError> {
    let mut shards = Vec::new();
    for path in paths {
        let inside = match path.is_dir() {
            true => find_shards(path)?,
            false => Vec::new(),
        };
        let counts = inside.windows(2).find(|w| w[0].0.count != w[1].0.count);
        if let Some([a, b]) = counts {
            return Err(ShardError::Incomplete(format!(
                "{} holds shards of {} and of {}: name those that are meant",
                path.display(),
                a.0.count,
                b.0.count
            )));
        }
        match inside.is_empty() {
            true => shards.push(path.clone()),
            false => shards.extend(inside.into_iter().map(|(_, path)| path)),
        }
    }
    Ok(shards)
}

/// A whole run.
struct Shards {
    /// In order.
    paths: Vec<PathBuf>,
    first: ShardRecord,
    run: RunRecord,
}

/// Brings the shards into order and refuses what is no whole run; one of them is in memory at a time.
fn check(paths: Vec<PathBuf>) -> Result<Shards, ShardError> {
    let incomplete = |why: String| Err(ShardError::Incomplete(why));
    let mut first: Option<(ShardRecord, RunRecord)> = None;
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    let (mut skipped, mut used) = (BTreeMap::new(), BTreeMap::new());
    for path in paths {
        let reader = NativeReader::open(&path)?;
        let Some(shard) = reader.run().shard else {
            return incomplete(format!("{} is a set of its own, not a shard", path.display()));
        };
        if !reader.is_finished() {
            return incomplete(format!("{} is not finished: run its task again", path.display()));
        }
        let (whole, run) = first.get_or_insert_with(|| (shard, reader.run().clone()));
        if (shard.count, shard.pairs) != (whole.count, whole.pairs) {
            return incomplete(format!("{} is shard {shard}, another one is {whole}", path.display()));
        }
        if let Some((what, found, expected)) = reader.run().difference_of_runs(run) {
            return Err(ExportError::Mismatch {
                what,
                found,
                expected,
                path,
            }
            .into());
        }
        let scenes = replay(&reader).map_err(|why| {
            ShardError::Incomplete(format!("{} does not follow the plan of its run: {why}", path.display()))
        })?;
        used.extend(scenes.into_iter().map(|scene| (scene, path.clone())));
        skipped.extend(reader.skipped().iter().map(|scene| (scene.scene.clone(), path.clone())));
        found.push((shard.index, path));
    }
    // A scene that failed on one machine only: one run would have used it everywhere or nowhere.
    if let Some((scene, path)) = skipped.iter().find(|(scene, _)| used.contains_key(*scene)) {
        return incomplete(format!(
            "scene {scene} could not be used in {} and was used in {}: remove the first and run its task again",
            path.display(),
            used[scene].display()
        ));
    }
    found.sort();
    let Some((first, run)) = first else {
        return incomplete("no shard is given".into());
    };
    if let Some([a, b]) = found.windows(2).find(|w| w[0].0 == w[1].0) {
        return incomplete(format!(
            "shard {} is given twice: {} and {}",
            a.0,
            a.1.display(),
            b.1.display()
        ));
    }
    let missing: Vec<String> = (0..first.count)
        .filter(|index| found.binary_search_by_key(index, |(i, _)| *i).is_err())
        .map(|index| index.to_string())
        .collect();
    if !missing.is_empty() {
        let shown = missing.iter().take(20).cloned().collect::<Vec<_>>().join(",");
        let more = if missing.len() > 20 { ",..." } else { "" };
        return incomplete(format!(
            "shards {shown}{more} of {} are missing: run their tasks again",
            first.count
        ));
    }
    Ok(Shards {
        paths: found.into_iter().map(|(_, path)| path).collect(),
        first,
        run,
    })
}
