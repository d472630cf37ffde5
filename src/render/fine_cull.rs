//! Leaving out single triangles on the host, for adapters on which each one is dear.
//!
//! A software adapter spends most of a picture on triangles that put nothing into it: back faces,
//! and those so small that they lie between pixel centres. Both are told here for a fraction of the
//! adapter's cost. The tests keep every triangle that is in doubt by the adapter's rounding of
//! corners to 1/256 pixel, so the picture stays the same.

use fearless_simd::{Level, dispatch};
use glam::{DVec3, Vec3};

use super::cluster::{self, Cluster};
use super::cull::Sides;
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
    planes: Planes,
}

/// The plane of each triangle: unit normal and its product with any corner.
#[derive(Debug, Default)]
struct Planes {
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    offset: Vec<f32>,
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
        let corner = |i: u32| Vec3::new(geometry.x[i as usize], geometry.y[i as usize], geometry.z[i as usize]);
        let mut planes = Planes::default();
        for triangle in indices.chunks_exact(3) {
            let (a, b, c) = (corner(triangle[0]), corner(triangle[1]), corner(triangle[2]));
            let normal = (b - a).cross(c - a).normalize_or_zero();
            planes.x.push(normal.x);
            planes.y.push(normal.y);
            planes.z.push(normal.z);
            planes.offset.push(normal.dot(a));
        }
        geometry.planes = planes;
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

/// What is listed of a triangle that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// Its three indices in the scene's index buffer.
    Indices,
    /// The places of these indices: its vertices where every triangle has its own.
    Places,
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
        (sides, listed): (Sides, Listed),
        kept: &mut Vec<u32>,
    ) {
        let first = cluster.first_index as usize;
        let indices = &geometry.indices[first..first + cluster.index_count as usize];
        let facing = geometry.facing(cluster, view, sides);
        if facing == [0; WORDS] {
            return;
        }
        self.project(geometry, cluster, view);
        for (word, mut bits) in facing.into_iter().enumerate() {
            while bits != 0 {
                let place = (word * 64 + bits.trailing_zeros() as usize) * 3;
                bits &= bits - 1;
                let triangle = &indices[place..place + 3];
                let corner = |k: usize| {
                    let i = (triangle[k] - cluster.first_vertex) as usize;
                    (self.u[i], self.v[i], self.z[i])
                };
                if may_color(corner(0), corner(1), corner(2), view) {
                    match listed {
                        Listed::Indices => kept.extend_from_slice(triangle),
                        Listed::Places => kept.extend([0, 1, 2].map(|k| (first + place) as u32 + k)),
                    }
                }
            }
        }
    }
}

/// Words of a bit a triangle.
const WORDS: usize = cluster::TRIANGLES.div_ceil(64);

impl HostGeometry {
    /// A bit for each triangle of the cluster: does a side of it that is wanted face the eye?
    #[inline(always)]
    fn facing(&self, cluster: &Cluster, view: &PixelView, sides: Sides) -> [u64; WORDS] {
        let first = cluster.first_index as usize / 3;
        let range = first..first + cluster.index_count as usize / 3;
        let n = range.len();
        let (x, y) = (&self.planes.x[range.clone()], &self.planes.y[range.clone()]);
        let (z, offset) = (&self.planes.z[range.clone()], &self.planes.offset[range]);
        // Seen so nearly edge-on that rounding decides; degenerate triangles have a zero normal and stay.
        let doubt = 1e-5 * (1.0 + (cluster.center - view.eye).length() + view.eye.length());
        let mut wanted = [sides == Sides::Both; WORDS * 64];
        if sides != Sides::Both {
            let sign = if sides == Sides::Front { 1.0 } else { -1.0 };
            for i in 0..n {
                let height = x[i] * view.eye.x + y[i] * view.eye.y + z[i] * view.eye.z - offset[i];
                wanted[i] = sign * height > -doubt;
            }
        }
        let mut words = [0; WORDS];
        for (word, flags) in words.iter_mut().zip(wanted.chunks_exact(64)) {
            for (bit, &flag) in flags.iter().enumerate() {
                *word |= u64::from(flag) << bit;
            }
        }
        for (i, word) in words.iter_mut().enumerate() {
            let used = n.saturating_sub(i * 64).min(64) as u32;
            *word &= u64::MAX.checked_shr(64 - used).unwrap_or(0);
        }
        words
    }
}

/// Appends the triangles of the given clusters that may colour a pixel, with the widest vectors there are.
pub(super) fn keep_visible(
    geometry: &HostGeometry,
    clusters: &[&Cluster],
    view: &PixelView,
    how: (Sides, Listed),
    scratch: &mut Projected,
    kept: &mut Vec<u32>,
) {
    dispatch!(Level::new(), _ => keep_all(geometry, clusters, view, how, scratch, kept));
}

#[inline(always)]
fn keep_all(
    geometry: &HostGeometry,
    clusters: &[&Cluster],
    view: &PixelView,
    how: (Sides, Listed),
    scratch: &mut Projected,
    kept: &mut Vec<u32>,
) {
    for cluster in clusters {
        scratch.keep_visible(geometry, cluster, view, how, kept);
    }
}

type Corner = (f32, f32, f32);

/// Might the triangle cover a pixel's centre? Facing has been looked at before.
#[inline(always)]
fn may_color(a: Corner, b: Corner, c: Corner, view: &PixelView) -> bool {
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
    if (first_u > last_u) | (first_v > last_v) {
        return false;
    }
    if (first_u < last_u) | (first_v < last_v) {
        return true;
    }
    // One centre: is it clearly outside an edge, whichever way the triangle turns?
    let (u, v) = (first_u + 0.5, first_v + 0.5);
    let doubt = 2.0 * SLACK_PX * ((right - left) + (bottom - top));
    let side = |p: Corner, q: Corner| (q.1 - p.1) * (u - p.0) - (q.0 - p.0) * (v - p.1);
    let (ab, bc, ca) = (side(a, b), side(b, c), side(c, a));
    let (least, most) = (ab.min(bc).min(ca), ab.max(bc).max(ca));
    (least >= -doubt) | (most <= doubt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Intrinsics;

    /// Numbers in [-1, 1) from a fixed sequence.
    fn sequence() -> impl FnMut() -> f32 {
        let mut state = 1u64;
        move || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            ((state >> 40) as f32) / (1u64 << 23) as f32 - 1.0
        }
    }

    /// One cluster of the given triangles, each with corners of its own.
    fn geometry(triangles: &[[Vec3; 3]]) -> (HostGeometry, Cluster) {
        let count = triangles.len() as u32 * 3;
        let indices: Vec<u32> = (0..count).collect();
        let corners = triangles.iter().flatten().map(|&p| p.into());
        (
            HostGeometry::new(corners, &indices),
            cluster::bound(0, 0..count, triangles),
        )
    }

    fn kept(triangles: &[[Vec3; 3]], camera: &Camera, sides: Sides) -> Vec<u32> {
        let (host, cluster) = geometry(triangles);
        let view = PixelView::new(camera, DVec3::ZERO, 0.01);
        let mut indices = Vec::new();
        let how = (sides, Listed::Indices);
        keep_visible(&host, &[&cluster], &view, how, &mut Projected::default(), &mut indices);
        // Every corner is its own vertex here, so both lists are one.
        let mut places = Vec::new();
        let how = (sides, Listed::Places);
        keep_visible(&host, &[&cluster], &view, how, &mut Projected::default(), &mut places);
        assert_eq!(indices, places);
        indices.chunks_exact(3).map(|t| t[0] / 3).collect()
    }

    /// Does a pixel centre of the picture lie in the projected triangle, and does its front face the eye?
    fn covers_a_centre(camera: &Camera, triangle: &[Vec3; 3]) -> (bool, bool) {
        let corners = triangle.map(|p| camera.camera_from_world().transform_point3(p.as_dvec3()));
        let [a, b, c] = corners.map(|p| camera.intrinsics.project(p).expect("in front"));
        let side = |p: glam::DVec2, q: glam::DVec2, x: glam::DVec2| (q - p).perp_dot(x - p);
        let front = side(a, b, c) < 0.0;
        let low = a.min(b).min(c).floor().max(glam::DVec2::ZERO);
        let high = a.max(b).max(c).ceil().min(glam::DVec2::splat(64.0));
        let mut covered = false;
        for y in low.y as i32..high.y as i32 {
            for x in low.x as i32..high.x as i32 {
                let centre = glam::DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
                let sides = [side(a, b, centre), side(b, c, centre), side(c, a, centre)];
                covered |= sides.iter().all(|&s| s <= 0.0) || sides.iter().all(|&s| s >= 0.0);
            }
        }
        (covered, front)
    }

    #[test]
    fn whatever_covers_a_centre_is_kept_and_most_of_the_rest_is_not() {
        let camera = Camera::level(Intrinsics::from_hfov(64, 64, 1.5), DVec3::ZERO, 0.0);
        let mut next = sequence();
        let (mut hidden, mut dropped) = (0, 0);
        for round in 0..400 {
            // From far below a pixel to several pixels.
            let size = 0.01 * 1.02f32.powi(round);
            let triangles: Vec<[Vec3; 3]> = (0..cluster::TRIANGLES)
                .map(|_| {
                    let middle = Vec3::new(4.0 * next(), 4.0 * next(), -5.0 + next());
                    let size = size.min(1.0);
                    [(); 3].map(|()| middle + size * Vec3::new(next(), next(), next()))
                })
                .collect();
            let [culled, backs, all] =
                [Sides::Front, Sides::Back, Sides::Both].map(|sides| kept(&triangles, &camera, sides));
            for (i, triangle) in triangles.iter().enumerate() {
                let (covered, front) = covers_a_centre(&camera, triangle);
                let i = i as u32;
                assert!(!covered || all.contains(&i), "{triangle:?} covers a centre");
                assert!(
                    !(covered && front) || culled.contains(&i),
                    "{triangle:?} shows its front"
                );
                assert!(!covered || front || backs.contains(&i), "{triangle:?} shows its back");
                hidden += usize::from(!(covered && front));
                dropped += usize::from(!culled.contains(&i));
            }
        }
        assert!(
            dropped * 10 > hidden * 8,
            "{dropped} of {hidden} hidden triangles are left out"
        );
    }

    #[test]
    fn a_triangle_cut_by_the_near_plane_is_kept_and_one_behind_it_is_not() {
        let camera = Camera::level(Intrinsics::from_hfov(64, 64, 1.5), DVec3::ZERO, 0.0);
        let cut = [
            Vec3::new(-1.0, -1.0, -2.0),
            Vec3::new(1.0, -1.0, -2.0),
            Vec3::new(0.0, 0.5, 3.0),
        ];
        let behind = cut.map(|p| Vec3::new(p.x, p.y, p.z.abs() + 1.0));
        assert_eq!(kept(&[cut, behind], &camera, Sides::Both), [0]);
    }
}
