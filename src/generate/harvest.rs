//! What scenes give: pairs on the host, or pairs that stay on the device.

use super::device::DevicePair;
use super::{Outcome, PairGenerator, Position};
use crate::render::{Gpu, RenderConfig, RenderError, RendererPool};
use crate::view::ViewPair;

/// A kind of pair that a [`PairGenerator`] makes.
pub trait Harvest: Sized {
    /// What draws the views.
    ///
    /// # Errors
    /// As [`RendererPool::new`].
    fn renderers(gpu: &Gpu, config: &RenderConfig) -> Result<RendererPool, RenderError>;

    /// Readies a generator that has made nothing yet.
    ///
    /// # Errors
    /// Its configuration cannot give such pairs.
    fn prepare(generator: &mut PairGenerator) -> Result<(), RenderError>;

    /// The next position: its index, and the pair or why there is none.
    ///
    /// # Errors
    /// The device failed.
    fn next(generator: &mut PairGenerator) -> Result<(u64, Result<Self, &'static str>), RenderError>;

    /// One position alone.
    ///
    /// # Errors
    /// The device failed.
    fn at(generator: &PairGenerator, index: u64) -> Result<Result<Self, &'static str>, RenderError>;
}

impl Harvest for ViewPair {
    fn renderers(gpu: &Gpu, config: &RenderConfig) -> Result<RendererPool, RenderError> {
        RendererPool::new(gpu, config)
    }

    fn prepare(_: &mut PairGenerator) -> Result<(), RenderError> {
        Ok(())
    }

    fn next(generator: &mut PairGenerator) -> Result<(u64, Result<Self, &'static str>), RenderError> {
        let position = generator.advance()?;
        Ok((position.index, kept(position)))
    }

    fn at(generator: &PairGenerator, index: u64) -> Result<Result<Self, &'static str>, RenderError> {
        generator.position(index).map(kept)
    }
}

impl Harvest for DevicePair {
    /// The device that the pairs stay on.
    fn renderers(gpu: &Gpu, config: &RenderConfig) -> Result<RendererPool, RenderError> {
        RendererPool::single(gpu, config)
    }

    fn prepare(generator: &mut PairGenerator) -> Result<(), RenderError> {
        generator.stay_on_device()
    }

    fn next(generator: &mut PairGenerator) -> Result<(u64, Result<Self, &'static str>), RenderError> {
        generator.next_on_device()
    }

    fn at(generator: &PairGenerator, index: u64) -> Result<Result<Self, &'static str>, RenderError> {
        generator.position_on_device(index)
    }
}

fn kept(position: Position) -> Result<ViewPair, &'static str> {
    match position.outcome {
        Outcome::Kept(pair) => Ok(*pair),
        Outcome::Refused(reason) => Err(reason),
    }
}
