//! The published overlap metric: two pictures in, a share of common patches out.
//!
//! SIFT, two nearest neighbours with a ratio test, a homography, and the patch votes of the homography
//! and its inverse; the smaller direction decides (MIMIC supplement 2.2). It takes features of images
//! alone, so it cannot peek at depth or pose.

use super::config::{HomographyOverlapConfig, Measure, VoteRule};
use super::homography_votes::{Voters, homography_votes};
use super::patch_votes::{self, PatchGrid, PatchMap};
use super::phase_free::{area_inside, phase_free_votes};
use super::refusal::Refusal;
use super::support::supported;
use super::view_features::{ViewFeatures, WORKING_SIZE};
use crate::features::Level;
use crate::features::homography::{Homography, PointPair, inverse, is_plausible, normalized};
use crate::features::matching::{Match, match_descriptors};
use crate::features::ransac::{Estimate, estimate};
use crate::rng::Rng;
use crate::view::{Correspondence, Overlap};

/// No patch lies farther than this from an inlier: longer than the diagonal of a view, pixels.
const EVERYWHERE_PX: f64 = WORKING_SIZE as f64 * 1.5;

/// What the metric found; at least one of `overlap` and `refusal` is there, never both.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HomographyOverlap {
    /// Share of patches with a partner, both ways.
    pub overlap: Option<Overlap>,
    /// Why there is no overlap.
    pub refusal: Option<Refusal>,
    /// Matches that passed the ratio test.
    pub matches: usize,
    /// Matches that agree with the homography.
    pub inliers: usize,
    /// First view to second, OpenCV's pixel convention (centres at integers), last element 1; also of a
    /// homography that was refused.
    pub homography: Option<Homography>,
    /// Patch partners of the direction that decides; empty without an overlap.
    pub correspondence: Correspondence,
}

/// Measures the overlap of two views. `seed` decides the draws of RANSAC and of the votes.
pub fn homography_overlap(
    first: &ViewFeatures,
    second: &ViewFeatures,
    config: &HomographyOverlapConfig,
    seed: u64,
) -> HomographyOverlap {
    if first.keypoints.is_empty() || second.keypoints.is_empty() {
        return HomographyOverlap::default().refuse(Refusal::NoDescriptors);
    }
    let matches = match_views(Level::new(), first, second, config);
    overlap_of_matches(Level::new(), first, second, &matches, config, seed)
}

/// The part of [`homography_overlap`] after the matching, which is the same for every seed.
pub fn overlap_of_matches(
    level: Level,
    first: &ViewFeatures,
    second: &ViewFeatures,
    matches: &[Match],
    config: &HomographyOverlapConfig,
    seed: u64,
) -> HomographyOverlap {
    let mut found = HomographyOverlap {
        matches: matches.len(),
        ..HomographyOverlap::default()
    };
    if matches.len() < config.min_matches {
        return found.refuse(Refusal::TooFewMatches);
    }
    let Some(estimate) = homography_of(level, first, second, matches, config, seed) else {
        return found.refuse(Refusal::NoHomography);
    };
    found.inliers = estimate.inlier_count();
    let homography = normalized(&estimate.homography);
    found.homography = Some(homography);
    let Some(back) = inverse(&homography) else {
        return found.refuse(Refusal::SingularHomography);
    };
    if config.refuse_distorted && !is_plausible(&homography, f64::from(WORKING_SIZE)) {
        return found.refuse(Refusal::DistortedHomography);
    }
    let support =
        (config.support_reach_px < EVERYWHERE_PX).then(|| support_of(first, second, matches, &estimate, config));
    let (overlap, correspondence) = vote_within(level, &homography, &back, support.as_ref(), config, seed);
    found.overlap = Some(overlap);
    found.correspondence = correspondence;
    found
}

impl HomographyOverlap {
    fn refuse(mut self, reason: Refusal) -> Self {
        self.refusal = Some(reason);
        self
    }
}

/// Matches of the first view in the second.
pub fn match_views(
    level: Level,
    first: &ViewFeatures,
    second: &ViewFeatures,
    config: &HomographyOverlapConfig,
) -> Vec<Match> {
    match_descriptors(
        level,
        &first.descriptors,
        &second.descriptors,
        config.ratio,
        config.mutual,
    )
}

/// The homography of matched keypoints.
pub fn homography_of(
    level: Level,
    first: &ViewFeatures,
    second: &ViewFeatures,
    matches: &[Match],
    config: &HomographyOverlapConfig,
    seed: u64,
) -> Option<Estimate> {
    let point = |view: &ViewFeatures, index: usize| {
        let keypoint = &view.keypoints[index];
        [f64::from(keypoint.x), f64::from(keypoint.y)]
    };
    let pairs: Vec<PointPair> = matches
        .iter()
        .map(|m| PointPair {
            first: point(first, m.first),
            second: point(second, m.second),
        })
        .collect();
    estimate(level, &pairs, &config.ransac, seed)
}

/// The patches of the first and of the second view that the inliers speak for.
fn support_of(
    first: &ViewFeatures,
    second: &ViewFeatures,
    matches: &[Match],
    estimate: &Estimate,
    config: &HomographyOverlapConfig,
) -> [Vec<bool>; 2] {
    let grid = PatchGrid::new(WORKING_SIZE);
    let inliers = || matches.iter().zip(&estimate.inliers).filter(|(_, inlier)| **inlier);
    let place = |view: &ViewFeatures, index: usize| {
        let keypoint = &view.keypoints[index];
        [f64::from(keypoint.x), f64::from(keypoint.y)]
    };
    let in_first: Vec<_> = inliers().map(|(m, _)| place(first, m.first)).collect();
    let in_second: Vec<_> = inliers().map(|(m, _)| place(second, m.second)).collect();
    [in_first, in_second].map(|points| supported(grid, &points, config.support_reach_px))
}

/// The overlap and the patch partners of a homography and its inverse.
pub fn vote(
    level: Level,
    homography: &Homography,
    back: &Homography,
    config: &HomographyOverlapConfig,
    seed: u64,
) -> (Overlap, Correspondence) {
    vote_within(level, homography, back, None, config, seed)
}

/// As [`vote`], where only supported patches of each view have partners.
fn vote_within(
    level: Level,
    homography: &Homography,
    back: &Homography,
    support: Option<&[Vec<bool>; 2]>,
    config: &HomographyOverlapConfig,
    seed: u64,
) -> (Overlap, Correspondence) {
    let grid = PatchGrid::new(WORKING_SIZE);
    let mut rng = Rng::stream(seed, "votes", &[]);
    let mut votes_of = |h| match config.votes {
        VoteRule::Sampled => published(
            grid,
            homography_votes(level, grid, h, Voters::Sampled(config.samples, &mut rng)),
        ),
        VoteRule::Exact => published(grid, homography_votes(level, grid, h, Voters::All)),
        VoteRule::PhaseFree => phase_free_votes(level, grid, h),
    };
    let (mut there, mut back_again) = (votes_of(homography), votes_of(back));
    if let Some([of_first, of_second]) = support {
        keep_supported(&mut there, of_first);
        keep_supported(&mut back_again, of_second);
    }
    let correspondence = if there.1 < back_again.1 {
        patch_votes::forward(grid, &there.0)
    } else {
        patch_votes::backward(grid, &back_again.0)
    };
    let overlap = match config.measure {
        Measure::Patches => Overlap {
            first_to_second: there.1,
            second_to_first: back_again.1,
        },
        Measure::Area => Overlap {
            first_to_second: area_inside(level, grid, homography),
            second_to_first: area_inside(level, grid, back),
        },
    };
    (overlap, correspondence)
}

/// A map and its share of patches with a partner.
fn published(grid: PatchGrid, map: PatchMap) -> (PatchMap, f64) {
    let share = patch_votes::partners(&map) as f64 / grid.len().max(1) as f64;
    (map, share)
}

/// Takes their partners from patches without support, and their part from the share.
fn keep_supported((map, share): &mut (PatchMap, f64), supported: &[bool]) {
    let before = patch_votes::partners(map);
    for (partner, supported) in map.iter_mut().zip(supported) {
        *partner = partner.filter(|_| *supported);
    }
    if before > 0 {
        *share *= patch_votes::partners(map) as f64 / before as f64;
    }
}
