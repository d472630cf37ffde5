//! Renders positions, measures their pairs and writes them down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use covista::config::Config;
use covista::render::{Gpu, GpuConfig};
use covista::report::validation::ShownBlunder;
use covista::rng::Rng;
use covista::sweep::VIEWS_PER_STOP;
use covista::validate::{Measurement, Plan, PlannedPosition, PlannedScene, PositionKey, Table, Worst};
use covista::view::View;
use image::RgbImage;

use super::super::common::{self, SceneArgs};
use super::super::exit::Failure;
use super::super::open::Walkable;
use super::folder::{FolderWriter, image_name};
use super::{Args, load, report, require_fresh};

/// Runs the measurement and its report.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let (mut config, metrics) = load(args)?;
    let out = args
        .out
        .as_deref()
        .ok_or_else(|| Failure::arguments("--out is missing"))?;
    let stop = common::interrupt_flag()?;
    require_fresh(out, args.overwrite)?;
    // All scenes are opened once before anything is written, so that a wrong one is told at the start.
    let first = open(args, &args.scenes[0], &mut config)?;
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let measurement = Measurement {
        metrics,
        truth: config.truth.clone(),
    };
    let rules: Vec<_> = measurement.metrics.iter().map(|metric| metric.rule.clone()).collect();
    let mut writer = FolderWriter::create(out, rules.clone(), args.images)?;
    let mut run = Run {
        args,
        config,
        gpu,
        measurement,
        table: Table {
            metrics: rules.clone(),
            rows: Vec::new(),
        },
        worst: Worst::new(args.worst),
        bar: common::progress(args.positions * args.scenes.len() as u64, "positions"),
    };
    let mut plan = Plan {
        covista_version: env!("CARGO_PKG_VERSION").to_owned(),
        profile: args.config.profile.clone(),
        config_hash: run.config.data_hash(),
        seed: args.seed,
        metrics: rules,
        scenes: Vec::new(),
        interrupted: false,
    };
    let mut names = BTreeSet::new();
    let mut next = Some(first);
    for source in &args.scenes {
        let walkable = match next.take() {
            Some(walkable) => walkable,
            None => open(args, source, &mut run.config)?,
        };
        if !names.insert(walkable.scene.name.clone()) {
            return Err(Failure::arguments(format!(
                "two scenes are called {:?}: pairs are keyed by that name, so validate them in two runs",
                walkable.scene.name
            )));
        }
        let scene = run.scene(&walkable, &mut writer, &stop)?;
        plan.interrupted = (scene.positions.len() as u64) < args.positions;
        plan.scenes.push(scene);
        if plan.interrupted {
            break;
        }
    }
    run.bar.finish_and_clear();
    writer.plan(&plan, &run.table)?;
    if plan.interrupted {
        let done: usize = plan.scenes.iter().map(|scene| scene.positions.len()).sum();
        return Err(Failure::interrupted(format!(
            "interrupted after {done} of {} positions; `covista validate --from {}` reports on these",
            args.positions * args.scenes.len() as u64,
            out.display()
        )));
    }
    report::write(args, out, plan, run.table, run.worst, true)
}

fn open(args: &Args, scene: &str, config: &mut Config) -> anyhow::Result<Walkable> {
    let scene = SceneArgs {
        scene: scene.to_owned(),
        up: args.up,
    };
    Walkable::open(&scene, config)
}

struct Run<'a> {
    args: &'a Args,
    config: Config,
    gpu: Gpu,
    measurement: Measurement,
    table: Table,
    worst: Worst<ShownBlunder>,
    bar: indicatif::ProgressBar,
}

impl Run<'_> {
    /// Measures the positions of one scene, fewer if the flag goes up.
    fn scene(
        &mut self,
        walkable: &Walkable,
        writer: &mut FolderWriter,
        stop: &std::sync::atomic::AtomicBool,
    ) -> anyhow::Result<PlannedScene> {
        let (args, name) = (self.args, &walkable.scene.name);
        let generator = walkable.lone_generator(&self.gpu, &self.config, args.seed)?;
        let limit = args
            .positions
            .saturating_mul(self.config.generate.max_positions_per_pair);
        let mut planned = PlannedScene {
            name: name.clone(),
            hash: walkable.scene.hash_hex(),
            refused: BTreeMap::new(),
            positions: Vec::new(),
        };
        for index in 0..limit {
            if planned.positions.len() as u64 == args.positions || stop.load(Ordering::SeqCst) {
                return Ok(planned);
            }
            let (_, views) = match generator.sweep_views(index)? {
                Ok(found) => found,
                Err(refusal) => {
                    *planned.refused.entry(refusal.reason().to_owned()).or_default() += 1;
                    continue;
                }
            };
            let word = walkable.scene.hash_word();
            let key = PositionKey {
                scene: name.clone(),
                seed: args.seed,
                index,
                // As `generate` draws it, so that the numbers are those of its pairs.
                votes_seed: Rng::stream(args.seed, "votes", &[word, index]).next_u64(),
            };
            self.position(&key, &views, writer)?;
            planned.positions.push(self.planned(name, index, &views));
            self.bar.inc(1);
        }
        if (planned.positions.len() as u64) < args.positions {
            return Err(Failure::input(format!(
                "{name} gave {} of {} positions in {limit} tries: {:?}",
                planned.positions.len(),
                args.positions,
                planned.refused
            )));
        }
        Ok(planned)
    }

    fn position(&mut self, key: &PositionKey, views: &[Arc<View>], writer: &mut FolderWriter) -> anyhow::Result<()> {
        let pairs = self.measurement.position(key, views, VIEWS_PER_STOP);
        if self.args.images {
            writer.views(&key.scene, key.index, views)?;
        }
        writer.position(&pairs)?;
        let mut pictures: BTreeMap<u32, Arc<RgbImage>> = BTreeMap::new();
        for pair in pairs {
            for (metric, rule) in self.table.metrics.iter().enumerate() {
                self.worst.offer(&pair.row, rule, metric, || ShownBlunder {
                    views: [pair.row.key.first, pair.row.key.second].map(|place| {
                        let picture = || Arc::new(views[place as usize].color.clone());
                        Arc::clone(pictures.entry(place).or_insert_with(picture))
                    }),
                    found: Some(pair.partners[metric].clone()),
                    truth: pair.true_partners.clone(),
                });
            }
            self.table.rows.push(pair.row);
        }
        Ok(())
    }

    fn planned(&self, scene: &str, index: u64, views: &[Arc<View>]) -> PlannedPosition {
        let image = |place: usize| image_name(scene, index, place as u32);
        PlannedPosition {
            index,
            intrinsics: views[0].camera.intrinsics,
            world_from_camera: views
                .iter()
                .map(|view| view.camera.world_from_camera_row_major())
                .collect(),
            images: if self.args.images {
                (0..views.len()).map(image).collect()
            } else {
                Vec::new()
            },
        }
    }
}
