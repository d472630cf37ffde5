//! Triangles in small, spatially compact clusters, so that a camera draws only what it can see.

use std::ops::Range;

use glam::Vec3;

/// Triangles a cluster holds at most.
pub const TRIANGLES: usize = 128;

/// A run of triangles with what culling needs to know about them.
#[derive(Debug, Clone, Copy)]
pub struct Cluster {
    /// First index in the index buffer.
    pub first_index: u32,
    /// Number of indices.
    pub index_count: u32,
    /// First vertex; a cluster's vertices are its own.
    pub first_vertex: u32,
    /// Number of vertices.
    pub vertex_count: u32,
    /// Centre of the box around the vertices.
    pub center: Vec3,
    /// Half the box's edges.
    pub half: Vec3,
    /// Unit axis of the cone that holds every triangle's normal.
    pub axis: Vec3,
    /// Sine of the cone's half angle; 2 where the normals spread too far for the test.
    pub spread: f32,
}

/// Orders triangles so that consecutive runs are compact: halves at the median of the longest axis of
/// the centroids, down to [`TRIANGLES`]. Gives the new order and the length of each run.
pub fn split(centroids: &[Vec3]) -> (Vec<u32>, Vec<u32>) {
    let mut order: Vec<u32> = (0..centroids.len() as u32).collect();
    let mut runs = Vec::with_capacity(centroids.len() / (TRIANGLES / 2) + 1);
    if !order.is_empty() {
        split_run(centroids, &mut order, &mut runs);
    }
    (order, runs)
}

fn split_run(centroids: &[Vec3], order: &mut [u32], runs: &mut Vec<u32>) {
    if order.len() <= TRIANGLES {
        // The file's own order keeps the vertices of neighbours together.
        order.sort_unstable();
        runs.push(order.len() as u32);
        return;
    }
    let (min, max) = order
        .iter()
        .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(min, max), &i| {
            (min.min(centroids[i as usize]), max.max(centroids[i as usize]))
        });
    let extent = max - min;
    let axis = if extent.x >= extent.y && extent.x >= extent.z {
        0
    } else if extent.y >= extent.z {
        1
    } else {
        2
    };
    // Halves of whole clusters keep every cluster but one full.
    let middle = (order.len().div_ceil(TRIANGLES) / 2) * TRIANGLES;
    order.select_nth_unstable_by(middle, |&a, &b| {
        let (x, y) = (centroids[a as usize][axis], centroids[b as usize][axis]);
        x.total_cmp(&y).then(a.cmp(&b))
    });
    let (left, right) = order.split_at_mut(middle);
    split_run(centroids, left, runs);
    split_run(centroids, right, runs);
}

/// Box and normal cone of the given triangles, which begin at `first_index` and use the given vertices.
pub fn bound(first_index: u32, vertices: Range<u32>, triangles: &[[Vec3; 3]]) -> Cluster {
    let mut min = Vec3::INFINITY;
    let mut max = Vec3::NEG_INFINITY;
    let mut sum = Vec3::ZERO;
    for triangle in triangles {
        for &corner in triangle {
            min = min.min(corner);
            max = max.max(corner);
        }
        sum += normal(triangle);
    }
    let axis = sum.normalize_or_zero();
    let narrowest = triangles
        .iter()
        .map(normal)
        .filter(|n| *n != Vec3::ZERO)
        .map(|n| n.dot(axis))
        .fold(1.0f32, f32::min);
    // A little wider than measured, so that rounding never hides a visible triangle.
    let narrowest = narrowest - 1e-3;
    let spread = if axis != Vec3::ZERO && narrowest > 0.05 {
        (1.0 - narrowest * narrowest).max(0.0).sqrt()
    } else {
        2.0
    };
    Cluster {
        first_index,
        index_count: triangles.len() as u32 * 3,
        first_vertex: vertices.start,
        vertex_count: vertices.end - vertices.start,
        center: 0.5 * (min + max),
        half: 0.5 * (max - min),
        axis,
        spread,
    }
}

fn normal([a, b, c]: &[Vec3; 3]) -> Vec3 {
    (*b - *a).cross(*c - *a).normalize_or_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_triangle_is_kept_once_and_runs_are_compact() {
        let centroids: Vec<Vec3> = (0..1000)
            .map(|i| Vec3::new((i * 7 % 100) as f32, (i / 100) as f32, 0.0))
            .collect();
        let (order, runs) = split(&centroids);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<u32>>());
        assert_eq!(runs.iter().sum::<u32>(), 1000);
        assert!(runs.iter().all(|&n| n as usize <= TRIANGLES));
        let first = &order[..runs[0] as usize];
        let widest = first.iter().map(|&i| centroids[i as usize].x).fold(0.0, f32::max);
        assert!(
            widest < 50.0,
            "a run spans only a part of the plane, not up to {widest}"
        );
    }

    #[test]
    fn no_triangles_no_runs() {
        assert_eq!(split(&[]), (vec![], vec![]));
    }

    #[test]
    fn a_flat_cluster_has_a_narrow_cone_and_a_ball_none() {
        let flat = [[Vec3::ZERO, Vec3::X, Vec3::Y], [Vec3::X, Vec3::X + Vec3::Y, Vec3::Y]];
        let cluster = bound(0, 0..4, &flat);
        assert!(cluster.axis.abs_diff_eq(Vec3::Z, 1e-6) && cluster.spread < 0.05);
        let both = [flat[0], [Vec3::ZERO, Vec3::Y, Vec3::X]];
        assert_eq!(bound(0, 0..3, &both).spread, 2.0);
    }
}
