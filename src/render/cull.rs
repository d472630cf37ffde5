//! Which clusters a camera can see, on the CPU.

use glam::{DAffine3, DVec3, Vec3};

use super::cluster::Cluster;
use super::gpu_data::ViewUniforms;
use crate::camera::{Camera, CameraModel, Orthographic, PosedCamera};

/// A run of indices to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run {
    pub first_index: u32,
    pub index_count: u32,
    /// Squared distance from the eye to the nearest box in it, metres squared.
    pub nearest: f32,
}

/// Which sides of triangles are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    Front,
    Back,
    Both,
}

impl Sides {
    /// What is left where back faces are left out or not.
    pub fn culled(cull: bool) -> Self {
        if cull { Self::Front } else { Self::Both }
    }
}

/// A camera that one picture of the device can show.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shot {
    Pinhole(Camera),
    Parallel(Orthographic, DAffine3),
}

impl Shot {
    /// The camera that it is.
    pub fn camera(&self) -> PosedCamera {
        match *self {
            Self::Pinhole(camera) => camera.into(),
            Self::Parallel(orthographic, world_from_camera) => PosedCamera {
                model: CameraModel::Orthographic(orthographic),
                world_from_camera,
            },
        }
    }
}

/// A camera as the culling and the vertex shader want it, relative to the scene's origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frustum {
    eye: Vec3,
    /// Inward normals of the four sides and of the near plane, with the plane's offset from the eye.
    planes: [(Vec3, f32); 5],
    /// Where all rays go, if they go one way.
    parallel: Option<Vec3>,
}

/// The vertex shader's constants for a camera, and its frustum. `far_m` matters to parallel rays alone.
pub(super) fn view_of(shot: &Shot, origin: DVec3, near_m: f64, far_m: f32) -> (ViewUniforms, Frustum) {
    let pose = shot.camera().world_from_camera;
    let axes = pose.matrix3;
    let eye = (pose.translation - origin).as_vec3();
    // Clip x runs right, clip y up; a pixel's centre is at +0.5.
    let (row_x, row_y, row_w) = match shot {
        Shot::Pinhole(camera) => {
            let k = &camera.intrinsics;
            let (width, height) = (f64::from(k.width), f64::from(k.height));
            (
                axes.x_axis * (2.0 * k.fx / width) + axes.z_axis * (2.0 * k.cx / width - 1.0),
                -(axes.y_axis * (2.0 * k.fy / height) + axes.z_axis * (2.0 * k.cy / height - 1.0)),
                axes.z_axis,
            )
        }
        Shot::Parallel(o, _) => {
            let height_m = o.metres_per_px() * f64::from(o.height);
            (
                axes.x_axis * (2.0 / o.width_m),
                -axes.y_axis * (2.0 / height_m),
                axes.z_axis,
            )
        }
    };
    let uniforms = ViewUniforms {
        row_x: row_x.as_vec3().into(),
        near_m: near_m as f32,
        row_y: row_y.as_vec3().into(),
        pad_y: 0.0,
        row_w: row_w.as_vec3().into(),
        pad_w: 0.0,
        eye: eye.into(),
        far_m,
    };
    let near = (row_w.as_vec3(), near_m as f32);
    let frustum = match shot {
        Shot::Pinhole(_) => {
            let side = |normal: DVec3| (normal.normalize_or_zero().as_vec3(), 0.0);
            Frustum {
                eye,
                planes: [
                    side(row_w + row_x),
                    side(row_w - row_x),
                    side(row_w + row_y),
                    side(row_w - row_y),
                    near,
                ],
                parallel: None,
            }
        }
        Shot::Parallel(..) => {
            // Clip coordinates are the share of half the picture's edge.
            let side = |row: DVec3| (row.normalize_or_zero().as_vec3(), -(1.0 / row.length()) as f32);
            Frustum {
                eye,
                planes: [side(row_x), side(-row_x), side(row_y), side(-row_y), near],
                parallel: Some(row_w.as_vec3()),
            }
        }
    };
    (uniforms, frustum)
}

/// How far from the camera's plane the farthest cluster reaches, metres; at least a metre beyond `near_m`.
pub(super) fn reach<'a>(shot: &Shot, origin: DVec3, near_m: f64, clusters: impl Iterator<Item = &'a Cluster>) -> f32 {
    let pose = shot.camera().world_from_camera;
    let (axis, eye) = (pose.matrix3.z_axis.as_vec3(), (pose.translation - origin).as_vec3());
    let farthest = clusters
        .map(|c| axis.dot(c.center - eye) + axis.abs().dot(c.half))
        .fold(0.0, f32::max);
    // What lies exactly at the far plane would read as nothing.
    (1.001 * farthest).max(near_m as f32 + 1.0)
}

impl Frustum {
    /// False only where no wanted side of the cluster's triangles can show.
    fn may_show(&self, cluster: &Cluster, sides: Sides) -> bool {
        let center = cluster.center - self.eye;
        // Rounding of the vertex shader is far below this share of the coordinates.
        let slack = 1e-5 * (center.abs().max_element() + cluster.half.max_element()) + 1e-6;
        for (normal, offset) in self.planes {
            let reach = normal.abs().dot(cluster.half);
            if normal.dot(center) + reach + slack < offset {
                return false;
            }
        }
        // Along the axis of the normals the eye sees backs only, against it fronts only.
        let axis = match sides {
            Sides::Front => cluster.axis,
            Sides::Back => -cluster.axis,
            Sides::Both => return true,
        };
        if cluster.spread > 1.0 {
            return true;
        }
        match self.parallel {
            Some(direction) => direction.dot(axis) <= cluster.spread,
            None => center.dot(axis) <= cluster.spread * center.length() + cluster.half.length() + slack,
        }
    }

    fn distance_squared(&self, cluster: &Cluster) -> f32 {
        let outside = ((cluster.center - self.eye).abs() - cluster.half).max(Vec3::ZERO);
        outside.length_squared()
    }

    /// Runs of indices that may show, neighbours in the buffer merged, nearest first.
    pub fn visible_runs(&self, clusters: &[Cluster], sides: Sides) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for cluster in clusters.iter().filter(|c| self.may_show(c, sides)) {
            let nearest = self.distance_squared(cluster);
            match runs.last_mut() {
                Some(last) if last.first_index + last.index_count == cluster.first_index => {
                    last.index_count += cluster.index_count;
                    last.nearest = last.nearest.min(nearest);
                }
                _ => runs.push(Run {
                    first_index: cluster.first_index,
                    index_count: cluster.index_count,
                    nearest,
                }),
            }
        }
        runs.sort_by(|a, b| a.nearest.total_cmp(&b.nearest).then(a.first_index.cmp(&b.first_index)));
        runs
    }

    /// Clusters that may show, nearest first, so that what is behind them is not coloured in vain.
    pub fn visible_front_to_back<'a>(&self, clusters: &'a [Cluster], sides: Sides) -> Vec<&'a Cluster> {
        let mut seen: Vec<(f32, &Cluster)> = clusters
            .iter()
            .filter(|c| self.may_show(c, sides))
            .map(|c| (self.distance_squared(c), c))
            .collect();
        seen.sort_by(|(a, left), (b, right)| a.total_cmp(b).then(left.first_index.cmp(&right.first_index)));
        seen.into_iter().map(|(_, cluster)| cluster).collect()
    }

    /// Single clusters that may show, farthest first: the order in which transparency is laid.
    pub fn visible_back_to_front(&self, clusters: &[Cluster], sides: Sides) -> Vec<Run> {
        let mut runs: Vec<Run> = clusters
            .iter()
            .filter(|c| self.may_show(c, sides))
            .map(|c| Run {
                first_index: c.first_index,
                index_count: c.index_count,
                nearest: (c.center - self.eye).length_squared(),
            })
            .collect();
        runs.sort_by(|a, b| b.nearest.total_cmp(&a.nearest).then(a.first_index.cmp(&b.first_index)));
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Intrinsics;
    use crate::render::cluster;

    fn frustum() -> Frustum {
        let camera = Camera::level(
            Intrinsics::from_hfov(64, 64, std::f64::consts::FRAC_PI_2),
            DVec3::ZERO,
            0.0,
        );
        view_of(&Shot::Pinhole(camera), DVec3::ZERO, 0.01, 0.0).1
    }

    /// A small triangle around a point that faces +Z, or -Z when turned.
    fn at(first_index: u32, x: f32, y: f32, z: f32, turned: bool) -> Cluster {
        let corners = [[-0.1, -0.1], [0.1, -0.1], [0.0, 0.1]].map(|[dx, dy]: [f32; 2]| Vec3::new(x + dx, y + dy, z));
        let corners = if turned {
            [corners[0], corners[2], corners[1]]
        } else {
            corners
        };
        cluster::bound(first_index, 0..3, &[corners])
    }

    #[test]
    fn only_what_is_in_the_frustum_and_faces_the_eye_may_show() {
        let shows = |cluster: Cluster, sides| frustum().may_show(&cluster, sides);
        assert!(shows(at(0, 0.0, 0.0, -2.0, false), Sides::Front));
        assert!(
            shows(at(0, 2.05, 0.0, -2.0, false), Sides::Front),
            "reaches into the picture"
        );
        assert!(!shows(at(0, 2.2, 0.0, -2.0, false), Sides::Front), "right of it");
        assert!(!shows(at(0, 0.0, -2.2, -2.0, false), Sides::Front), "below it");
        assert!(!shows(at(0, 0.0, 0.0, 2.0, false), Sides::Both), "behind the eye");
        assert!(!shows(at(0, 0.0, 0.0, -2.0, true), Sides::Front), "seen from behind");
        assert!(shows(at(0, 0.0, 0.0, -2.0, true), Sides::Back));
        assert!(!shows(at(0, 0.0, 0.0, -2.0, false), Sides::Back), "seen from its front");
        assert!(
            shows(at(0, 0.0, 0.0, -2.0, true), Sides::Both),
            "seen from behind, and wanted"
        );
    }

    #[test]
    fn neighbours_are_merged_and_sorted_by_distance() {
        let clusters = [
            at(0, 0.0, 0.0, -5.0, false),
            at(3, 0.3, 0.0, -4.0, false),
            at(6, 0.0, 0.0, 4.0, false),
            at(9, 0.0, 0.0, -2.0, false),
        ];
        let runs = frustum().visible_runs(&clusters, Sides::Front);
        let spans: Vec<_> = runs.iter().map(|r| (r.first_index, r.index_count)).collect();
        assert_eq!(spans, [(9, 3), (0, 6)]);
        let near_first = frustum().visible_front_to_back(&clusters, Sides::Front);
        assert!(near_first.iter().map(|c| c.first_index).eq([9, 3, 0]));
        let far_first = frustum().visible_back_to_front(&clusters, Sides::Front);
        assert!(far_first.iter().map(|r| r.first_index).eq([0, 3, 9]));
    }
}
