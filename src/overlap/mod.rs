//! How much two views show of each other: the published metric from images alone, and the truth.

mod config;
mod croco_covisibility;
mod geometric_overlap;
mod homography_overlap;
mod homography_votes;
pub mod patch_votes;
mod refusal;
mod view_features;

pub use config::{HomographyOverlapConfig, VoteRule};
pub use croco_covisibility::{CROCO_RADIUS_M, croco_covisibility, point_cloud};
pub use geometric_overlap::{GeometricOverlap, GeometricOverlapConfig, Reprojection, covisibility, geometric_overlap};
pub use homography_overlap::{HomographyOverlap, homography_of, homography_overlap, match_views, vote};
pub use homography_votes::{Voters, homography_votes};
pub use refusal::Refusal;
pub use view_features::{ViewFeatures, WORKING_SIZE, texture, view_features, working_picture};
