//! Channels beside colour and depth, and the pipelines that draw them.
//!
//! Normals and ids come from one picture of triangle numbers, looked up on the host: what a triangle
//! is does not change from pixel to pixel. Back faces are a mask that is drawn against the depth that
//! is already there.

use std::sync::OnceLock;

use glam::DVec3;
use serde::{Deserialize, Serialize};

use super::error::RenderError;
use super::gpu::Gpu;
use super::mesh::{self, Coverage, POSITION, Stage, TINT, UV, Variant};
use crate::scene::Primitive;
use crate::view::{IdMap, NormalMap};

/// Triangle numbers.
pub(super) const NUMBERS: wgpu::TextureFormat = wgpu::TextureFormat::R32Uint;
/// The mask of back faces.
pub(super) const MARKS: wgpu::TextureFormat = wgpu::TextureFormat::R8Unorm;

/// Channels to draw beside colour and depth; each costs only where it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sensors {
    /// World normals.
    pub normal: bool,
    /// Which placed object is seen.
    pub instance: bool,
    /// Semantic ids as the scene supplies them ([`crate::scene::Primitive::semantics`]).
    pub semantic: bool,
    /// Nothing hit, back face, or surface.
    pub validity: bool,
}

impl Sensors {
    /// Every channel.
    pub fn all() -> Self {
        Self {
            normal: true,
            instance: true,
            semantic: true,
            validity: true,
        }
    }

    /// Only [`Sensors::validity`].
    pub fn validity() -> Self {
        Self {
            validity: true,
            ..Self::default()
        }
    }

    /// True where triangle numbers are needed.
    pub(super) fn numbers(self) -> bool {
        self.normal || self.instance || self.semantic
    }
}

/// What each triangle of the device's buffers is.
#[derive(Debug, Default)]
pub(super) struct TriangleTable {
    normals: Vec<[f32; 3]>,
    instances: Vec<u32>,
    semantics: Vec<u32>,
}

impl TriangleTable {
    /// From `(primitive, first index)` of each triangle in the buffer's order.
    pub fn new(primitives: &[Primitive], triangles: &[(u32, u32)]) -> Self {
        let mut table = Self::default();
        for &(place, first) in triangles {
            let primitive = &primitives[place as usize];
            let corner = |k: u32| {
                let vertex = primitive.indices[(first + k) as usize] as usize;
                DVec3::from(primitive.positions[vertex].map(f64::from))
            };
            let (a, b, c) = (corner(0), corner(1), corner(2));
            let normal = (b - a).cross(c - a).normalize_or_zero();
            table.normals.push(normal.as_vec3().into());
            table.instances.push(primitive.instance);
            let semantic = primitive.semantics.get(first as usize / 3);
            table.semantics.push(semantic.copied().unwrap_or(0));
        }
        table
    }

    /// Normals of a picture of triangle numbers.
    pub fn normal_map(&self, width: u32, height: u32, numbers: &[u32]) -> NormalMap {
        NormalMap {
            width,
            height,
            vectors: look_up(&self.normals, numbers),
        }
    }

    /// Instances of a picture of triangle numbers.
    pub fn instance_map(&self, width: u32, height: u32, numbers: &[u32]) -> IdMap {
        IdMap {
            width,
            height,
            ids: look_up(&self.instances, numbers),
        }
    }

    /// Semantic ids of a picture of triangle numbers.
    pub fn semantic_map(&self, width: u32, height: u32, numbers: &[u32]) -> IdMap {
        IdMap {
            width,
            height,
            ids: look_up(&self.semantics, numbers),
        }
    }
}

/// Values by number, from 1; the default for 0.
fn look_up<T: Copy + Default>(values: &[T], numbers: &[u32]) -> Vec<T> {
    numbers
        .iter()
        .map(|&number| match number.checked_sub(1) {
            Some(place) => values.get(place as usize).copied().unwrap_or_default(),
            None => T::default(),
        })
        .collect()
}

/// Pipelines of the extra channels, each made when it is first wanted.
#[derive(Debug, Default)]
pub(super) struct SensorPipelines {
    /// By masked or not, then by culling or not.
    numbers: OnceLock<[[wgpu::RenderPipeline; 2]; 2]>,
    /// By masked or not.
    backs: OnceLock<[wgpu::RenderPipeline; 2]>,
}

impl SensorPipelines {
    /// Makes what these sensors need, so that one that the driver refuses is not kept for later.
    ///
    /// # Errors
    /// The driver refuses.
    pub fn prepare(&self, gpu: &Gpu, stage: &Stage, sensors: Sensors) -> Result<(), RenderError> {
        if sensors.numbers() && self.numbers.get().is_none() {
            let made = gpu.scoped("compiling shaders", || number_pipelines(stage))?;
            self.numbers.get_or_init(|| made);
        }
        if sensors.validity && self.backs.get().is_none() {
            let made = gpu.scoped("compiling shaders", || back_pipelines(stage))?;
            self.backs.get_or_init(|| made);
        }
        Ok(())
    }

    /// Draws triangle numbers.
    pub fn number(&self, stage: &Stage, coverage: Coverage, cull: bool) -> &wgpu::RenderPipeline {
        let made = self.numbers.get_or_init(|| number_pipelines(stage));
        &made[usize::from(coverage == Coverage::Masked)][usize::from(cull)]
    }

    /// Marks back faces before the depth that is there.
    pub fn back(&self, stage: &Stage, coverage: Coverage) -> &wgpu::RenderPipeline {
        let made = self.backs.get_or_init(|| back_pipelines(stage));
        &made[usize::from(coverage == Coverage::Masked)]
    }
}

/// By masked or not, then by culling or not.
fn number_pipelines(stage: &Stage) -> [[wgpu::RenderPipeline; 2]; 2] {
    ["fs_triangle", "fs_triangle_masked"].map(|fragment| {
        [None, Some(wgpu::Face::Back)].map(|cull| {
            let variant = Variant {
                vertex: "vs_triangle",
                fragment,
                attributes: &[POSITION, UV, TINT],
                cull,
                target: NUMBERS,
                blended: false,
                writes_depth: true,
            };
            mesh::pipeline(stage, &variant)
        })
    })
}

/// By masked or not.
fn back_pipelines(stage: &Stage) -> [wgpu::RenderPipeline; 2] {
    ["fs_back", "fs_back_masked"].map(|fragment| {
        let variant = Variant {
            vertex: "vs_back",
            fragment,
            attributes: &[POSITION, UV, TINT],
            cull: Some(wgpu::Face::Front),
            target: MARKS,
            blended: false,
            writes_depth: false,
        };
        mesh::pipeline(stage, &variant)
    })
}
