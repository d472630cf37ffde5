//! The numbers of SIFT.

use serde::{Deserialize, Serialize};

/// Parameters of SIFT; the defaults are those of OpenCV's `SIFT_create()`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SiftParams {
    /// Scales searched in each octave, 1 to 8; default 3 (Lowe 2004, section 3).
    pub octave_layers: u32,
    /// Least interpolated contrast times `octave_layers`, 0 to 1 of the grey range; default 0.04.
    pub contrast_threshold: f64,
    /// Largest ratio of principal curvatures, above 1; default 10.
    pub edge_threshold: f64,
    /// Blur of the first scale of octave 0 in pixels, 0.5 to 4; default 1.6.
    pub sigma: f64,
}

impl Default for SiftParams {
    fn default() -> Self {
        Self {
            octave_layers: 3,
            contrast_threshold: 0.04,
            edge_threshold: 10.0,
            sigma: 1.6,
        }
    }
}

impl SiftParams {
    /// Refuses values outside the stated ranges.
    pub fn validate(&self) -> Result<(), String> {
        let check = |name: &str, value: f64, low: f64, high: f64| {
            if value >= low && value <= high {
                Ok(())
            } else {
                Err(format!("sift.{name} = {value} is outside {low} to {high}"))
            }
        };
        check("octave_layers", f64::from(self.octave_layers), 1.0, MAX_LAYERS as f64)?;
        check("contrast_threshold", self.contrast_threshold, 0.0, 1.0)?;
        check("edge_threshold", self.edge_threshold, 1.0, 1000.0)?;
        check("sigma", self.sigma, 0.5, 4.0)
    }
}

/// Most scales of an octave.
pub(super) const MAX_LAYERS: usize = 8;
/// Blur assumed to be in the input already, in pixels.
pub(super) const INPUT_SIGMA: f32 = 0.5;
/// Extrema closer to the border are not looked at, pixels of their octave.
pub(super) const BORDER: usize = 5;
/// Newton steps of the sub-pixel fit.
pub(super) const MAX_STEPS: usize = 5;
/// Bins of the orientation histogram.
pub(super) const ORIENTATION_BINS: usize = 36;
/// Gaussian window of the orientation histogram, in units of the keypoint's scale.
pub(super) const ORIENTATION_SIGMA: f32 = 1.5;
/// Its radius in the same units.
pub(super) const ORIENTATION_RADIUS: f32 = 4.5;
/// A histogram peak counts from this share of the highest one.
pub(super) const PEAK_RATIO: f32 = 0.8;
/// Spatial cells of the descriptor along one side.
pub(super) const CELLS: usize = 4;
/// Orientation bins of each cell.
pub(super) const CELL_BINS: usize = 8;
/// Width of a cell in units of the keypoint's scale.
pub(super) const CELL_WIDTH: f32 = 3.0;
/// No element exceeds this share of the descriptor's length.
pub(super) const CLAMP: f32 = 0.2;
/// Length of the descriptor before it is rounded to bytes.
pub(super) const BYTE_SCALE: f32 = 512.0;
