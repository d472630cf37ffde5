//! Why two views have no usable overlap.

use serde::{Deserialize, Serialize};

/// A stable name for each reason, as it appears in reports and JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// One of the views has less fine texture than the gate asks for.
    Textureless,
    /// Too large a share of one of the views shows no surface.
    Holes,
    /// One of the views looks through too many surfaces from behind.
    BackFaces,
    /// One of the cameras is inside geometry: most of its rays come out through a back.
    InsideGeometry,
    /// One of the views has no SIFT descriptors.
    NoDescriptors,
    /// Fewer ratio-test matches than asked for.
    TooFewMatches,
    /// No sample of matches gave a homography.
    NoHomography,
    /// The homography has no inverse.
    SingularHomography,
    /// The homography turns the picture over, sends part of it to infinity or changes its area beyond reason.
    DistortedHomography,
    /// The overlap is below the range.
    OverlapLow,
    /// The overlap is above the range.
    OverlapHigh,
}

impl Refusal {
    /// The stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Textureless => "textureless",
            Self::Holes => "holes",
            Self::BackFaces => "back_faces",
            Self::InsideGeometry => "inside_geometry",
            Self::NoDescriptors => "no_descriptors",
            Self::TooFewMatches => "too_few_matches",
            Self::NoHomography => "no_homography",
            Self::SingularHomography => "singular_homography",
            Self::DistortedHomography => "distorted_homography",
            Self::OverlapLow => "overlap_low",
            Self::OverlapHigh => "overlap_high",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
