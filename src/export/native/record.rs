//! The plain records of a set: the run, its scenes, each position tried.

use std::collections::BTreeMap;

use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::export::{PictureFormat, json};
use crate::view::Measure;

/// Version of the folder layout and of the JSON files.
pub const FORMAT_VERSION: u32 = 1;

/// What makes a run: the same record, on one adapter and build, makes the same set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of this program.
    pub covista_version: String,
    /// Name of the profile that the configuration started from.
    pub profile: String,
    /// The resolved configuration.
    pub config: Value,
    /// [`json::hash`] of `config`.
    pub config_hash: String,
    /// Seed of every draw.
    pub seed: u64,
    /// Scenes in the order in which they are visited.
    pub scenes: Vec<SceneRecord>,
    /// How pictures are stored.
    pub pictures: PictureFormat,
    /// Which measure keeps a pair, and within what bounds.
    pub selection: Selection,
    /// Adapter that renders, by name and driver. Pixels may differ by rounding between adapters.
    pub adapter: String,
    /// How the run is cut into blocks; none for sets that were not made block by block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanRecord>,
    /// Which part of a run this set is; none for whole ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardRecord>,
}

impl RunRecord {
    /// The record of a run of this build; the configuration's hash is computed here.
    pub fn new(profile: &str, config: Value, seed: u64, scenes: Vec<SceneRecord>, adapter: &str) -> Self {
        Self {
            covista_version: env!("CARGO_PKG_VERSION").into(),
            profile: profile.into(),
            config_hash: json::hash(&config),
            config,
            seed,
            scenes,
            pictures: PictureFormat::default(),
            selection: Selection::default(),
            adapter: adapter.into(),
            plan: None,
            shard: None,
        }
    }

    /// The first thing in which two runs differ so that their pairs must not be mixed:
    /// its name, its value in `self` and its value in `other`. Adapters may differ.
    ///
    /// Runs with a plan list a scene once it is opened, so of those only the scenes that both know are compared.
    pub fn difference(&self, other: &Self) -> Option<(String, String, String)> {
        let shard = |run: &Self| run.shard.map_or_else(|| "none".to_owned(), |shard| shard.to_string());
        let last = [("shard", shard(self), shard(other))];
        let last = last
            .into_iter()
            .map(|(what, a, b)| (what.to_owned(), a, b))
            .find(|(_, a, b)| a != b);
        self.difference_of_runs(other).or(last)
    }

    /// As [`Self::difference`], whichever shards of a run the two are.
    pub fn difference_of_runs(&self, other: &Self) -> Option<(String, String, String)> {
        let scene_list = |run: &Self| {
            let names: Vec<_> = run.scenes.iter().map(|s| s.name.as_str()).collect();
            format!("[{}]", names.join(", "))
        };
        let mut plain = vec![
            (
                "covista version",
                self.covista_version.clone(),
                other.covista_version.clone(),
            ),
            ("config hash", self.config_hash.clone(), other.config_hash.clone()),
            ("seed", self.seed.to_string(), other.seed.to_string()),
            (
                "picture format",
                self.pictures.extension().into(),
                other.pictures.extension().into(),
            ),
        ];
        match (&self.plan, &other.plan) {
            (Some(a), Some(b)) => plain.extend(a.differences(b)),
            _ => plain.push(("list of scenes", scene_list(self), scene_list(other))),
        }
        let known = |a: &SceneRecord| {
            other
                .scenes
                .iter()
                .find(|b| b.name == a.name)
                .map(|b| (a.clone(), b.hash.clone()))
        };
        let hashes = self.scenes.iter().filter_map(known);
        let hashes = hashes.map(|(a, b)| (format!("hash of scene {}", a.name), a.hash, b));
        plain
            .into_iter()
            .map(|(what, a, b)| (what.to_string(), a, b))
            .chain(hashes)
            .find(|(_, a, b)| a != b)
    }
}

/// How a run is cut into blocks: with configuration, seed and scenes it decides every position that is tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// Pairs of a full block.
    pub block_pairs: u64,
    /// `generate.max_positions_per_pair`, which decides when a block takes its next scene; none where there is one scene.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions_per_pair: Option<u64>,
    /// Pairs of the whole run, where quotas make the plan depend on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<u64>,
    /// The scenes as they were asked for, in order.
    pub sources: Vec<SourceRecord>,
}

/// A scene as it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Path or recipe.
    pub scene: String,
    /// Share of the blocks that start with it, against the other weights.
    pub weight: f64,
    /// Most pairs of it in the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
}

impl PlanRecord {
    /// What must agree, by name.
    fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let number = |value: Option<u64>| value.map_or_else(|| "not set".to_owned(), |v| v.to_string());
        let first = self.sources.iter().zip(&other.sources).find(|(a, b)| a != b);
        let scene = |source: &SourceRecord| {
            format!(
                "{} (weight {}, quota {})",
                source.scene,
                source.weight,
                number(source.quota)
            )
        };
        let (a, b) = first.map_or((String::new(), String::new()), |(a, b)| (scene(a), scene(b)));
        vec![
            (
                "generate.block_pairs",
                self.block_pairs.to_string(),
                other.block_pairs.to_string(),
            ),
            (
                "number of scenes",
                self.sources.len().to_string(),
                other.sources.len().to_string(),
            ),
            ("list of scenes", a, b),
            (
                "generate.max_positions_per_pair",
                number(self.positions_per_pair),
                number(other.positions_per_pair),
            ),
            ("number of pairs", number(self.pairs), number(other.pairs)),
        ]
    }
}

/// Part `index` of `count` of a run of `pairs` pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRecord {
    /// 0 to `count` - 1.
    pub index: u64,
    /// Parts of the run.
    pub count: u64,
    /// Pairs of the whole run.
    pub pairs: u64,
}

impl std::fmt::Display for ShardRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} for {} pairs", self.index, self.count, self.pairs)
    }
}

/// A scene that gave nothing because it could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedScene {
    /// As in [`SourceRecord::scene`].
    pub scene: String,
    /// What was wrong with it.
    pub reason: String,
}

/// A scene of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneRecord {
    /// File stem or recipe; what `PairOrigin::scene` says.
    pub name: String,
    /// BLAKE3 of the scene's bytes, hexadecimal.
    pub hash: String,
}

/// The rule that keeps a pair, as far as a reader of the set needs it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The measure that decides.
    pub measure: Measure,
    /// Lower bound of the overlap, in [0, 1].
    pub low: f64,
    /// Upper bound of the overlap, in [0, 1].
    pub high: f64,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            measure: Measure::Homography,
            low: 0.5,
            high: 0.75,
        }
    }
}

/// One sampled position: where the agent stopped and what came of its candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Trial {
    /// Name of the scene.
    pub scene: String,
    /// Index of the sampled position within the scene.
    pub index: u64,
    /// (x, z) of each stop in the world, metres, stored to the micrometre; empty where no position was found.
    pub stops: Vec<[f64; 2]>,
    /// Candidate pairs that were refused, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// A pair folder of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairEntry {
    /// Folder within the set, `000000` and up.
    pub folder: String,
    /// BLAKE3 of each file, by name.
    pub files: BTreeMap<String, String>,
}

/// A position as recorded: the trial, and the pairs it gave or why it gave none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// The position.
    #[serde(flatten)]
    pub trial: Trial,
    /// Folders that came of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<PairEntry>,
    /// Why nothing came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a position ended, as far as that is known without its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried<'a> {
    /// Name of its scene.
    pub scene: &'a str,
    /// Index of the sampled position within the scene.
    pub index: u64,
    /// Numbers of the pairs that it gave.
    pub pairs: std::ops::Range<usize>,
    /// True where files of its pairs were found damaged, so that they are to be made again.
    pub is_missing: bool,
}

/// What a run counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Counters {
    /// Positions tried.
    pub positions: u64,
    /// Positions that gave a pair.
    pub positions_kept: u64,
    /// Pairs kept.
    pub pairs: u64,
    /// Positions that gave no pair, by reason.
    pub refused_positions: BTreeMap<String, u64>,
    /// Candidate pairs refused, by reason, over all positions.
    pub refused_candidates: BTreeMap<String, u64>,
}

impl Counters {
    /// Adds a position.
    pub(super) fn count(&mut self, record: &TrialRecord) {
        let pairs = record.pairs.len();
        self.count_parts(&record.trial, pairs, record.reason.as_ref());
    }

    /// As [`Self::count`], of a position with `pairs` pairs.
    pub(super) fn count_parts(&mut self, trial: &Trial, pairs: usize, reason: Option<&String>) {
        self.positions += 1;
        self.positions_kept += u64::from(pairs > 0);
        self.pairs += pairs as u64;
        if let Some(reason) = reason {
            add(&mut self.refused_positions, reason, 1);
        }
        for (reason, count) in &trial.refused {
            add(&mut self.refused_candidates, reason, *count);
        }
    }

    /// Takes a position out again that was counted; a reason that nobody else gave stays with 0.
    pub(super) fn take(&mut self, record: &TrialRecord) {
        self.positions = self.positions.saturating_sub(1);
        self.positions_kept = self.positions_kept.saturating_sub(u64::from(!record.pairs.is_empty()));
        self.pairs = self.pairs.saturating_sub(record.pairs.len() as u64);
        let candidates = record.trial.refused.iter().map(|(reason, count)| (reason, *count));
        for (reason, count) in candidates {
            subtract(&mut self.refused_candidates, reason, count);
        }
        if let Some(reason) = &record.reason {
            subtract(&mut self.refused_positions, reason, 1);
        }
    }

    /// Adds what another part of the run counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.positions += other.positions;
        self.positions_kept += other.positions_kept;
        self.pairs += other.pairs;
        for (sums, counts) in [
            (&mut self.refused_positions, &other.refused_positions),
            (&mut self.refused_candidates, &other.refused_candidates),
        ] {
            for (reason, count) in counts {
                add(sums, reason, *count);
            }
        }
    }

    /// Share of the tried positions that gave a pair; 0 where none was tried.
    pub fn yield_fraction(&self) -> f64 {
        self.positions_kept as f64 / self.positions.max(1) as f64
    }
}

fn add(sums: &mut BTreeMap<String, u64>, reason: &str, count: u64) {
    match sums.get_mut(reason) {
        Some(sum) => *sum = sum.saturating_add(count),
        None => drop(sums.insert(reason.to_owned(), count)),
    }
}

fn subtract(sums: &mut BTreeMap<String, u64>, reason: &str, count: u64) {
    if let Some(sum) = sums.get_mut(reason) {
        *sum = sum.saturating_sub(count);
    }
}

/// A scene seen from above, to draw positions on.
#[derive(Debug, Clone, PartialEq)]
pub struct TopDown {
    /// Columns go along +x, rows along +z: the top of the picture looks along -z.
    pub image: RgbImage,
    /// World x of the left edge, metres, stored to the micrometre.
    pub min_x: f64,
    /// World z of the top edge, metres, stored to the micrometre.
    pub min_z: f64,
    /// Side of a pixel, metres.
    pub metres_per_pixel: f64,
}

/// A stored [`TopDown`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopDownEntry {
    /// Name of the scene.
    pub scene: String,
    /// File within the set.
    pub file: String,
    /// BLAKE3 of the file.
    pub hash: String,
    /// World x of the left edge, metres, stored to the micrometre.
    pub min_x: f64,
    /// World z of the top edge, metres, stored to the micrometre.
    pub min_z: f64,
    /// Side of a pixel, metres.
    pub metres_per_pixel: f64,
}
