//! From planned cameras to pictures.

use crate::camera::{Camera, Intrinsics, PosedCamera};
use crate::generate::SamplerKind;
use crate::render::{Gpu, GpuScene, PendingCaptures, RenderConfig, RenderError, Renderer, Sensors};
use crate::scene::Scene;
use crate::select::{pair_seed, position_seed};
use crate::sweep::VIEWS_PER_STOP;
use crate::view::{Capture, PairOrigin, ViewPair};

use super::measure::{Rule, measure_pair};
use super::record::{PlannedPair, PlannedPosition};

/// Which projection the pictures get.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lens {
    /// That of the plan.
    Planned,
    /// That of the configuration.
    Config,
    /// That of the plan at another width, pixels; the height follows.
    Width(u32),
}

/// Draws planned pairs of one scene.
#[derive(Debug)]
pub struct PairPainter {
    renderer: Renderer,
    scene: GpuScene,
    sensors: Sensors,
    lens: Lens,
    rule: Rule,
    remeasure: bool,
    scene_name: String,
    scene_hash: String,
    scene_word: u64,
    seed: u64,
}

/// Pairs that the device is drawing.
#[must_use = "the pictures come with wait()"]
#[derive(Debug)]
pub struct Submitted {
    parts: Vec<(PendingCaptures, Vec<Option<u32>>)>,
}

/// The two pictures of a pair, cut to the planned window.
pub type Painted = [Capture; 2];

impl PairPainter {
    /// Uploads the scene. `rule` holds the configuration to draw and measure with, `seed` is that of the plan.
    ///
    /// # Errors
    /// As [`Renderer::new`] and [`GpuScene::upload_for`].
    pub fn new(gpu: &Gpu, scene: &Scene, rule: Rule, sensors: Sensors, seed: u64) -> Result<Self, RenderError> {
        let render = &rule.config.render;
        Ok(Self {
            renderer: Renderer::new(gpu, render)?,
            scene: GpuScene::upload_for(gpu, scene, render, sensors)?,
            sensors,
            lens: Lens::Planned,
            rule,
            remeasure: false,
            scene_name: scene.name.clone(),
            scene_hash: scene.hash_hex(),
            scene_word: scene.hash_word(),
            seed,
        })
    }

    /// Measures overlaps and patch partners of the new pictures instead of taking them from the plan. The choice of
    /// pairs stays the plan's.
    pub fn remeasuring(mut self) -> Self {
        self.remeasure = true;
        self
    }

    /// Draws with size, crop and field of view of the configuration instead of the plan's.
    pub fn with_lens_of_config(mut self) -> Self {
        self.lens = Lens::Config;
        self
    }

    /// Draws pictures `width` pixels wide that show what the planned ones show.
    pub fn with_width(mut self, width: u32) -> Self {
        self.lens = Lens::Width(width);
        self
    }

    /// Hands pairs to the device and returns at once.
    ///
    /// # Errors
    /// As [`Renderer::submit_captures`], and [`RenderError::Camera`] for a planned camera that is none.
    pub fn submit(&self, pairs: &[&PlannedPair]) -> Result<Submitted, RenderError> {
        let shots = pairs.iter().flat_map(|pair| &pair.cameras).enumerate();
        let shots = shots
            .map(|(index, planned)| {
                let bad = |_| RenderError::Camera {
                    index,
                    reason: "of the plan is no pinhole with a rigid pose",
                };
                Ok(self.shot(planned.camera().map_err(bad)?))
            })
            .collect::<Result<Vec<_>, RenderError>>()?;
        let mut parts = Vec::new();
        // Pictures of one submission have one size.
        for run in shots.chunk_by(|a, b| size(&a.0) == size(&b.0)) {
            let cameras: Vec<PosedCamera> = run.iter().map(|(camera, _)| (*camera).into()).collect();
            let pending = self.renderer.submit_captures(&self.scene, &cameras, self.sensors)?;
            parts.push((pending, run.iter().map(|(_, crop)| *crop).collect()));
        }
        Ok(Submitted { parts })
    }

    /// The camera to draw with, and the centred window that is kept of its picture.
    fn shot(&self, planned: Camera) -> (Camera, Option<u32>) {
        let RenderConfig { crop_px, .. } = *self.renderer.config();
        let whole = self.renderer.config().intrinsics();
        let margin = (whole.width - crop_px) / 2;
        let with = |intrinsics| Camera { intrinsics, ..planned };
        match self.lens {
            Lens::Config => (with(whole), Some(crop_px)),
            Lens::Width(width) => (with(resized(&planned.intrinsics, width)), None),
            // A window of the whole picture is drawn as such, so that no pixel is off by a rounding.
            Lens::Planned if whole.crop(margin, margin, crop_px, crop_px) == planned.intrinsics => {
                (with(whole), Some(crop_px))
            }
            Lens::Planned => (planned, None),
        }
    }

    /// The pair of a planned one and its pictures.
    pub fn pair(&self, position: &PlannedPosition, planned: &PlannedPair, painted: Painted) -> Option<ViewPair> {
        let [first, second] = painted.map(Capture::into_view);
        let (first, second) = (first?, second?);
        let (overlaps, correspondence, true_correspondence) = match self.remeasure {
            true => measure_pair(&first, &second, &self.rule, self.seed_of(position.index, planned.views)),
            false => (
                planned.overlaps.clone(),
                planned.correspondence.clone(),
                planned.true_correspondence.clone(),
            ),
        };
        Some(ViewPair {
            first: first.into(),
            second: second.into(),
            overlaps,
            correspondence,
            true_correspondence,
            origin: PairOrigin {
                scene: self.scene_name.clone(),
                scene_hash: self.scene_hash.clone(),
                seed: self.seed,
                index: position.index,
                views: planned.views,
            },
        })
    }

    /// The seed that the metric's draws had when the pair was planned.
    fn seed_of(&self, index: u64, [first, second]: [u32; 2]) -> u64 {
        let votes = position_seed(self.seed, self.scene_word, index);
        match self.rule.config.sampler.kind {
            SamplerKind::Croco => votes,
            SamplerKind::Sweep => {
                let second = (second as usize).saturating_sub(VIEWS_PER_STOP);
                pair_seed(votes, first as usize, second)
            }
        }
    }
}

impl Submitted {
    /// Waits for the device and gives the pictures pair by pair.
    ///
    /// # Errors
    /// [`RenderError::Device`] where the device failed meanwhile.
    pub fn wait(self) -> Result<Vec<Painted>, RenderError> {
        let mut captures = Vec::new();
        for (pending, crops) in self.parts {
            for (capture, crop) in pending.wait()?.into_iter().zip(crops) {
                captures.push(match crop {
                    Some(side) => capture.center_crop(side),
                    None => capture,
                });
            }
        }
        let mut captures = captures.into_iter();
        let mut pairs = Vec::new();
        while let (Some(first), Some(second)) = (captures.next(), captures.next()) {
            pairs.push([first, second]);
        }
        Ok(pairs)
    }
}

fn size(camera: &Camera) -> (u32, u32) {
    (camera.intrinsics.width, camera.intrinsics.height)
}

/// The same field of view in `width` pixels; the height follows, rounded.
fn resized(k: &Intrinsics, width: u32) -> Intrinsics {
    let height = (f64::from(k.height) * f64::from(width) / f64::from(k.width))
        .round()
        .max(1.0);
    let (sx, sy) = (f64::from(width) / f64::from(k.width), height / f64::from(k.height));
    Intrinsics {
        fx: k.fx * sx,
        fy: k.fy * sy,
        cx: k.cx * sx,
        cy: k.cy * sy,
        width,
        height: height as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_width_shows_the_same() {
        let k = Intrinsics {
            fx: 100.0,
            fy: 90.0,
            cx: 31.0,
            cy: 20.0,
            width: 64,
            height: 48,
        };
        let double = resized(&k, 128);
        assert_eq!((double.width, double.height), (128, 96));
        assert_eq!((double.fx, double.cx, double.cy), (200.0, 62.0, 40.0));
        assert!((double.hfov_rad() - k.hfov_rad()).abs() < 1e-12);
        assert_eq!(resized(&k, 64), k);
    }
}
