//! Pairs whose pictures never come to the host: the filter sees luma, the rest stays where it was drawn.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::composer::{Composer, InFlight, Sampled};
use super::judge::{Luma, Probe};
use super::{PairGenerator, SamplerKind};
use crate::camera::Camera;
use crate::overlap::WORKING_SIZE;
use crate::render::{Drawn, GpuImages, RenderError};
use crate::select::SelectMeasure;
use crate::view::{PairOrigin, PairOverlaps, View};

/// A pair on the device that drew it.
#[derive(Debug, Clone)]
pub struct DevicePair {
    /// Both pictures.
    pub images: GpuImages,
    /// Overlap by every measure that was asked for, and by truth where the filter looked at it.
    pub overlaps: PairOverlaps,
    /// Where the pair comes from and how to make it again.
    pub origin: PairOrigin,
}

/// The measures and origin of a pair, or why there is none.
pub(super) type DeviceOutcome = Result<(PairOverlaps, PairOrigin), &'static str>;

impl PairGenerator {
    /// Whether the filter can decide by luma alone: it must compare pictures at the size that they have, and by their
    /// homography only. Else colours and depth are read back for it, and the kept pair still stays on the device.
    pub(super) fn gray_is_enough(&self) -> bool {
        let config = &self.composer().recipe.config;
        self.on_device
            && config.render.crop_px == WORKING_SIZE
            && config.select.deciding() == [SelectMeasure::Homography]
            && config.select.also_measure.is_empty()
    }

    /// Keeps pictures on the device from the next position on.
    ///
    /// # Errors
    /// The sampler is `croco`, whose second views depend on what the host saw in the first.
    pub(super) fn stay_on_device(&mut self) -> Result<(), RenderError> {
        if self.composer().recipe.config.sampler.kind == SamplerKind::Croco {
            return Err(RenderError::Config(
                "sampler.kind = croco draws views one after the other by what the host sees: its pairs cannot stay on the \
                 device"
                    .to_owned(),
            ));
        }
        self.forget();
        self.composers.truncate(1);
        self.on_device = true;
        Ok(())
    }

    /// The next position: its index, and the pair or why there is none.
    pub(super) fn next_on_device(&mut self) -> Result<(u64, Result<DevicePair, &'static str>), RenderError> {
        let current = match self.in_flight.take() {
            Some(in_flight) => in_flight,
            None => {
                let index = self.take_index();
                self.start_on_device(index)?
            }
        };
        let index = self.take_index();
        self.in_flight = Some(self.start_on_device(index)?);
        self.finish_on_device(current)
    }

    /// One position alone.
    pub(super) fn position_on_device(&self, index: u64) -> Result<Result<DevicePair, &'static str>, RenderError> {
        Ok(self.finish_on_device(self.start_on_device(index)?)?.1)
    }

    /// Draws the sweep of a sample; only what the filter needs will travel.
    fn start_on_device(&self, index: u64) -> Result<InFlight, RenderError> {
        let composer = self.composer();
        let crop = composer.recipe.config.render.crop_px;
        composer.start_with(index, |sweep| match self.gray_is_enough() {
            true => composer.renderer.submit_gray(&composer.scene, &sweep.cameras, crop),
            false => composer.renderer.submit(&composer.scene, &sweep.cameras),
        })
    }

    fn finish_on_device(&self, in_flight: InFlight) -> Result<(u64, Result<DevicePair, &'static str>), RenderError> {
        let index = in_flight.index;
        let pending = match in_flight.sampled {
            Sampled::Sweep(drawn) => {
                let (_, pending) = *drawn;
                pending
            }
            Sampled::Croco => return Ok((index, Err("no_position"))),
            Sampled::Refused(reason) => return Ok((index, Err(reason))),
        };
        let drawn = pending.drawn(self.composer().recipe.config.render.crop_px)?;
        let views: Vec<Arc<View>> = (0..drawn.count()).map(|view| Arc::new(drawn.view(view))).collect();
        let lumas: Vec<Luma<'_>> = (0..drawn.count()).map(|view| drawn.gray(view)).collect();
        let probe = DrawnViews {
            composer: self.composer(),
            drawn: &drawn,
            views: &views,
            deep: RefCell::default(),
        };
        let outcome = self.composer().recipe.judge_lumas(index, &views, &lumas, &probe)?;
        let (overlaps, origin) = match outcome {
            Ok(kept) => kept,
            Err(reason) => return Ok((index, Err(reason))),
        };
        let [first, second] = origin.views.map(|view| view as usize);
        let images = drawn.pair(first, second)?;
        let pair = DevicePair {
            images,
            overlaps,
            origin,
        };
        Ok((index, Ok(pair)))
    }
}

/// Views on the device, of which depth is read back one by one where it is asked for.
struct DrawnViews<'a> {
    composer: &'a Composer,
    drawn: &'a Drawn,
    views: &'a [Arc<View>],
    deep: RefCell<BTreeMap<usize, Arc<View>>>,
}

impl Probe for DrawnViews<'_> {
    fn backs(&self, views: &[usize]) -> Result<Vec<f64>, RenderError> {
        let composer = self.composer;
        let cameras: Vec<Camera> = views.iter().map(|&view| self.views[view].camera).collect();
        composer.renderer.back_face_fractions(&composer.scene, &cameras)
    }

    fn with_depth(&self, view: usize) -> Result<Arc<View>, RenderError> {
        if self.drawn.gray(view).is_none() {
            return Ok(Arc::clone(&self.views[view]));
        }
        if let Some(known) = self.deep.borrow().get(&view) {
            return Ok(Arc::clone(known));
        }
        let deep = Arc::new(View {
            depth: self.drawn.depth(view)?,
            ..View::clone(&self.views[view])
        });
        self.deep.borrow_mut().insert(view, Arc::clone(&deep));
        Ok(deep)
    }
}
