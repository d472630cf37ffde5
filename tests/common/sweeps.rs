//! The sets of 24 views that the overlap tests judge by, drawn here, with OpenCV's tables of them
//! (tests/fixtures/overlap, made by scripts/fidelity).

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use covista::config::Config;
use covista::features::Level;
use covista::generate::PairGenerator;
use covista::navmesh::NavMesh;
use covista::overlap::{
    GeometricOverlapConfig, HomographyOverlapConfig, ViewFeatures, geometric_overlap, match_views, overlap_of_matches,
    view_features,
};
use covista::render::Gpu;
use covista::scene::SceneSource;
use covista::select::pair_seed;
use covista::view::View;
use rayon::prelude::*;
use serde::Deserialize;

/// `[first list][second list]`, `None` where there is no overlap.
pub type Table = Vec<Vec<Option<f64>>>;

/// What OpenCV says of a set.
#[derive(Debug, Deserialize)]
pub struct Peer {
    pub source: Source,
    /// Hash of each picture that OpenCV saw.
    pub views: Vec<String>,
    pub overlaps: Table,
    pub mean: Table,
    pub sd: Table,
    pub again: Table,
    pub itself: Itself,
    pub choices: Vec<Option<[usize; 2]>>,
}

/// OpenCV's agreement with itself: the ceiling.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Itself {
    pub means: f64,
    pub singles: f64,
    pub kept: f64,
    pub kept_all: f64,
    pub presence: f64,
}

#[derive(Debug, Deserialize)]
pub struct Source {
    pub scene: String,
    #[serde(default)]
    pub seed: u64,
    #[serde(default)]
    pub index: u64,
}

/// One set.
pub struct Set {
    pub name: String,
    pub peer: Peer,
    pub features: Vec<ViewFeatures>,
    /// With depth and pose; empty for a set of pictures alone.
    pub views: Vec<Arc<View>>,
}

/// All sets whose scenes are here; drawn once a test binary. Empty without an adapter.
pub fn sets() -> &'static [Set] {
    static SETS: OnceLock<Vec<Set>> = OnceLock::new();
    SETS.get_or_init(load)
}

fn load() -> Vec<Set> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/overlap");
    let mut files: Vec<PathBuf> = (std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let gpu = super::gpu();
    let mut drawn: Option<(String, PairGenerator)> = None;
    let mut sets = Vec::new();
    for file in files {
        let peer: Peer = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let (pictures, views): (Vec<image::RgbImage>, _) = if peer.source.scene.starts_with("fixtures/") {
            let Some(folder) = super::shared(&peer.source.scene) else {
                continue;
            };
            let picture = |i| image::open(folder.join(format!("{i:03}.png"))).unwrap().to_rgb8();
            ((0..24).into_par_iter().map(picture).collect(), Vec::new())
        } else {
            let Some(gpu) = &gpu else { continue };
            if drawn.as_ref().is_none_or(|(scene, _)| *scene != peer.source.scene) {
                let Some(generator) = generator(gpu, &peer.source) else {
                    continue;
                };
                drawn = Some((peer.source.scene.clone(), generator));
            }
            let (_, generator) = drawn.as_ref().unwrap();
            let (_, views) = generator.sweep_views(peer.source.index).unwrap().unwrap();
            (views.iter().map(|view| view.color.clone()).collect(), views)
        };
        let same = (pictures.iter().zip(&peer.views))
            .filter(|(picture, hash)| blake3::hash(picture.as_raw()).to_hex().starts_with(hash.as_str()))
            .count();
        if same < peer.views.len() {
            println!(
                "{name}: {} of {} pictures are not those that OpenCV measured: this adapter draws otherwise. \
                 The distributions must agree all the same; scripts/fidelity makes the tables anew",
                peer.views.len() - same,
                peer.views.len()
            );
        }
        let config = HomographyOverlapConfig::default();
        let features = pictures
            .par_iter()
            .map(|picture| view_features(picture, &config))
            .collect();
        sets.push(Set {
            name,
            peer,
            features,
            views,
        });
    }
    sets
}

fn generator(gpu: &Gpu, source: &Source) -> Option<PairGenerator> {
    let procedural = source.scene.starts_with("procedural:");
    let mut config = Config::load("covista", None, &[]).unwrap();
    let place = if procedural {
        source.scene.clone()
    } else {
        config.scene.up = covista::scene::Up::Y;
        super::shared(&source.scene)?.display().to_string()
    };
    let scene = SceneSource::parse(&place).unwrap().load(&config.scene).unwrap();
    let navmesh = Arc::new(NavMesh::build(&scene, &config.navmesh).unwrap());
    Some(PairGenerator::new(gpu, &scene, navmesh, config.generator(), source.seed).unwrap())
}

impl Set {
    /// The overlap of all pairs, whatever the gates say: one table a seed. Matches do not depend on the seed and are
    /// made once.
    pub fn tables(&self, config: &HomographyOverlapConfig, seeds: u64) -> Vec<Table> {
        let (first, second) = self.features.split_at(8);
        let pair = |pair: usize| -> Vec<Option<f64>> {
            let (i, j) = (pair / 16, pair % 16);
            let (a, b) = (&first[i], &second[j]);
            if a.keypoints.is_empty() || b.keypoints.is_empty() {
                return vec![None; seeds as usize];
            }
            let matches = match_views(Level::new(), a, b, config);
            (0..seeds)
                .map(|seed| {
                    overlap_of_matches(Level::new(), a, b, &matches, config, pair_seed(seed, i, j))
                        .overlap
                        .map(|o| o.min())
                })
                .collect()
        };
        let cells: Vec<Vec<Option<f64>>> = (0..128).into_par_iter().map(pair).collect();
        let table = |seed: usize| {
            (0..8)
                .map(|i| (0..16).map(|j| cells[i * 16 + j][seed]).collect())
                .collect()
        };
        (0..seeds as usize).map(table).collect()
    }

    /// The geometric truth of the published patch rule where OpenCV has an overlap; `None` for a set of pictures alone.
    pub fn truth(&self) -> Option<Table> {
        if self.views.is_empty() {
            return None;
        }
        let config = GeometricOverlapConfig::default();
        let one = |i: usize, j: usize| {
            self.peer.mean[i][j]?;
            Some(
                geometric_overlap(&self.views[i], &self.views[8 + j], &config)
                    .patches
                    .min(),
            )
        };
        Some(
            (0..8)
                .into_par_iter()
                .map(|i| (0..16).map(|j| one(i, j)).collect())
                .collect(),
        )
    }
}

/// Mean of each cell over the tables that have it.
pub fn mean(tables: &[Table]) -> Table {
    over_cells(tables, |values| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation of each cell over the tables that have it.
pub fn deviation(tables: &[Table]) -> Table {
    over_cells(tables, |values| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()
    })
}

fn over_cells(tables: &[Table], figure: impl Fn(&[f64]) -> f64) -> Table {
    let cell = |i: usize, j: usize| {
        let values: Vec<f64> = tables.iter().filter_map(|t| t[i][j]).collect();
        (!values.is_empty()).then(|| figure(&values))
    };
    (0..8).map(|i| (0..16).map(|j| cell(i, j)).collect()).collect()
}

/// The pair with the smallest overlap in the published range; the first of equal ones.
pub fn choice(table: &Table) -> Option<[usize; 2]> {
    let cells = table
        .iter()
        .enumerate()
        .flat_map(|(i, row)| row.iter().enumerate().map(move |(j, v)| (i, j, *v)));
    cells
        .filter_map(|(i, j, v)| v.filter(|v| in_range(*v)).map(|v| (v, [i, j])))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, place)| place)
}

/// Strictly between 50 and 75 %.
pub fn in_range(overlap: f64) -> bool {
    overlap > 0.5 && overlap < 0.75
}

/// A count and of how many.
#[derive(Debug, Clone, Copy, Default)]
pub struct Share(pub usize, pub usize);

impl Share {
    pub fn of(outcomes: impl Iterator<Item = bool>) -> Self {
        outcomes.fold(Self::default(), |Self(yes, all), outcome| {
            Self(yes + usize::from(outcome), all + 1)
        })
    }

    pub fn value(self) -> f64 {
        self.0 as f64 / self.1.max(1) as f64
    }
}

impl std::ops::AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        *self = Self(self.0 + other.0, self.1 + other.1);
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} of {:4}", self.value(), self.1)
    }
}
