//! What one camera draws, in which order.

use std::ops::Range;

use super::config::{Alpha, Culling, RenderConfig};
use super::cull::{Frustum, Run, Sides};
use super::fine_cull::{self, Listed, PixelView, Projected};
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

/// A scene and a camera that lists are made for.
pub(super) struct Lister<'a> {
    pub scene: &'a GpuScene,
    pub config: &'a RenderConfig,
    pub frustum: &'a Frustum,
    /// Where single triangles may be picked for a perspective picture's pixels.
    pub pixels: Option<PixelView>,
    pub scratch: &'a mut Projected,
    /// Where picked triangles are listed.
    pub indices: &'a mut Vec<u32>,
}

impl Lister<'_> {
    /// Colour and depth: opaque groups nearest part first, then what is laid over them, farthest first.
    pub fn colors(&mut self) -> Vec<Draw> {
        let mut list = Vec::with_capacity(self.scene.groups.len());
        let mut blended = Vec::new();
        for (place, group) in self.scene.groups.iter().enumerate() {
            let (coverage, cull) = rules(self.config, group);
            let sides = Sides::culled(cull);
            if coverage == Coverage::Blended {
                let runs = self.frustum.visible_back_to_front(&group.clusters, sides);
                blended.extend(runs.iter().map(|run| (run.nearest, whole(place, run))));
            } else {
                self.add(place, sides, Listed::Indices, &mut list);
            }
        }
        blended.sort_by(|(a, left), (b, right)| b.total_cmp(a).then(left.indices.start.cmp(&right.indices.start)));
        list.extend(blended.into_iter().map(|(_, draw)| draw));
        list
    }

    /// Triangle numbers: whatever has depth. Blended surfaces have none.
    pub fn numbers(&mut self) -> Vec<Draw> {
        let mut list = Vec::new();
        for (place, group) in self.scene.groups.iter().enumerate() {
            let (coverage, cull) = rules(self.config, group);
            if coverage != Coverage::Blended {
                self.add(place, Sides::culled(cull), Listed::Places, &mut list);
            }
        }
        list
    }

    /// Back faces that count.
    pub fn backs(&mut self) -> Vec<Draw> {
        let mut list = Vec::new();
        for (place, group) in self.scene.groups.iter().enumerate() {
            if has_a_back(self.config, group) && rules(self.config, group).0 != Coverage::Blended {
                self.add(place, Sides::Back, Listed::Indices, &mut list);
            }
        }
        list
    }

    /// Adds what may show of one group, nearest part first.
    fn add(&mut self, place: usize, sides: Sides, listed: Listed, list: &mut Vec<Draw>) {
        let clusters = &self.scene.groups[place].clusters;
        match (&self.scene.host, &self.pixels) {
            (Some(host), Some(pixels)) => {
                let clusters = self.frustum.visible_front_to_back(clusters, sides);
                let first = self.indices.len() as u32;
                fine_cull::keep_visible(host, &clusters, pixels, (sides, listed), self.scratch, self.indices);
                if self.indices.len() as u32 > first {
                    list.push(Draw {
                        group: place,
                        picked: true,
                        indices: first..self.indices.len() as u32,
                    });
                }
            }
            _ => {
                let runs = self.frustum.visible_runs(clusters, sides);
                list.extend(runs.iter().map(|run| whole(place, run)));
            }
        }
    }
}

fn whole(group: usize, run: &Run) -> Draw {
    Draw {
        group,
        picked: false,
        indices: run.first_index..run.first_index + run.index_count,
    }
}
