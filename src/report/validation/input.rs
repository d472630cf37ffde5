//! What the page is made from.

use std::sync::Arc;

use image::RgbImage;

use crate::validate::{Found, Plan, Summary};
use crate::view::Correspondence;

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct ValidationInput {
    /// Where the report lies, as a person would call it.
    pub location: String,
    /// What was measured.
    pub plan: Plan,
    /// All figures.
    pub summary: Summary,
    /// The worst pairs, by metric and kind, the worst first.
    pub worst: Vec<Found<ShownBlunder>>,
    /// Whether pictures were at hand: without them the page says how to get them.
    pub pictures: bool,
}

/// Pictures and patch partners of a pair that a metric is wrong about.
#[derive(Debug, Clone)]
pub struct ShownBlunder {
    /// Both views.
    pub views: [Arc<RgbImage>; 2],
    /// Partners by the metric; `None` where it tells none.
    pub found: Option<Correspondence>,
    /// Partners by geometry.
    pub truth: Correspondence,
}
