//! Puts a loaded asset into a scene, once for every placement, with its textures and materials only once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use glam::{Affine3A, Vec3};

use crate::scene::builder::SceneBuilder;
use crate::scene::config::Limits;
use crate::scene::error::SceneError;
use crate::scene::load::read_asset;
use crate::scene::model::{Light, Primitive, Scene};

/// The assets of one scene: each is read once.
pub(super) struct Placer {
    limits: Limits,
    builder: SceneBuilder,
    hasher: blake3::Hasher,
    assets: BTreeMap<PathBuf, Asset>,
    instances: u32,
}

struct Asset {
    /// Geometry in the asset's own coordinates; materials are numbered as in the built scene.
    primitives: Vec<Primitive>,
    lights: Vec<Light>,
    bounds: (Vec3, Vec3),
}

impl Placer {
    /// `path` stands in messages; `limits` bound all assets together.
    pub(super) fn new(path: &Path, name: &str, limits: &Limits) -> Self {
        let mut builder = SceneBuilder::new(path, limits);
        builder.scene.name = name.to_owned();
        Self {
            limits: limits.clone(),
            builder,
            hasher: blake3::Hasher::new(),
            assets: BTreeMap::new(),
            instances: 0,
        }
    }

    /// Adds bytes to the scene's hash.
    pub(super) fn hash(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Notes what was passed over.
    pub(super) fn warn(&mut self, sentence: impl Into<String>) {
        self.builder.warn(sentence);
    }

    /// Middle of the asset's box, in its own coordinates.
    pub(super) fn center(&mut self, path: &Path) -> Result<Vec3, SceneError> {
        let (min, max) = self.asset(path)?.bounds;
        Ok((min + max) / 2.0)
    }

    /// Places an asset.
    pub(super) fn place(&mut self, path: &Path, world_from_asset: Affine3A) -> Result<(), SceneError> {
        self.asset(path)?;
        self.instances += 1;
        let mirrored = world_from_asset.matrix3.determinant() < 0.0;
        let Some(asset) = self.assets.get(path) else {
            return Ok(());
        };
        for primitive in &asset.primitives {
            self.builder
                .reserve(primitive.positions.len(), primitive.indices.len() / 3)?;
            let mut placed = primitive.clone();
            for position in &mut placed.positions {
                *position = world_from_asset.transform_point3(Vec3::from(*position)).into();
            }
            if mirrored {
                placed.indices.chunks_exact_mut(3).for_each(|t| t.swap(1, 2));
            }
            placed.instance = self.instances;
            self.builder.add(placed)?;
        }
        // As in glTF, scale moves a lamp but changes neither its strength nor its range.
        for light in &asset.lights {
            self.builder.add_light(Light {
                kind: light.kind.placed(world_from_asset),
                ..*light
            });
        }
        Ok(())
    }

    /// The scene.
    pub(super) fn finish(self) -> Result<Scene, SceneError> {
        let hash = *self.hasher.finalize().as_bytes();
        self.builder.finish(hash)
    }

    fn asset(&mut self, path: &Path) -> Result<&Asset, SceneError> {
        if !self.assets.contains_key(path) {
            let (scene, limits) = read_asset(path, Affine3A::IDENTITY, &self.limits)?;
            self.limits = limits;
            self.hasher.update(&scene.hash);
            let asset = self.take_in(scene);
            self.assets.insert(path.to_owned(), asset);
        }
        self.assets
            .get(path)
            .ok_or_else(|| SceneError::NotFound { path: path.to_owned() })
    }

    /// Moves materials and textures of an asset into the scene.
    fn take_in(&mut self, asset: Scene) -> Asset {
        let bounds = asset.bounds().map_or((Vec3::ZERO, Vec3::ZERO), |b| (b.min, b.max));
        let (first_material, first_texture) = (self.builder.scene.materials.len(), self.builder.scene.textures.len());
        self.builder.scene.textures.extend(asset.textures);
        self.builder
            .scene
            .materials
            .extend(asset.materials.into_iter().map(|mut material| {
                if let Some(texture) = &mut material.texture {
                    texture.texture += first_texture;
                }
                material
            }));
        for warning in asset.warnings {
            self.builder.warn(format!("{}: {warning}", asset.name));
        }
        let mut primitives = asset.primitives;
        for primitive in &mut primitives {
            primitive.material += first_material;
        }
        Asset {
            primitives,
            lights: asset.lights,
            bounds,
        }
    }
}
