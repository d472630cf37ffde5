//! Leaving out single triangles on the host, for adapters on which each one is dear.
//!
//! A software adapter spends most of a picture on triangles that put nothing into it: back faces,
//! and those so small that they lie between pixel centres. Both are told here for a fraction of the
//! adapter's cost. The tests keep every triangle that is in doubt by the adapter's rounding of
//! corners to 1/256 pixel, so the picture stays the same.

use fearless_simd::{Level, dispatch};
use glam::{DVec3, Vec3};

use super::cluster::Cluster;
use crate::camera::Camera;

/// How far rounding may move a corner, pixels; several times what 1/256 pixel steps and 32-bit sums do.
const SLACK_PX: f32 = 1.0 / 64.0;

/// Corner positions and triangles in host memory, in the order of the device's buffers.
#[derive(Debug, Default)]
pub(super) struct HostGeometry {
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    indices: Vec<u32>,
}

impl HostGeometry {
    pub fn new(positions: impl Iterator<Item = [f32; 3]>, indices: &[u32]) -> Self {
        let mut geometry = Self {
            indices: indices.to_vec(),
            ..Self::default()
        };
        for [x, y, z] in positions {
            geometry.x.push(x);
            geometry.y.push(y);
            geometry.z.push(z);
        }
        geometry
    }
}

/// A camera as the tests want it: rows that take a camera-relative point to pixels times z, and to z.
#[derive(Debug, Clone, Copy)]
pub(super) struct PixelView {
    eye: Vec3,
    row_u: Vec3,
    row_v: Vec3,
    row_z: Vec3,
    near: f32,
    width: f32,
    height: f32,
}

impl PixelView {
    pub fn new(camera: &Camera, origin: DVec3, near_m: f64) -> Self {
        let k = &camera.intrinsics;
        let axes = camera.world_from_camera.matrix3;
        Self {
            eye: (camera.eye() - origin).as_vec3(),
            row_u: (axes.x_axis * k.fx + axes.z_axis * k.cx).as_vec3(),
            row_v: (axes.y_axis * k.fy + axes.z_axis * k.cy).as_vec3(),
            row_z: axes.z_axis.as_vec3(),
            // A little beyond the plane, so that what is cut by it is left to the adapter.
            near: near_m as f32 * 1.001,
            width: k.width as f32,
            height: k.height as f32,
        }
    }
}

/// Corners in pixels and their depth; scratch that is used again for every cluster.
#[derive(Debug, Default)]
pub(super) struct Projected {
    u: Vec<f32>,
    v: Vec<f32>,
    z: Vec<f32>,
}

impl Projected {
    /// Projects the cluster's corners.
    #[inline(always)]
    fn project(&mut self, geometry: &HostGeometry, cluster: &Cluster, view: &PixelView) {
        let range = cluster.first_vertex as usize..(cluster.first_vertex + cluster.vertex_count) as usize;
        let (x, y, z) = (
            &geometry.x[range.clone()],
            &geometry.y[range.clone()],
            &geometry.z[range],
        );
        let n = x.len();
        for scratch in [&mut self.u, &mut self.v, &mut self.z] {
            scratch.resize(n.max(scratch.len()), 0.0);
        }
        let (u, v, w) = (&mut self.u[..n], &mut self.v[..n], &mut self.z[..n]);
        let (y, z) = (&y[..n], &z[..n]);
        for i in 0..n {
            let (px, py, pz) = (x[i] - view.eye.x, y[i] - view.eye.y, z[i] - view.eye.z);
            let depth = view.row_z.x * px + view.row_z.y * py + view.row_z.z * pz;
            let inverse = 1.0 / depth;
            u[i] = (view.row_u.x * px + view.row_u.y * py + view.row_u.z * pz) * inverse;
            v[i] = (view.row_v.x * px + view.row_v.y * py + view.row_v.z * pz) * inverse;
            w[i] = depth;
        }
    }

    /// Appends the cluster's triangles that may colour a pixel.
    #[inline(always)]
    fn keep_visible(
        &mut self,
        geometry: &HostGeometry,
        cluster: &Cluster,
        view: &PixelView,
        cull: bool,
        kept: &mut Vec<u32>,
    ) {
        self.project(geometry, cluster, view);
        let first = cluster.first_index as usize;
        let indices = &geometry.indices[first..first + cluster.index_count as usize];
        kept.reserve(indices.len());
        for triangle in indices.chunks_exact(3) {
            let corner = |k: usize| {
                let i = (triangle[k] - cluster.first_vertex) as usize;
                (self.u[i], self.v[i], self.z[i])
            };
            if may_color(corner(0), corner(1), corner(2), view, cull) {
                kept.extend_from_slice(triangle);
            }
        }
    }
}

/// Appends the triangles of the given clusters that may colour a pixel, with the widest vectors there are.
pub(super) fn keep_visible(
    geometry: &HostGeometry,
    clusters: &[&Cluster],
    view: &PixelView,
    cull: bool,
    scratch: &mut Projected,
    kept: &mut Vec<u32>,
) {
    dispatch!(Level::new(), _ => keep_all(geometry, clusters, view, cull, scratch, kept));
}

#[inline(always)]
fn keep_all(
    geometry: &HostGeometry,
    clusters: &[&Cluster],
    view: &PixelView,
    cull: bool,
    scratch: &mut Projected,
    kept: &mut Vec<u32>,
) {
    for cluster in clusters {
        scratch.keep_visible(geometry, cluster, view, cull, kept);
    }
}

type Corner = (f32, f32, f32);

#[inline(always)]
fn may_color(a: Corner, b: Corner, c: Corner, view: &PixelView, cull: bool) -> bool {
    let nearest = a.2.min(b.2).min(c.2);
    if nearest < view.near {
        // Cut by the near plane, or all behind it.
        return a.2.max(b.2).max(c.2) >= view.near;
    }
    let (left, right) = (a.0.min(b.0).min(c.0) - SLACK_PX, a.0.max(b.0).max(c.0) + SLACK_PX);
    let (top, bottom) = (a.1.min(b.1).min(c.1) - SLACK_PX, a.1.max(b.1).max(c.1) + SLACK_PX);
    // First and last pixel centre within the box and the picture.
    let (first_u, last_u) = (
        (left - 0.5).max(-0.5).ceil(),
        (right - 0.5).min(view.width - 0.5).floor(),
    );
    let (first_v, last_v) = (
        (top - 0.5).max(-0.5).ceil(),
        (bottom - 0.5).min(view.height - 0.5).floor(),
    );
    if first_u > last_u || first_v > last_v {
        return false;
    }
    let (ab, ac) = ((b.0 - a.0, b.1 - a.1), (c.0 - a.0, c.1 - a.1));
    // Twice the area, positive for front faces: v runs down, so counter-clockwise turns around.
    let area = ab.1 * ac.0 - ab.0 * ac.1;
    let reach = (right - left) + (bottom - top);
    if cull && area < -2.0 * SLACK_PX * reach {
        return false;
    }
    if first_u == last_u && first_v == last_v && area > 0.0 {
        // One centre: is it outside an edge?
        let (u, v) = (first_u + 0.5, first_v + 0.5);
        let outside =
            |p: Corner, q: Corner| (q.1 - p.1) * (u - p.0) - (q.0 - p.0) * (v - p.1) < -2.0 * SLACK_PX * reach;
        return !(outside(a, b) || outside(b, c) || outside(c, a));
    }
    true
}
