//! Batches of planned pairs to the device, and from there into the set.

use std::collections::{BTreeMap, VecDeque};
use std::iter::Peekable;
use std::sync::Arc;

use covista::export::native::{NativeWriter, Trial};
use covista::flow::optical_flow;
use covista::plan::{PairPainter, PlanError, PlannedPosition, Rule, Submitted};
use covista::render::Gpu;
use covista::scene::SceneSource;
use covista::select::SelectMeasure;

use super::super::capture_files::{self, Channel, Channels};
use super::super::exit::Failure;
use super::super::semantic::SemanticScene;
use super::job::{Opened, Positions, Settings, read_scene, rename};

/// Pairs of one submission: as many pictures as a sweep has.
const BATCH: usize = 12;

/// A scene on the device.
pub struct OnDevice {
    painter: PairPainter,
    semantic: Option<SemanticScene>,
    planned_name: String,
    name: String,
}

/// Positions of one scene that are drawn together.
pub struct Batch {
    positions: Vec<PlannedPosition>,
    submitted: Option<Submitted>,
    scene: Arc<OnDevice>,
}

/// The next positions with [`BATCH`] pairs or a few more, all of one scene; those that the set has are passed over.
pub fn next_batch(
    positions: &mut Peekable<Positions>,
    opened: &[Opened],
    writer: &NativeWriter,
) -> Result<Option<Vec<PlannedPosition>>, PlanError> {
    let mut batch: Vec<PlannedPosition> = Vec::new();
    let mut pairs = 0;
    while pairs < BATCH {
        let same_scene = |next: &Result<PlannedPosition, PlanError>| match (next, batch.first()) {
            (Ok(next), Some(first)) => next.scene == first.scene,
            _ => true,
        };
        let Some(position) = positions.next_if(same_scene) else {
            break;
        };
        let position = position?;
        let name = opened.iter().find(|opened| opened.planned_name == position.scene);
        if name.is_some_and(|opened| writer.is_done(&opened.record.name, position.index)) {
            continue;
        }
        pairs += position.pairs.len();
        batch.push(position);
    }
    Ok((!batch.is_empty()).then_some(batch))
}

/// Draws batches and writes them.
pub struct Painters<'a> {
    pub gpu: &'a Gpu,
    pub opened: Vec<Opened>,
    /// Most recently used first, `generate.scenes_in_memory` at most.
    pub on_device: VecDeque<Arc<OnDevice>>,
    pub settings: Settings,
    pub channels: &'a Channels,
}

impl Painters<'_> {
    /// The scene of that name on the device; one that was let go may be drawing still.
    fn on_device(&mut self, planned_name: &str) -> anyhow::Result<Arc<OnDevice>> {
        let place = self
            .on_device
            .iter()
            .position(|scene| scene.planned_name == planned_name);
        if let Some(scene) = place.and_then(|place| self.on_device.remove(place)) {
            self.on_device.push_front(Arc::clone(&scene));
            return Ok(scene);
        }
        // Room first, as `generate` does.
        self.on_device
            .truncate(self.settings.config.generate.scenes_in_memory - 1);
        let settings = &mut self.settings;
        let found = self.opened.iter().find(|opened| opened.planned_name == planned_name);
        let opened = found.ok_or_else(|| Failure::input(format!("the plan has no scene {planned_name:?}")))?;
        let scene = match &opened.scene {
            Some(scene) => Arc::clone(scene),
            None => {
                let mut scene = read_scene(&opened.spec, &settings.config)?;
                rename(&mut scene, &opened.record.name);
                scene
            }
        };
        let config = &settings.config;
        let semantic = match self.channels.has(Channel::Semantic) && !scene.has_semantics() {
            true => {
                let source = SceneSource::parse(&opened.spec)?;
                SemanticScene::beside(self.gpu, &source, config.scene.up, &config.render)?
            }
            false => None,
        };
        if self.channels.has(Channel::Semantic) && !scene.has_semantics() && semantic.is_none() {
            tracing::warn!("{}: the scene has no semantic ids: all are 0", scene.name);
        }
        let mut rule = Rule::of_run(config.generator());
        if settings.imported {
            // Every measure is recorded: nothing is known of why these pairs were chosen.
            rule.croco = true;
            rule.config.select.also_measure = vec![SelectMeasure::Homography];
        }
        let mut painter = PairPainter::new(self.gpu, &scene, rule, self.channels.sensors(), settings.seed)?;
        if settings.changed {
            painter = painter.remeasuring();
        }
        if settings.lens_of_config {
            painter = painter.with_lens_of_config();
        }
        if let Some(width) = settings.width {
            painter = painter.with_width(width);
        }
        let made = Arc::new(OnDevice {
            painter,
            semantic,
            planned_name: planned_name.to_owned(),
            name: scene.name.clone(),
        });
        self.on_device.push_front(Arc::clone(&made));
        Ok(made)
    }

    pub fn submit(&mut self, positions: Vec<PlannedPosition>) -> anyhow::Result<Batch> {
        let scene = self.on_device(positions.first().map_or("", |position| position.scene.as_str()))?;
        let pairs: Vec<_> = positions.iter().flat_map(|position| &position.pairs).collect();
        let submitted = match pairs.is_empty() {
            true => None,
            false => Some(scene.painter.submit(&pairs)?),
        };
        Ok(Batch {
            positions,
            submitted,
            scene,
        })
    }

    pub fn write(&self, batch: Batch, writer: &mut NativeWriter) -> anyhow::Result<()> {
        let Batch {
            positions,
            submitted,
            scene,
        } = batch;
        let mut painted = match submitted {
            Some(submitted) => submitted.wait()?.into_iter(),
            None => Vec::new().into_iter(),
        };
        for position in positions {
            let trial = Trial {
                scene: scene.name.clone(),
                index: position.index,
                stops: position.stops.iter().map(|&[x, _, z]| [x, z]).collect(),
                refused: position.refused.clone(),
            };
            if let Some(reason) = &position.reason {
                writer.write_refusal(&trial, reason)?;
                continue;
            }
            let (mut pairs, mut extras) = (Vec::new(), Vec::new());
            for planned in &position.pairs {
                let captures = painted.next();
                let mut captures = captures.ok_or_else(|| anyhow::anyhow!("the device returned too few pictures"))?;
                if let Some(semantic) = &scene.semantic {
                    let ids = semantic.ids(&captures.each_ref().map(|capture| capture.camera))?;
                    for (capture, ids) in captures.iter_mut().zip(ids) {
                        capture.semantics = Some(ids);
                    }
                }
                let mut files = BTreeMap::new();
                for (name, capture) in ["first", "second"].into_iter().zip(&captures) {
                    for (channel, bytes) in capture_files::encoded(capture)? {
                        files.insert(format!("{name}.{channel}"), bytes);
                    }
                }
                let pair = scene.painter.pair(&position, planned, captures);
                let pair = pair.ok_or_else(|| anyhow::anyhow!("a planned picture is no pinhole"))?;
                if self.channels.has(Channel::Flow) {
                    let truth = &self.settings.config.truth;
                    for (name, [from, to]) in [
                        ("first", [&pair.first, &pair.second]),
                        ("second", [&pair.second, &pair.first]),
                    ] {
                        for (channel, bytes) in capture_files::encoded_flow(&optical_flow(from, to, truth))? {
                            files.insert(format!("{name}.{channel}"), bytes);
                        }
                    }
                }
                pairs.push(pair);
                extras.push(files);
            }
            writer.write_pairs_with(&trial, &pairs, extras)?;
        }
        Ok(())
    }
}
