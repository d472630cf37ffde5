//! Candidates as a folder of `covista validate`.

use std::collections::BTreeMap;
use std::path::Path;

use covista::config::Config;
use covista::export::native::SceneRecord;
use covista::mine::{Judged, MineRule};
use covista::validate::{
    JudgedMetric, Measurement, MetricRule, Plan, PlannedPosition, PlannedScene, PositionKey, Table,
};

use super::super::exit::Failure;
use super::super::validate::folder::{FolderWriter, PAIRS, PLAN};

/// Measures candidates as they come.
pub struct JudgedFolder {
    writer: FolderWriter,
    measurement: Measurement,
    table: Table,
    plan: Plan,
}

impl JudgedFolder {
    /// Starts a folder that must not exist yet; where a run goes on (`resume`) it may be what that run left.
    pub fn create(
        dir: &Path,
        profile: &str,
        config: &Config,
        rule: &MineRule,
        scenes: &[SceneRecord],
        resume: bool,
    ) -> anyhow::Result<Self> {
        // All candidates are judged again, so that nothing of it is needed.
        let is_ours = || match std::fs::read_to_string(dir.join(PLAN)) {
            Ok(plan) => serde_json::from_str::<Plan>(&plan)
                .is_ok_and(|plan| (plan.config_hash, plan.seed) == (config.data_hash(), rule.seed)),
            Err(_) => dir.join(PAIRS).exists(),
        };
        if dir.exists() && !(resume && is_ours()) {
            return Err(Failure::output(format!(
                "the folder for --validate exists already; give another: {}",
                dir.display()
            )));
        }
        let metric = MetricRule {
            name: profile.to_owned(),
            min_overlap: rule.select.min_overlap,
            max_overlap: rule.select.max_overlap,
            bounds: rule.select.bounds,
            min_laplacian_variance: rule.select.min_laplacian_variance,
        };
        let metrics = vec![metric.clone()];
        Ok(Self {
            writer: FolderWriter::create(dir, metrics.clone(), false)?,
            measurement: Measurement {
                metrics: vec![JudgedMetric {
                    rule: metric,
                    overlap: rule.overlap.clone(),
                }],
                truth: rule.truth.clone(),
            },
            table: Table {
                metrics: metrics.clone(),
                rows: Vec::new(),
            },
            plan: Plan {
                covista_version: env!("CARGO_PKG_VERSION").to_owned(),
                profile: profile.to_owned(),
                config_hash: config.data_hash(),
                seed: rule.seed,
                metrics,
                scenes: scenes
                    .iter()
                    .map(|scene| PlannedScene {
                        name: scene.name.clone(),
                        hash: scene.hash.clone(),
                        refused: BTreeMap::new(),
                        positions: Vec::new(),
                    })
                    .collect(),
                interrupted: true,
            },
        })
    }

    /// Measures the candidates of a trial, each as a position of two views.
    pub fn add(&mut self, source: &str, judged: &[Judged]) -> anyhow::Result<()> {
        let Some(scene) = self.plan.scenes.iter_mut().find(|scene| scene.name == source) else {
            return Ok(());
        };
        for candidate in judged {
            let index = scene.positions.len() as u64;
            let key = PositionKey {
                scene: source.to_owned(),
                seed: self.plan.seed,
                index,
                votes_seed: index,
            };
            let pairs = self.measurement.position(&key, &candidate.views, 1);
            self.writer.position(&pairs)?;
            self.table.rows.extend(pairs.into_iter().map(|pair| pair.row));
            scene.positions.push(PlannedPosition {
                index,
                intrinsics: candidate.views[0].camera.intrinsics,
                world_from_camera: candidate
                    .views
                    .iter()
                    .map(|view| view.camera.world_from_camera_row_major())
                    .collect(),
                images: Vec::new(),
            });
        }
        Ok(())
    }

    /// Writes the plan: the folder is complete.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.plan.interrupted = false;
        Ok(self.writer.plan(&self.plan, &self.table)?)
    }
}
