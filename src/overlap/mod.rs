//! How much two views show of each other: the published metric from images alone, and the truth.

mod config;
mod croco_covisibility;
mod geometric_overlap;
mod homography_overlap;
mod homography_votes;
pub mod patch_votes;
mod phase_free;
mod refusal;
mod view_features;

pub use config::{HomographyOverlapConfig, Measure, VoteRule};
pub use croco_covisibility::{CROCO_RADIUS_M, croco_covisibility, point_cloud};
pub use geometric_overlap::{GeometricOverlap, GeometricOverlapConfig, Reprojection, covisibility, geometric_overlap};
pub use homography_overlap::{
    HomographyOverlap, homography_of, homography_overlap, match_views, overlap_of_matches, vote,
};
pub use homography_votes::{Voters, homography_votes};
pub use phase_free::{area_inside, phase_free_votes};
pub use refusal::Refusal;
pub use view_features::{ViewFeatures, WORKING_SIZE, view_features, working_picture};
