//! How much two views show of each other: the published metric from images alone, and the truth.

mod certain_patches;
mod config;
mod croco_covisibility;
mod geometric_overlap;
mod homography_overlap;
mod homography_votes;
mod ideal_homography;
mod pair_geometry;
pub mod patch_votes;
mod phase_free;
mod planarity;
mod refusal;
mod reprojection;
mod support;
mod surface;
mod view_features;

pub use config::{HomographyOverlapConfig, Measure, VoteRule};
pub use croco_covisibility::{CROCO_RADIUS_M, PointCloud, croco_covisibility, point_cloud};
pub use geometric_overlap::{
    GeometricOverlap, GeometricOverlapConfig, LATTICE_STEP, LatticePoint, Passage, covisibility, geometric_overlap,
    surface_covisibility, surface_overlap,
};
pub use homography_overlap::{
    HomographyOverlap, homography_of, homography_overlap, match_views, overlap_of_matches, vote,
};
pub use homography_votes::{Voters, homography_votes};
pub use ideal_homography::ideal_homography_overlap;
pub use pair_geometry::PairGeometry;
pub use phase_free::{area_inside, phase_free_votes};
pub use refusal::Refusal;
pub use reprojection::{Block, Fate, Landing, Reprojection};
pub use surface::Surface;
pub use view_features::{ViewFeatures, WORKING_SIZE, texture, view_features, view_features_of_gray, working_picture};
