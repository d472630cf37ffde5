//! What one camera draws, in which order.

use std::ops::Range;

use super::config::{Alpha, Culling, RenderConfig};
use super::cull::{Frustum, Run};
use super::fine_cull::{self, PixelView, Projected};
use super::gpu_scene::{GpuScene, Group};
use super::mesh::Coverage;
use crate::scene::AlphaMode;

/// One draw call.
#[derive(Debug)]
pub(super) struct Draw {
    /// Place in [`GpuScene::groups`].
    pub group: usize,
    /// True where the indices are the batch's own, false where they are the scene's.
    pub picked: bool,
    pub indices: Range<u32>,
}

/// How a group meets what is already there, and whether its back faces are left out.
pub(super) fn rules(config: &RenderConfig, group: &Group) -> (Coverage, bool) {
    let coverage = match (config.alpha, group.alpha) {
        (Alpha::Habitat, _) | (_, AlphaMode::Opaque) => Coverage::Opaque,
        (Alpha::Gltf, AlphaMode::Mask(_)) => Coverage::Masked,
        (Alpha::Gltf, AlphaMode::Blend) => Coverage::Blended,
    };
    let cull = match config.culling {
        Culling::Habitat => true,
        Culling::Gltf => !group.double_sided,
        Culling::None => false,
    };
    (coverage, cull)
}

/// True where a group's back faces make a pixel invalid: it has a front only.
fn has_a_back(config: &RenderConfig, group: &Group) -> bool {
    match config.culling {
        Culling::Habitat => true,
        Culling::Gltf | Culling::None => !group.double_sided,
    }
}

/// Colour and depth: opaque groups nearest part first, then what is laid over them, farthest first.
/// Triangles that were picked one by one for the pixels of `pixels` are appended to `indices`.
pub(super) fn colors(
    scene: &GpuScene,
    config: &RenderConfig,
    frustum: &Frustum,
    pixels: Option<&PixelView>,
    scratch: &mut Projected,
    indices: &mut Vec<u32>,
) -> Vec<Draw> {
    let mut list = Vec::with_capacity(scene.groups.len());
    let mut blended = Vec::new();
    for (place, group) in scene.groups.iter().enumerate() {
        let (coverage, cull) = rules(config, group);
        match (scene.host.as_ref().zip(pixels), coverage) {
            (_, Coverage::Blended) => {
                let runs = frustum.visible_back_to_front(&group.clusters, cull);
                blended.extend(runs.iter().map(|run| (run.nearest, whole(place, run))));
            }
            (Some((host, pixels)), _) => {
                let clusters = frustum.visible_front_to_back(&group.clusters, cull);
                let first = indices.len() as u32;
                fine_cull::keep_visible(host, &clusters, pixels, cull, scratch, indices);
                if indices.len() as u32 > first {
                    list.push(Draw {
                        group: place,
                        picked: true,
                        indices: first..indices.len() as u32,
                    });
                }
            }
            (None, _) => list.extend(
                frustum
                    .visible_runs(&group.clusters, cull)
                    .iter()
                    .map(|run| whole(place, run)),
            ),
        }
    }
    blended.sort_by(|(a, left), (b, right)| b.total_cmp(a).then(left.indices.start.cmp(&right.indices.start)));
    list.extend(blended.into_iter().map(|(_, draw)| draw));
    list
}

/// Triangle numbers: whatever has depth, nearest part first. Blended surfaces have none.
pub(super) fn numbers(scene: &GpuScene, config: &RenderConfig, frustum: &Frustum) -> Vec<Draw> {
    runs(scene, frustum, |group| match rules(config, group) {
        (Coverage::Blended, _) => None,
        (_, cull) => Some(cull),
    })
}

/// Back faces that count.
pub(super) fn backs(scene: &GpuScene, config: &RenderConfig, frustum: &Frustum) -> Vec<Draw> {
    runs(scene, frustum, |group| {
        let counts = has_a_back(config, group) && rules(config, group).0 != Coverage::Blended;
        counts.then_some(false)
    })
}

/// Runs of the groups that `cull_of` gives a culling for.
fn runs(scene: &GpuScene, frustum: &Frustum, cull_of: impl Fn(&Group) -> Option<bool>) -> Vec<Draw> {
    let groups = scene.groups.iter().enumerate();
    groups
        .filter_map(|(place, group)| Some((place, group, cull_of(group)?)))
        .flat_map(|(place, group, cull)| {
            let runs = frustum.visible_runs(&group.clusters, cull);
            runs.into_iter().map(move |run| whole(place, &run))
        })
        .collect()
}

fn whole(group: usize, run: &Run) -> Draw {
    Draw {
        group,
        picked: false,
        indices: run.first_index..run.first_index + run.index_count,
    }
}
