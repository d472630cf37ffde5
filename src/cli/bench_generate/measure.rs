//! The measurement itself, in a process whose threads and cores are set.

use std::path::Path;
use std::sync::Arc;

use covista::camera::Camera;
use covista::config::Config;
use covista::export::native::{NativeWriter, RunRecord, Trial};
use covista::generate::{PairGenerator, SamplerKind};
use covista::overlap::{ViewFeatures, view_features};
use covista::render::{Gpu, GpuConfig, GpuScene, Pending, RenderError, Renderer, Sensors};
use covista::rng::Rng;
use covista::select::{SelectMeasure, select_measuring_all};
use covista::sweep::{VIEWS_PER_STOP, sample_sweep};
use covista::view::{PairOrigin, PairOverlaps, View, ViewPair};
use rayon::prelude::*;

use super::stages::{Found, Stages, Workshop};
use super::{Args, Run};
use crate::cli::clock::{Clock, Spent};
use crate::cli::exit::Failure;
use crate::cli::open::Walkable;
use crate::cli::scratch::Scratch;
use crate::cli::{cameras, generate};

/// Views of a sweep.
const VIEWS: usize = 3 * VIEWS_PER_STOP;
/// Positions before the clock starts: shaders, targets and caches.
const WARM_UP: u64 = 2;

/// Measures once.
pub fn run(args: &Args) -> anyhow::Result<Run> {
    let mut config = args.config.load()?;
    let (mut load, mut navmesh, mut upload) = (Spent::default(), Spent::default(), Spent::default());
    load.time(|| args.scene.load(&mut config))?;
    let walkable = navmesh.time(|| Walkable::open(&args.scene, &mut config))?;
    // Opening reads the scene once more.
    navmesh.cpu_s = (navmesh.cpu_s - load.cpu_s).max(0.0);
    navmesh.wall_s = (navmesh.wall_s - load.wall_s).max(0.0);
    let given = args
        .cameras
        .as_deref()
        .map(|path| sweep_cameras(path, &config))
        .transpose()?;
    let clock = Clock::start();
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let renderer = Renderer::new(&gpu, &config.render)?;
    let uploaded = GpuScene::upload_for(&gpu, &walkable.scene, &config.render, Sensors::default())?;
    upload.cpu_s += clock.spent().cpu_s;
    upload.wall_s += clock.spent().wall_s;
    let workshop = Workshop {
        config: &config,
        renderer: &renderer,
        scene: &uploaded,
    };
    let job = Job {
        args,
        config: &config,
        walkable: &walkable,
        adapter: gpu.adapter().to_string(),
    };
    let staged = by_homography(&config);
    let (stages, whole, all_pairs) = match &given {
        Some(cameras) => {
            let stages = staged.then(|| job.stages_of_given(&workshop, cameras)).transpose()?;
            let whole = job.given(&workshop, cameras)?;
            (stages, whole, Some(job.all_pairs(&workshop, cameras)?))
        }
        None => {
            let stages = staged.then(|| job.stages(&workshop)).transpose()?;
            let generator = walkable.generator(&gpu, &config, args.seed)?;
            (stages, job.whole(generator)?, None)
        }
    };
    let (positions, per_position) = (args.positions, whole.total.per(args.positions));
    Ok(Run {
        threads: 0,
        pinned: false,
        scene: walkable.scene.name.clone(),
        triangles: uploaded.triangle_count(),
        adapter: job.adapter,
        load,
        navmesh,
        upload,
        positions,
        pairs: whole.pairs,
        total: whole.total,
        positions_per_s: positions as f64 / whole.total.wall_s,
        pairs_per_s: whole.pairs as f64 / whole.total.wall_s,
        per_position,
        core_hours_per_million_pairs: (whole.pairs > 0).then(|| whole.total.cpu_s / whole.pairs as f64 * 1e6 / 3600.0),
        stages,
        all_pairs,
    })
}

/// Whether the stages that are timed one by one are those that the composer goes through.
fn by_homography(config: &Config) -> bool {
    config.sampler.kind == SamplerKind::Sweep && config.select.select_by.measures() == [SelectMeasure::Homography]
}

/// The cameras of `path` at the configuration's picture size.
fn sweep_cameras(path: &Path, config: &Config) -> anyhow::Result<Vec<Camera>> {
    let mut cameras = cameras::read(path)?;
    if cameras.len() != VIEWS {
        return Err(Failure::input(format!(
            "{} holds {} cameras; a sweep has {VIEWS}, those of the first stop first",
            path.display(),
            cameras.len()
        )));
    }
    for camera in &mut cameras {
        camera.intrinsics = config.render.intrinsics();
    }
    Ok(cameras)
}

/// What came of all positions.
struct Whole {
    pairs: u64,
    total: Spent,
}

/// What is measured, and of what.
struct Job<'a> {
    args: &'a Args,
    config: &'a Config,
    walkable: &'a Walkable,
    adapter: String,
}

impl Job<'_> {
    /// As `covista generate` does it, into a folder that is removed again.
    fn whole(&self, mut generator: PairGenerator) -> anyhow::Result<Whole> {
        let folder = Scratch::new("bench-whole");
        let mut writer = self.writer(&folder)?;
        let scene = self.walkable.scene.name.as_str();
        for position in generator.by_ref().take(WARM_UP as usize) {
            generate::write(&mut writer, scene, position?)?;
        }
        let before = writer.pairs() as u64;
        let mut total = Spent::default();
        total.time(|| -> anyhow::Result<()> {
            for position in generator.by_ref().take(self.args.positions as usize) {
                generate::write(&mut writer, scene, position?)?;
            }
            Ok(())
        })?;
        Ok(Whole {
            pairs: writer.pairs() as u64 - before,
            total,
        })
    }

    /// The stages of the same positions as [`Self::whole`].
    fn stages(&self, workshop: &Workshop<'_>) -> anyhow::Result<Stages> {
        let folder = Scratch::new("bench-stages");
        let mut writer = self.writer(&folder)?;
        let mut stages = Stages::default();
        let (scene, config) = (&self.walkable.scene, self.config);
        for index in 0..WARM_UP + self.args.positions {
            if index == WARM_UP {
                stages = Stages::default();
            }
            let sweep = stages.sweep.time(|| {
                sample_sweep(
                    &self.walkable.navmesh,
                    &config.sweep,
                    config.render.intrinsics(),
                    self.args.seed,
                    scene.hash_word(),
                    index,
                )
            });
            let Ok(sweep) = sweep else { continue };
            let votes = Rng::stream(self.args.seed, "votes", &[scene.hash_word(), index]).next_u64();
            if let Some(found) = workshop.position(&sweep.cameras, votes, &mut stages)? {
                let pair = self.pair(found, index);
                let trial = Trial {
                    scene: scene.name.clone(),
                    index,
                    stops: Vec::new(),
                    refused: Default::default(),
                };
                stages.encode_write.time(|| writer.write_pair(&trial, &pair))?;
            }
        }
        Ok(stages.per(self.args.positions))
    }

    /// The stages of the given cameras, over and over.
    fn stages_of_given(&self, workshop: &Workshop<'_>, cameras: &[Camera]) -> anyhow::Result<Stages> {
        let mut stages = Stages::default();
        for index in 0..WARM_UP + self.args.positions {
            if index == WARM_UP {
                stages = Stages::default();
            }
            workshop.position(cameras, index, &mut stages)?;
        }
        Ok(stages.per(self.args.positions))
    }

    /// The given cameras, the next batch under way while one is judged.
    fn given(&self, workshop: &Workshop<'_>, cameras: &[Camera]) -> anyhow::Result<Whole> {
        let mut pairs = 0;
        let total = self.overlapping(workshop, cameras, |index, views| {
            pairs += u64::from(workshop.judge(views, index, &mut Stages::default())?.is_some());
            Ok(())
        })?;
        Ok(Whole { pairs, total })
    }

    /// Draws the given cameras and measures all 8 x 16 pairs of each batch.
    fn all_pairs(&self, workshop: &Workshop<'_>, cameras: &[Camera]) -> anyhow::Result<Spent> {
        let total = self.overlapping(workshop, cameras, |index, views| {
            let metric = &self.config.overlap;
            let features: Vec<ViewFeatures> = views.par_iter().map(|v| view_features(&v.color, metric)).collect();
            let (first, second) = features.split_at(VIEWS_PER_STOP);
            std::hint::black_box(select_measuring_all(first, second, metric, &self.config.select, index));
            Ok(())
        })?;
        Ok(total.per(self.args.positions))
    }

    fn overlapping(
        &self,
        workshop: &Workshop<'_>,
        cameras: &[Camera],
        mut judge: impl FnMut(u64, &[Arc<View>]) -> Result<(), RenderError>,
    ) -> anyhow::Result<Spent> {
        let submit = || workshop.renderer.submit(workshop.scene, cameras);
        let mut next: Pending = submit()?;
        let mut clock = Clock::start();
        for index in 0..WARM_UP + self.args.positions {
            if index == WARM_UP {
                clock = Clock::start();
            }
            let now = std::mem::replace(&mut next, submit()?);
            judge(index, &workshop.views(now)?)?;
        }
        // One batch was handed over before the clock started, one is still under way: they are of one size.
        let spent = clock.spent();
        next.wait()?;
        Ok(spent)
    }

    fn writer(&self, folder: &Scratch) -> anyhow::Result<NativeWriter> {
        let run = RunRecord::new(
            &self.args.config.profile,
            self.config.data_json(),
            self.args.seed,
            vec![self.walkable.record()],
            &self.adapter,
        );
        Ok(NativeWriter::create(&folder.path, &run)?)
    }

    fn pair(&self, found: Found, index: u64) -> ViewPair {
        let scene = &self.walkable.scene;
        ViewPair {
            overlaps: PairOverlaps {
                homography: Some(found.candidate.overlap),
                covisibility: Some(found.truth.covisibility),
                patch_truth: Some(found.truth.patches),
                croco: None,
            },
            correspondence: found.candidate.correspondence,
            true_correspondence: found.truth.correspondence,
            origin: PairOrigin {
                scene: scene.name.clone(),
                scene_hash: scene.hash_hex(),
                seed: self.args.seed,
                index,
                views: [
                    found.candidate.first as u32,
                    (VIEWS_PER_STOP + found.candidate.second) as u32,
                ],
            },
            first: found.first,
            second: found.second,
        }
    }
}
