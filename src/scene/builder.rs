//! Puts primitives together under the limits, and leaves out what cannot be drawn.

use std::path::{Path, PathBuf};

use super::config::Limits;
use super::error::SceneError;
use super::model::{Light, Material, Primitive, Scene};

/// Vertices farther out than this (metres) are no part of an indoor scene; they are dropped like NaN.
const FARTHEST: f32 = 1e7;

/// A scene in the making.
pub(crate) struct SceneBuilder {
    path: PathBuf,
    limits: Limits,
    vertices: u64,
    triangles: u64,
    lost_triangles: usize,
    bad_uvs: usize,
    pub(crate) scene: Scene,
}

impl SceneBuilder {
    pub(crate) fn new(path: &Path, limits: &Limits) -> Self {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned());
        Self {
            path: path.to_owned(),
            limits: limits.clone(),
            vertices: 0,
            triangles: 0,
            lost_triangles: 0,
            bad_uvs: 0,
            scene: Scene {
                name: name.unwrap_or_default(),
                ..Scene::default()
            },
        }
    }

    /// Adds a lamp; those beyond a fixed number are left out, because each costs a ray for every lit point.
    pub(crate) fn add_light(&mut self, light: Light) {
        const MOST: usize = 256;
        if self.scene.lights.len() == MOST {
            self.warn(format!("lamps beyond the first {MOST} are left out"));
        } else {
            self.scene.lights.push(light);
        }
    }

    /// Notes what was ignored or repaired; the same sentence only once, and a file cannot fill the memory with them.
    pub(crate) fn warn(&mut self, sentence: impl Into<String>) {
        const MOST: usize = 100;
        let (sentence, warnings) = (sentence.into(), &mut self.scene.warnings);
        match warnings.len() {
            ..MOST if !warnings.contains(&sentence) => warnings.push(sentence),
            MOST => warnings.push("further warnings are left out".to_owned()),
            _ => {}
        }
    }

    /// Counts geometry that is about to be read, and refuses it when that is too much.
    pub(crate) fn reserve(&mut self, vertices: usize, triangles: usize) -> Result<(), SceneError> {
        self.vertices = self.vertices.saturating_add(vertices as u64);
        self.triangles = self.triangles.saturating_add(triangles as u64);
        for (what, count, limit, allowed) in [
            (
                "vertices",
                self.vertices,
                "limits.max_vertices",
                self.limits.max_vertices,
            ),
            (
                "triangles",
                self.triangles,
                "limits.max_triangles",
                self.limits.max_triangles,
            ),
        ] {
            if count > allowed {
                return Err(SceneError::TooLarge {
                    what: format!("a scene of {count} {what} or more"),
                    limit,
                    allowed,
                    path: self.path.clone(),
                });
            }
        }
        Ok(())
    }

    /// Adds a primitive in world coordinates. Triangles with a vertex that is not a number, or is absurdly far away,
    /// are dropped with a warning; an index out of range is an error; attributes of a wrong length are a caller's bug
    /// and are dropped.
    pub(crate) fn add(&mut self, mut primitive: Primitive) -> Result<(), SceneError> {
        let count = primitive.positions.len();
        if let Some(bad) = primitive.indices.iter().find(|&&i| i as usize >= count) {
            return Err(SceneError::malformed(
                &self.path,
                format!("a triangle uses vertex {bad} of a primitive with {count} vertices"),
            ));
        }
        if primitive.semantics.len() != primitive.indices.len() / 3 {
            primitive.semantics.clear();
        }
        let usable = |p: &[f32; 3]| p.iter().all(|c| c.abs() <= FARTHEST);
        if !primitive.positions.iter().all(usable) {
            let triangles = primitive.indices.chunks_exact(3);
            let kept: Vec<bool> = triangles
                .clone()
                .map(|t| t.iter().all(|&i| usable(&primitive.positions[i as usize])))
                .collect();
            self.lost_triangles += kept.iter().filter(|&&kept| !kept).count();
            let whole = triangles.zip(&kept).filter(|&(_, &kept)| kept);
            primitive.indices = whole.flat_map(|(triangle, _)| triangle).copied().collect();
            let mut kept = kept.into_iter();
            primitive.semantics.retain(|_| kept.next().unwrap_or(true));
            for position in &mut primitive.positions {
                if !usable(position) {
                    *position = [0.0; 3];
                }
            }
        }
        if primitive.uvs.len() != count {
            primitive.uvs.clear();
        }
        for uv in &mut primitive.uvs {
            if !uv.iter().all(|c| c.is_finite()) {
                *uv = [0.0; 2];
                self.bad_uvs += 1;
            }
        }
        if primitive.colors.len() != count {
            primitive.colors.clear();
        }
        for channel in primitive.colors.iter_mut().flatten() {
            *channel = fraction(*channel);
        }
        if !primitive.indices.is_empty() {
            self.scene.primitives.push(primitive);
        }
        Ok(())
    }

    /// Drops the materials that nothing uses and renumbers the rest; textures are the caller's, by the mapping
    /// returned: for each material kept, its index before.
    pub(crate) fn keep_used_materials(&mut self) -> Vec<usize> {
        let mut new_index = vec![usize::MAX; self.scene.materials.len()];
        for primitive in &self.scene.primitives {
            if let Some(slot) = new_index.get_mut(primitive.material) {
                *slot = 0;
            }
        }
        let mut kept = Vec::new();
        for (old, slot) in new_index.iter_mut().enumerate() {
            if *slot == 0 {
                *slot = kept.len();
                kept.push(old);
            }
        }
        for primitive in &mut self.scene.primitives {
            primitive.material = new_index[primitive.material];
        }
        let mut all: Vec<Option<Material>> = self.scene.materials.drain(..).map(Some).collect();
        self.scene.materials = kept.iter().filter_map(|&old| all[old].take()).collect();
        kept
    }

    /// The scene, or an error when nothing is left to draw.
    pub(crate) fn finish(mut self, hash: [u8; 32]) -> Result<Scene, SceneError> {
        if self.lost_triangles > 0 {
            self.warn(format!(
                "{} triangles with a vertex that is not a number or is over {FARTHEST:e} m away were dropped",
                self.lost_triangles
            ));
        }
        if self.bad_uvs > 0 {
            self.warn(format!(
                "{} texture coordinates that are not numbers were set to 0",
                self.bad_uvs
            ));
        }
        if self.scene.primitives.is_empty() {
            return Err(SceneError::Empty { path: self.path });
        }
        self.scene.hash = hash;
        Ok(self.scene)
    }
}

/// A colour channel within 0 and 1; what is not a number is 0.
pub(crate) fn fraction(channel: f32) -> f32 {
    if channel.is_nan() { 0.0 } else { channel.clamp(0.0, 1.0) }
}
