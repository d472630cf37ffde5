//! The measures that can decide which pair of a sweep is kept.

use schemars::JsonSchema;
use serde::de::{SeqAccess, Visitor, value};
use serde::{Deserialize, Deserializer, Serialize};

use crate::view::Measure;

/// A measure that can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelectMeasure {
    /// The published filter: SIFT, homography, patch votes; from the images alone.
    Homography,
    /// True covisibility in pixels, from depth and pose. No features are computed.
    Geometry,
    /// The published patch rule with true correspondences in place of the homography. No features are computed.
    PatchTruth,
    /// CroCo's rule: points with a point of the other view within 5 cm. No features are computed.
    Croco,
}

impl SelectMeasure {
    /// The measure of a pair that this one decides by.
    pub fn measure(self) -> Measure {
        match self {
            Self::Homography => Measure::Homography,
            Self::Geometry => Measure::Covisibility,
            Self::PatchTruth => Measure::PatchTruth,
            Self::Croco => Measure::Croco,
        }
    }

    /// Stable names of the refusals below and above the range when this measure is the second or later of a list.
    pub fn refusal_names(self) -> (&'static str, &'static str) {
        match self {
            Self::Homography => ("homography_low", "homography_high"),
            Self::Geometry => ("geometry_low", "geometry_high"),
            Self::PatchTruth => ("patch_truth_low", "patch_truth_high"),
            Self::Croco => ("croco_low", "croco_high"),
        }
    }
}

/// One measure or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SelectBy {
    /// This one alone.
    One(SelectMeasure),
    /// All of them must lie in range; the first orders the candidates.
    All(Vec<SelectMeasure>),
}

impl Default for SelectBy {
    fn default() -> Self {
        Self::One(SelectMeasure::Homography)
    }
}

impl SelectBy {
    /// The measures in order.
    pub fn measures(&self) -> &[SelectMeasure] {
        match self {
            Self::One(measure) => std::slice::from_ref(measure),
            Self::All(measures) => measures,
        }
    }

    /// The measure that orders the candidates.
    pub fn first(&self) -> SelectMeasure {
        self.measures().first().copied().unwrap_or(SelectMeasure::Homography)
    }

    /// At least one, none twice.
    pub fn validate(&self) -> Result<(), String> {
        let mut seen = self.measures().to_vec();
        seen.sort_unstable();
        seen.dedup();
        if seen.is_empty() || seen.len() < self.measures().len() {
            return Err("select_by must name one measure or a list of different ones".to_owned());
        }
        Ok(())
    }
}

/// By hand, so that a wrong name is answered with the right ones.
impl<'de> Deserialize<'de> for SelectBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrAll;

        impl<'de> Visitor<'de> for OneOrAll {
            type Value = SelectBy;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("homography, geometry, patch_truth, croco or a list of them")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<SelectBy, E> {
                SelectMeasure::deserialize(value::StrDeserializer::<E>::new(name)).map(SelectBy::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<SelectBy, A::Error> {
                Vec::deserialize(value::SeqAccessDeserializer::new(list)).map(SelectBy::All)
            }
        }

        deserializer.deserialize_any(OneOrAll)
    }
}
