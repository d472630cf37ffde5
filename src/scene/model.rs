//! The scene as plain CPU data: triangles in world metres, materials, textures.
//!
//! Readers place every node: positions are already in the world frame (Y up, -Z forward), texture
//! transforms are applied to the coordinates, strips and fans are triangle lists. What is left is
//! what a renderer, a navmesh builder or a ray caster needs, and nothing else.

use std::collections::BTreeMap;

use glam::{Affine3A, Vec3};

use super::texture::Texture;

/// A loaded scene.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    /// File stem or recipe name.
    pub name: String,
    /// BLAKE3 of all the bytes that the scene was made from.
    pub hash: [u8; 32],
    /// Triangles, grouped by material and instance.
    pub primitives: Vec<Primitive>,
    /// Materials that primitives refer to.
    pub materials: Vec<Material>,
    /// Textures that materials refer to.
    pub textures: Vec<Texture>,
    /// Names of the semantic ids, where the scene gives any.
    pub semantic_names: BTreeMap<u32, String>,
    /// Lamps of the file; only `lit` shading uses them.
    pub lights: Vec<Light>,
    /// What was ignored or repaired while reading, one sentence each.
    pub warnings: Vec<String>,
}

/// Triangles that share a material.
#[derive(Debug, Clone, Default)]
pub struct Primitive {
    /// World positions, metres.
    pub positions: Vec<[f32; 3]>,
    /// Texture coordinates, origin at the top left of the image; empty when there are none.
    pub uvs: Vec<[f32; 2]>,
    /// RGBA vertex colours that multiply the material's; empty when there are none.
    pub colors: Vec<[f32; 4]>,
    /// Triangle list into the vertices, counter-clockwise seen from the front.
    pub indices: Vec<u32>,
    /// Index into [`Scene::materials`].
    pub material: usize,
    /// Which placed object this belongs to, 1-based; 0 is "none".
    pub instance: u32,
    /// Semantic id of each triangle, in the order of `indices`; empty where the scene has none, which
    /// reads as 0, "unknown". What an id means is the scene's own affair (for HM3D the line of its
    /// `*.semantic.txt`).
    pub semantics: Vec<u32>,
}

/// A lamp (glTF KHR_lights_punctual).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// Linear RGB, any scale: luminous intensity in candela for [`LightKind::Point`] and
    /// [`LightKind::Spot`], illuminance in lux for [`LightKind::Directional`].
    pub intensity: [f32; 3],
    /// Where it stands and how it shines.
    pub kind: LightKind,
}

/// Where a lamp stands and how it shines, in world coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LightKind {
    /// Parallel rays.
    Directional {
        /// Unit vector along the rays.
        direction: Vec3,
    },
    /// Every way from a point.
    Point {
        /// Metres.
        position: Vec3,
        /// Where the light ends, metres; infinite where the file sets no end.
        range_m: f32,
    },
    /// A cone from a point, full inside the inner angle and none outside the outer one.
    Spot {
        /// Metres.
        position: Vec3,
        /// Unit vector along the cone's axis.
        direction: Vec3,
        /// Where the light ends, metres; infinite where the file sets no end.
        range_m: f32,
        /// Cosine of the angle from the axis up to which it is full.
        inner_cos: f32,
        /// Cosine of the angle from the axis beyond which there is none.
        outer_cos: f32,
    },
}

impl LightKind {
    /// The same lamp in a placed asset: places move as points, directions stay unit vectors.
    pub(crate) fn placed(mut self, world_from_asset: Affine3A) -> Self {
        match &mut self {
            Self::Directional { direction } => {
                *direction = world_from_asset.transform_vector3(*direction).normalize_or_zero();
            }
            Self::Point { position, .. } => *position = world_from_asset.transform_point3(*position),
            Self::Spot {
                position, direction, ..
            } => {
                *position = world_from_asset.transform_point3(*position);
                *direction = world_from_asset.transform_vector3(*direction).normalize_or_zero();
            }
        }
        self
    }

    /// Applies a rotation about the origin.
    pub(crate) fn turn(&mut self, rotation: impl Fn(Vec3) -> Vec3) {
        match self {
            Self::Directional { direction } => *direction = rotation(*direction),
            Self::Point { position, .. } => *position = rotation(*position),
            Self::Spot {
                position, direction, ..
            } => {
                *position = rotation(*position);
                *direction = rotation(*direction);
            }
        }
    }
}

/// How a surface is drawn: a texture times a factor, no light.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    /// Name in the file, for messages.
    pub name: String,
    /// RGBA factor, multiplied with the texture bytes without any gamma change.
    pub base_color: [f32; 4],
    /// Base colour texture.
    pub texture: Option<TextureRef>,
    /// How alpha is used.
    pub alpha: AlphaMode,
    /// True where the back is to be drawn too.
    pub double_sided: bool,
    /// True where the file says that light is baked in. Information only: flat shading ignores it.
    pub unlit: bool,
}

impl Default for Material {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            base_color: [1.0; 4],
            texture: None,
            alpha: AlphaMode::Opaque,
            double_sided: false,
            unlit: false,
        }
    }
}

/// A texture and how to sample it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextureRef {
    /// Index into [`Scene::textures`].
    pub texture: usize,
    /// Filter and wrap.
    pub sampler: Sampler,
}

/// glTF sampler state; the default is Magnum's for a missing sampler: trilinear, repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sampler {
    /// Linear filter when magnified.
    pub mag_linear: bool,
    /// Linear filter within a level when minified.
    pub min_linear: bool,
    /// Which mip levels are used when minified.
    pub mip: MipMode,
    /// Wrap along u and v.
    pub wrap: [Wrap; 2],
}

impl Default for Sampler {
    fn default() -> Self {
        Self {
            mag_linear: true,
            min_linear: true,
            mip: MipMode::Linear,
            wrap: [Wrap::Repeat; 2],
        }
    }
}

/// Use of mip levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MipMode {
    /// Only the full image.
    None,
    /// The nearest level.
    Nearest,
    /// Between the two nearest levels.
    Linear,
}

/// What happens outside [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wrap {
    /// The image repeats.
    Repeat,
    /// The image repeats, mirrored every other time.
    Mirror,
    /// The edge goes on.
    Clamp,
}

/// Use of alpha (glTF `alphaMode`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AlphaMode {
    /// Alpha is ignored.
    Opaque,
    /// Drawn where alpha is at least the cutoff.
    Mask(f32),
    /// Blended over what lies behind.
    Blend,
}

/// Axis-aligned box in world metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Smallest corner.
    pub min: Vec3,
    /// Largest corner.
    pub max: Vec3,
}

impl Scene {
    /// Number of triangles.
    pub fn triangle_count(&self) -> usize {
        self.primitives.iter().map(|p| p.indices.len() / 3).sum()
    }

    /// Box around all vertices that triangles use; `None` without any.
    pub fn bounds(&self) -> Option<Bounds> {
        let mut used = self
            .primitives
            .iter()
            .flat_map(|p| p.indices.iter().map(|&i| Vec3::from(p.positions[i as usize])));
        let first = used.next()?;
        let (min, max) = used.fold((first, first), |(min, max), v| (min.min(v), max.max(v)));
        Some(Bounds { min, max })
    }

    /// True where some triangle has a semantic id.
    pub fn has_semantics(&self) -> bool {
        self.primitives.iter().any(|p| p.semantics.iter().any(|&id| id > 0))
    }

    /// All triangles as one vertex list and one index list, in order.
    pub fn triangle_soup(&self) -> (Vec<[f32; 3]>, Vec<[u32; 3]>) {
        let (mut vertices, mut triangles) = (Vec::new(), Vec::with_capacity(self.triangle_count()));
        for primitive in &self.primitives {
            let base = vertices.len() as u32;
            vertices.extend_from_slice(&primitive.positions);
            triangles.extend(
                primitive
                    .indices
                    .chunks_exact(3)
                    .map(|t| [base + t[0], base + t[1], base + t[2]]),
            );
        }
        (vertices, triangles)
    }

    /// First eight bytes of the hash, for random streams.
    pub fn hash_word(&self) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(&self.hash[..8]);
        u64::from_le_bytes(word)
    }

    /// The hash in hexadecimal.
    pub fn hash_hex(&self) -> String {
        blake3::Hash::from_bytes(self.hash).to_hex().to_string()
    }
}
