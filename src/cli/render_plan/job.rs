//! What a plan asks for, with what the command line changes of it.

use std::path::Path;
use std::sync::Arc;

use covista::config::Config;
use covista::export::PictureFormat;
use covista::export::native::{PlanRecord, RunRecord, SceneRecord, Selection, SkippedScene, TopDown};
use covista::plan::import::{self, ImportOptions, PixelCentres};
use covista::plan::{PlanError, PlanHeader, PlanReader, PlannedPosition};
use covista::render::{Gpu, RenderConfig};
use covista::scene::{Scene, SceneSource};
use covista::view::Measure;

use super::super::capture_files::{Channel, Channels};
use super::super::common::SceneArgs;
use super::super::exit::Failure;
use super::super::generate::selection;
use super::super::open::Walkable;
use super::super::render::Args;
use super::{Centres, Pictures};

/// Where planned positions come from.
pub enum Positions {
    Plan(Box<PlanReader>),
    Imported(std::vec::IntoIter<PlannedPosition>),
}

impl Iterator for Positions {
    type Item = Result<PlannedPosition, PlanError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Plan(reader) => reader.next(),
            Self::Imported(positions) => positions.next().map(Ok),
        }
    }
}

/// What is drawn, and what is said of it.
pub struct Job {
    pub profile: String,
    /// Name and `--scene` of each scene, and the hash that it was planned with.
    pub scenes: Vec<(String, String, Option<String>)>,
    pub positions: Positions,
    pub selection: Selection,
    /// Scenes that the run passed over.
    pub skipped: Vec<SkippedScene>,
    /// How the run was cut into blocks.
    pub blocks: Option<PlanRecord>,
    pub settings: Settings,
}

/// How it is drawn.
pub struct Settings {
    pub config: Config,
    pub seed: u64,
    /// Whether the pictures are other ones than those that were planned.
    pub changed: bool,
    /// Whether size, crop or field of view are the configuration's instead of the plan's.
    pub lens_of_config: bool,
    /// The width for poses of others.
    pub width: Option<u32>,
    pub imported: bool,
}

impl Job {
    /// A plan of this program: its configuration, with what the command line changes of the drawing.
    pub fn of_plan(args: &Args, reader: PlanReader) -> anyhow::Result<Self> {
        let header = reader.header();
        let planned = Config::from_record(&header.config)?;
        let mut config = planned.with_overrides(&args.config.overrides)?;
        if args.config.profile.is_some() || args.config.config.is_some() {
            config.render = args.config.load()?.render;
        }
        config.render = args.render_config(config.render);
        let decided = |config: &Config| Config {
            render: RenderConfig::default(),
            truth: Default::default(),
            overlap: Default::default(),
            ..config.clone()
        };
        if decided(&config).data_json() != decided(&planned).data_json() {
            return Err(Failure::arguments(
                "a plan has decided which pairs there are: only keys of [render], [overlap] and [truth] can be set \
                 when it is drawn",
            ));
        }
        if let Some(side) = args.plan.size.filter(|&side| side != config.render.crop_px) {
            let margin = (config.render.size_px - config.render.crop_px) / 2;
            let crop = config.render.crop_px;
            let window = config.render.intrinsics().crop(margin, margin, crop, crop);
            config.render.hfov_deg = window.hfov_rad().to_degrees();
            config.render.size_px = side;
            config.render.crop_px = side;
        }
        config.validate()?;
        let lens = |render: &RenderConfig| (render.size_px, render.crop_px, render.hfov_deg.to_bits());
        Ok(Self {
            profile: header.profile.clone(),
            scenes: scenes(args, header)?,
            selection: selection(&config),
            skipped: header.skipped.clone(),
            blocks: header.blocks.clone(),
            settings: Settings {
                seed: header.seed,
                lens_of_config: lens(&config.render) != lens(&planned.render),
                changed: config != planned,
                config,
                width: None,
                imported: false,
            },
            positions: Positions::Plan(reader.into()),
        })
    }

    /// Poses that others released.
    pub fn of_others(args: &Args, path: &Path) -> anyhow::Result<Self> {
        let options = ImportOptions {
            width: args.lens.width,
            height: args.lens.height,
            hfov_deg: args.lens.hfov_deg,
            centres: args.plan.pixel_centres.map(|centres| match centres {
                Centres::Half => PixelCentres::Half,
                Centres::Integer => PixelCentres::Integer,
            }),
        };
        let imported = import::read(path, &options)?;
        let mut config = args.config.load()?;
        config.render = args.render_config(config.render);
        config.scene.up = args.up.unwrap_or(config.scene.up);
        let Some(spec) = args.scene.clone() else {
            return Err(Failure::arguments(format!(
                "these are poses of others ({}{}): name the scene with --scene",
                imported.kind,
                imported.scene.map(|scene| format!(" of {scene}")).unwrap_or_default()
            )));
        };
        Ok(Self {
            profile: args.config.profile().to_owned(),
            settings: Settings {
                config,
                seed: 0,
                changed: true,
                lens_of_config: false,
                width: args.plan.size,
                imported: true,
            },
            scenes: vec![(String::new(), spec, None)],
            positions: Positions::Imported(imported.positions.into_iter()),
            // Others chose: every pair is kept, whatever its overlap.
            selection: Selection {
                measure: Measure::Croco,
                low: 0.0,
                high: 1.0,
            },
            skipped: Vec::new(),
            blocks: None,
        })
    }

    /// Opens every scene once, so that a wrong one is told before anything is written.
    pub fn open_all(&mut self, args: &Args) -> anyhow::Result<Vec<Opened>> {
        let mut opened = Vec::new();
        for (name, spec, planned) in &self.scenes {
            let (mut scene, topdown) = open(self.settings.imported, spec, &mut self.settings.config)?;
            // Files of one name are told apart by what the plan calls them.
            if self.scenes.len() > 1 {
                rename(&mut scene, name);
            }
            if let Some(planned) = planned.as_ref().filter(|planned| **planned != scene.hash_hex()) {
                let found = scene.hash_hex();
                if !args.plan.force {
                    return Err(PlanError::OtherScene {
                        name: name.clone(),
                        found,
                        planned: planned.clone(),
                    }
                    .into());
                }
                tracing::warn!("{name}: the plan was made for another scene; overlaps are measured anew");
                self.settings.changed = true;
            }
            opened.push(Opened {
                // Positions of a plan name its scene, whatever the one at hand is called.
                planned_name: name.clone(),
                record: SceneRecord {
                    name: scene.name.clone(),
                    hash: scene.hash_hex(),
                },
                spec: spec.clone(),
                topdown,
                scene: Some(scene),
            });
            // One scene is held; of several each is read again when its turn comes.
            if self.scenes.len() > 1 {
                opened.iter_mut().for_each(|opened| opened.scene = None);
            }
        }
        Ok(opened)
    }

    pub fn record(
        &self,
        path: &Path,
        channels: &Channels,
        pictures: Pictures,
        opened: &[Opened],
        gpu: &Gpu,
    ) -> anyhow::Result<RunRecord> {
        let mut config = self.settings.config.data_json();
        let extra: Vec<Channel> = channels.beyond_color_and_depth().collect();
        if self.settings.changed || !extra.is_empty() {
            let mut rendered = serde_json::json!({
                "sensors": extra.iter().map(|channel| channel.name()).collect::<Vec<_>>(),
                "width": self.settings.width,
            });
            if path.is_file() {
                let bytes = std::fs::read(path)
                    .map_err(|error| Failure::input(format!("cannot read ({error}): {}", path.display())))?;
                rendered["plan_hash"] = blake3::hash(&bytes).to_hex().as_str().into();
            }
            config["rendered_from_plan"] = rendered;
        }
        let scenes = opened.iter().map(|opened| opened.record.clone()).collect();
        let mut run = RunRecord::new(
            &self.profile,
            config,
            self.settings.seed,
            scenes,
            &gpu.adapter().to_string(),
        );
        run.selection = self.selection;
        run.plan.clone_from(&self.blocks);
        run.pictures = match pictures {
            Pictures::Png => PictureFormat::Png,
            Pictures::Jpg => PictureFormat::Jpeg,
        };
        Ok(run)
    }
}

/// The scenes of a plan as they are to be opened.
fn scenes(args: &Args, header: &PlanHeader) -> anyhow::Result<Vec<(String, String, Option<String>)>> {
    if args.scene.is_some() && header.scenes.len() > 1 {
        return Err(Failure::arguments(format!(
            "the plan has {} scenes: leave --scene out and run where their paths lead to them",
            header.scenes.len()
        )));
    }
    let all = header.scenes.iter().map(|scene| {
        let spec = args.scene.clone().unwrap_or_else(|| scene.spec.clone());
        (scene.name.clone(), spec, Some(scene.hash.clone()))
    });
    Ok(all.collect())
}

/// Calls a scene by another name.
pub fn rename(scene: &mut Arc<Scene>, name: &str) {
    if scene.name != name {
        Arc::make_mut(scene).name = name.to_owned();
    }
}

pub fn read_scene(spec: &str, config: &Config) -> anyhow::Result<Arc<Scene>> {
    let scene = SceneSource::parse(spec)?.load_with(&config.scene, &config.procedural)?;
    for warning in &scene.warnings {
        tracing::warn!("{}: {warning}", scene.name);
    }
    Ok(scene.into())
}

/// A scene, with its floor from above for the plans of this program.
fn open(imported: bool, spec: &str, config: &mut Config) -> anyhow::Result<(Arc<Scene>, Option<TopDown>)> {
    if imported {
        return Ok((read_scene(spec, config)?, None));
    }
    let args = SceneArgs {
        scene: spec.to_owned(),
        up: None,
    };
    let walkable = Walkable::open(&args, config)?;
    let topdown = walkable.top_down();
    Ok((walkable.scene, Some(topdown)))
}

pub struct Opened {
    pub planned_name: String,
    pub record: SceneRecord,
    pub spec: String,
    pub topdown: Option<TopDown>,
    pub scene: Option<Arc<Scene>>,
}
