//! Where the matches speak for a homography: patches in reach of the inliers.
//!
//! A homography maps every pixel, also those of surfaces that it knows nothing of. Inliers show where it
//! holds: inside their convex hull, widened by a reach, it is interpolated, and outside extrapolated.

use super::patch_votes::{PATCH, PatchGrid};

/// Per patch in raster order, whether its centre lies in the convex hull of the points or within `reach_px` of
/// it. Points are pixels with centres at integers.
pub(super) fn supported(grid: PatchGrid, points: &[[f64; 2]], reach_px: f64) -> Vec<bool> {
    let hull = convex_hull(points);
    (0..grid.len())
        .map(|patch| {
            let (left, top) = grid.corner(patch);
            let half = f64::from(PATCH - 1) / 2.0;
            distance(&hull, [f64::from(left) + half, f64::from(top) + half]) <= reach_px
        })
        .collect()
}

/// The corners of the hull, counter-clockwise with y up; Andrew's monotone chain.
fn convex_hull(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    sorted.dedup();
    let chain = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut chain: Vec<[f64; 2]> = Vec::new();
        for point in points {
            while let [.., a, b] = chain[..]
                && cross(a, b, point) <= 0.0
            {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    if sorted.len() < 3 {
        return sorted;
    }
    let mut hull = chain(&mut sorted.iter().copied());
    hull.extend(chain(&mut sorted.iter().rev().copied()));
    hull
}

/// Twice the signed area of the triangle.
fn cross(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Distance of a point from a hull, 0 inside; infinite from an empty one.
fn distance(hull: &[[f64; 2]], point: [f64; 2]) -> f64 {
    let edges = || (0..hull.len()).map(|i| (hull[i], hull[(i + 1) % hull.len()]));
    if hull.len() > 2 && edges().all(|(a, b)| cross(a, b, point) >= 0.0) {
        return 0.0;
    }
    edges()
        .map(|(a, b)| {
            let (along, to) = ([b[0] - a[0], b[1] - a[1]], [point[0] - a[0], point[1] - a[1]]);
            let length = along[0] * along[0] + along[1] * along[1];
            let t = if length > 0.0 {
                ((to[0] * along[0] + to[1] * along[1]) / length).clamp(0.0, 1.0)
            } else {
                0.0
            };
            (to[0] - t * along[0]).hypot(to[1] - t * along[1])
        })
        .fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [[f64; 2]; 6] = [
        [0.0, 0.0],
        [31.0, 0.0],
        [31.0, 31.0],
        [0.0, 31.0],
        [10.0, 12.0],
        [15.0, 0.0],
    ];

    #[test]
    fn the_hull_of_a_square_is_the_square() {
        assert_eq!(
            convex_hull(&SQUARE),
            [[0.0, 0.0], [31.0, 0.0], [31.0, 31.0], [0.0, 31.0]]
        );
        assert_eq!(distance(&convex_hull(&SQUARE), [5.0, 30.0]), 0.0);
        assert_eq!(distance(&convex_hull(&SQUARE), [35.0, 34.0]), 5.0);
        assert_eq!(distance(&[[1.0, 1.0]], [4.0, 5.0]), 5.0);
        assert_eq!(distance(&[[0.0, 0.0], [4.0, 0.0]], [2.0, 3.0]), 3.0);
        assert_eq!(distance(&[], [0.0, 0.0]), f64::INFINITY);
    }

    #[test]
    fn patches_within_reach_are_supported() {
        let grid = PatchGrid::new(64);
        let places = |reach| -> Vec<usize> {
            let marks = supported(grid, &SQUARE, reach);
            (0..16).filter(|&i| marks[i]).collect()
        };
        assert_eq!(places(0.0), [0, 1, 4, 5]);
        // Centres of the next column and row lie 8.5 px away, that of the diagonal one 12.02.
        assert_eq!(places(9.0), [0, 1, 2, 4, 5, 6, 8, 9]);
        assert_eq!(places(12.1), [0, 1, 2, 4, 5, 6, 8, 9, 10]);
    }
}
