//! How fast the picture moves.
//!
//! The displacement of two frames is the median over matched features, with what they have in common (a shift) and
//! what they have not (a change of scale, parallax) told apart: a picture that shifts by 70 px keeps 69 % of what it
//! shows, one whose features move by 20 px away from its middle keeps as much. So the common shift counts as it is
//! and the median distance from it 3.5-fold.

use serde::Serialize;

use super::frame::Frame;
use crate::features::Level;
use crate::overlap::{HomographyOverlapConfig, match_views};

/// Places of the clip at which its speed is measured.
pub(super) const PLACES: usize = 16;
/// Frames apart at which displacements are measured.
pub(super) const LAGS: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
/// Matches that a displacement needs.
const MIN_MATCHES: usize = 8;
/// What a pixel away from the common shift counts.
const SPREAD_WEIGHT: f64 = 3.5;
/// Share of the target from which on a displacement is taken; the farther frames are apart, the more of the features
/// that moved most are lost.
const ENOUGH: f64 = 0.25;

/// The measured speed of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Speed {
    /// Frames between two of the list.
    pub interval_frames: usize,
    /// Median over the clip of the displacement (module head), pixels of 224 between neighbouring frames; `None` where
    /// nothing could be followed.
    pub displacement_px_per_frame: Option<f64>,
    /// Frames apart at which it was measured.
    pub lag_frames: usize,
}

/// The displacement of the module head, pixels of 224; `None` with fewer than eight matches.
pub(super) fn displacement(first: &Frame, second: &Frame, config: &HomographyOverlapConfig) -> Option<f64> {
    let (a, b) = (&first.features, &second.features);
    if a.keypoints.is_empty() || b.keypoints.is_empty() {
        return None;
    }
    let matches = match_views(Level::new(), a, b, config);
    if matches.len() < MIN_MATCHES {
        return None;
    }
    let moved = || {
        matches.iter().map(|found| {
            let (p, q) = (&a.keypoints[found.first], &b.keypoints[found.second]);
            (f64::from(q.x - p.x), f64::from(q.y - p.y))
        })
    };
    let shift = (
        median(moved().map(|(x, _)| x).collect())?,
        median(moved().map(|(_, y)| y).collect())?,
    );
    let spread = median(moved().map(|(x, y)| libm::hypot(x - shift.0, y - shift.1)).collect())?;
    Some(libm::hypot(shift.0, shift.1) + SPREAD_WEIGHT * spread)
}

/// The middle value, the lower of two.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

impl Speed {
    /// The interval that moves the picture by `target_px`, from displacements by lag (ascending; `None` where fewer
    /// than half of the places could be followed). The shortest lag that moves by a quarter of the target decides;
    /// where none does, the longest that could be followed.
    pub(super) fn from_lags(measured: &[(usize, Option<f64>)], target_px: f64, frames: usize) -> Self {
        let mut followed = measured.iter().filter_map(|&(lag, px)| Some((lag, px?)));
        let enough = followed.clone().find(|(_, px)| *px >= ENOUGH * target_px);
        let most = (frames / 2).max(1);
        match enough.or_else(|| followed.next_back()) {
            Some((lag, px)) => Self {
                interval_frames: ((lag as f64 * target_px / px.max(1e-3)).round() as usize).clamp(1, most),
                displacement_px_per_frame: Some(px / lag as f64),
                lag_frames: lag,
            },
            None => Self {
                interval_frames: 1,
                displacement_px_per_frame: None,
                lag_frames: 0,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_moves_the_picture_by_the_target() {
        let steady: Vec<_> = LAGS.map(|lag| (lag, Some(2.5 * lag as f64))).to_vec();
        let speed = Speed::from_lags(&steady, 70.0, 1000);
        assert_eq!((speed.interval_frames, speed.lag_frames), (28, 8));
        assert!((speed.displacement_px_per_frame.unwrap_or(0.0) - 2.5).abs() < 1e-12);
        // Too fast to follow at all, too slow, and still.
        assert_eq!(Speed::from_lags(&[(1, None)], 70.0, 1000).interval_frames, 1);
        assert_eq!(
            Speed::from_lags(&[(1, Some(0.5)), (2, Some(1.0))], 70.0, 1000).interval_frames,
            140
        );
        assert_eq!(Speed::from_lags(&[(1, Some(0.0))], 70.0, 100).interval_frames, 50);
    }
}
