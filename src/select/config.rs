//! Which candidates are kept, as named fields.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SelectBy, SelectMeasure};
use crate::overlap::Refusal;

/// Whether the ends of the range belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bounds {
    /// `min < overlap < max`, as the released code compares.
    Strict,
    /// `min <= overlap <= max`, as the released street-view script does.
    Inclusive,
}

/// Which of the candidates of a sweep becomes the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Choose {
    /// The smallest overlap in range, as published.
    #[default]
    SmallestOverlap,
    /// Any of the 8 x 16 with equal chance, whatever it overlaps, if its views pass the gates on texture, holes and back faces.
    Random,
}

/// Which pairs are kept. The default is the profile `covista`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SelectConfig {
    /// Which candidate is kept: `smallest_overlap` (the published filter) or `random` (the filter's baseline: overlap,
    /// its range and true covisibility decide nothing, only the gates on single views hold); default `smallest_overlap`.
    /// `random` is for the sampler `sweep`.
    pub choose: Choose,
    /// The measure that decides: `homography`, `geometry`, `patch_truth` or `croco`, or a list of them of which
    /// the first orders the candidates and all must lie in range; default `homography` (the published filter).
    pub select_by: SelectBy,
    /// Measures that are recorded with each kept pair although they do not decide; default none. True
    /// covisibility and patch truth are recorded always: the correspondences of a pair need them.
    pub also_measure: Vec<SelectMeasure>,
    /// Smallest overlap of a kept pair, fraction, 0 to 1; default 0.5.
    pub min_overlap: f64,
    /// Largest overlap of a kept pair, fraction, `min_overlap` to 1; default 0.75 (supplement 2.1 for 3D scenes: 0.7).
    pub max_overlap: f64,
    /// Whether the ends belong to the range; default `strict`.
    pub bounds: Bounds,
    /// Variance of the Laplacian below which a view is refused, grey levels squared, 0 to 100,000; default 1000.
    pub min_laplacian_variance: f64,
    /// Share of pixels that must show a surface, 0 to 1; default 0.9 (published: no such check, 0).
    pub min_valid_fraction: f64,
    /// Largest share of pixels of either view of a kept pair whose rays meet the back of a surface first: the
    /// camera is outside the building or inside an object there; 0 to 1; default 0.3 (published: no such check, 1).
    pub max_back_face_fraction: f64,
    /// Whether the true pixel covisibility of a pair must lie within bounds as well; default true (published: false).
    pub check_covisibility: bool,
    /// Smallest true covisibility of a kept pair, fraction, 0 to 1; default 0.3.
    pub min_covisibility: f64,
    /// Largest true covisibility of a kept pair, fraction, `min_covisibility` to 1; default 0.95.
    pub max_covisibility: f64,
}

impl Default for SelectConfig {
    fn default() -> Self {
        Self {
            choose: Choose::default(),
            select_by: SelectBy::default(),
            also_measure: Vec::new(),
            min_overlap: 0.5,
            max_overlap: 0.75,
            bounds: Bounds::Strict,
            min_laplacian_variance: 1000.0,
            min_valid_fraction: 0.9,
            max_back_face_fraction: 0.3,
            check_covisibility: true,
            min_covisibility: 0.3,
            max_covisibility: 0.95,
        }
    }
}

impl SelectConfig {
    /// Checks every range.
    pub fn validate(&self) -> Result<(), String> {
        let check = |name: &str, value: f64, low: f64, high: f64| {
            if value >= low && value <= high {
                Ok(())
            } else {
                Err(format!("{name} = {value} must lie in {low} to {high}"))
            }
        };
        self.select_by.validate()?;
        check("min_overlap", self.min_overlap, 0.0, 1.0)?;
        check("max_overlap", self.max_overlap, self.min_overlap, 1.0)?;
        check("min_laplacian_variance", self.min_laplacian_variance, 0.0, 1e5)?;
        check("min_valid_fraction", self.min_valid_fraction, 0.0, 1.0)?;
        check("max_back_face_fraction", self.max_back_face_fraction, 0.0, 1.0)?;
        check("min_covisibility", self.min_covisibility, 0.0, 1.0)?;
        check("max_covisibility", self.max_covisibility, self.min_covisibility, 1.0)
    }

    /// The range of true covisibility, both ends included, if it is checked at all.
    pub fn covisibility_bounds(&self) -> Option<(f64, f64)> {
        self.check_covisibility
            .then_some((self.min_covisibility, self.max_covisibility))
    }

    /// The measures that decide, the one that orders first; none where chance does.
    pub fn deciding(&self) -> &[SelectMeasure] {
        match self.choose {
            Choose::SmallestOverlap => self.select_by.measures(),
            Choose::Random => &[],
        }
    }

    /// Whether a measure is taken of a kept pair.
    pub fn records(&self, measure: SelectMeasure) -> bool {
        self.select_by.measures().contains(&measure) || self.also_measure.contains(&measure)
    }

    /// Why an overlap is out of range, if it is.
    pub fn refusal_of(&self, overlap: f64) -> Option<Refusal> {
        let (low, high) = match self.bounds {
            Bounds::Strict => (overlap <= self.min_overlap, overlap >= self.max_overlap),
            Bounds::Inclusive => (overlap < self.min_overlap, overlap > self.max_overlap),
        };
        match (low, high) {
            (true, _) => Some(Refusal::OverlapLow),
            (_, true) => Some(Refusal::OverlapHigh),
            _ => None,
        }
    }
}
