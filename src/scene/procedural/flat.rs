//! From a seed to a scene.

use rayon::prelude::*;

use super::ProceduralConfig;
use super::bake::{RoomLight, bake};
use super::furnish::{furnish, lamps};
use super::furniture::Maker;
use super::mesh::Mesh;
use super::openings;
use super::plan::Plan;
use super::shell;
use super::space::Space;
use super::style::{Finish, Kit, Registry};
use crate::rng::Rng;
use crate::scene::{Material, Primitive, Sampler, Scene, Texture, TextureRef};

/// Changes whenever the same seed would give another flat; part of [`Scene::hash`].
const VERSION: &str = "covista procedural flat 1";

/// Why no flat was built.
#[derive(Debug, thiserror::Error)]
pub enum ProceduralError {
    /// A field of the config is out of range.
    #[error("procedural flat: {0}")]
    Config(String),
}

/// The flat of `seed` with the default config.
///
/// World Y up, metres, floor at y = 0, one corner of the flat at the origin and the rest at positive x
/// and z. Every byte follows from the seed, on any machine and any number of threads.
pub fn build(seed: u64) -> Scene {
    assemble(&ProceduralConfig::default(), seed)
}

/// The flat of `seed` under `config`.
///
/// # Errors
/// [`ProceduralError::Config`] if a field is out of range.
pub fn build_with(config: &ProceduralConfig, seed: u64) -> Result<Scene, ProceduralError> {
    config.validate().map_err(ProceduralError::Config)?;
    Ok(assemble(config, seed))
}

fn assemble(config: &ProceduralConfig, seed: u64) -> Scene {
    let stream = |part: u64| Rng::stream(seed, "procedural flat", &[part]);
    let plan = Plan::draw(config, &mut stream(0));
    let mut registry = Registry::default();
    let kit = Kit::draw(&mut registry, &mut stream(1));
    let mut mesh = Mesh::default();
    let mut pictures = 0;
    let mut lights = Vec::new();
    let finishes: Vec<Finish> = plan
        .rooms
        .iter()
        .enumerate()
        .map(|(k, room)| Finish::draw(room.kind, &mut registry, &mut stream(100 + k as u64)))
        .collect();
    for (k, (room, finish)) in plan.rooms.iter().zip(&finishes).enumerate() {
        let mut rng = stream(1000 + k as u64);
        mesh.room = k as u16;
        shell::build(&mut mesh, room, plan.ceiling, finish, &kit, config.mesh_cell_m);
        let mut space = Space::new(room, plan.ceiling);
        let windows = openings::windows(&mut mesh, room, &mut space, finish.trim, &kit, &mut rng);
        let mut maker = Maker {
            mesh: &mut mesh,
            kit: &kit,
            rng: &mut rng,
        };
        furnish(&mut maker, &mut space, room.kind, config.clutter, &mut pictures);
        let lamps = lamps(&mut maker, &space);
        openings::radiators(&mut mesh, &mut space, &kit, &mut rng);
        lights.push(RoomLight {
            rect: room.rect,
            ceiling: plan.ceiling,
            windows,
            lamps,
        });
    }
    let trims: Vec<_> = finishes.iter().map(|f| f.trim).collect();
    openings::doors(&mut mesh, &plan, &trims, &kit, &mut stream(2));
    openings::outside(&mut mesh, &plan, &kit);

    // Fabrics and rugs that no piece took are neither painted nor kept.
    let used: Vec<usize> = (0..registry.entries.len())
        .filter(|&k| {
            mesh.parts
                .iter()
                .any(|(key, part)| key.0 == k && !part.indices.is_empty())
        })
        .collect();
    let (textures, colors) = rayon::join(
        || paint(&registry, &used, config.texture_px, seed),
        || bake(&mesh, &lights, config),
    );
    let materials = used
        .iter()
        .enumerate()
        .map(|(texture, &k)| Material {
            name: registry.entries[k].0.clone(),
            texture: Some(TextureRef {
                texture,
                sampler: Sampler::default(),
            }),
            double_sided: registry.entries[k].2,
            unlit: true,
            ..Material::default()
        })
        .collect();
    let primitives = mesh
        .parts
        .into_iter()
        .zip(colors)
        .filter(|((_, part), _)| !part.indices.is_empty())
        .map(|(((material, instance), part), colors)| Primitive {
            positions: part.vertices.iter().map(|v| v.position.to_array()).collect(),
            uvs: part.vertices.iter().map(|v| v.uv.to_array()).collect(),
            colors,
            indices: part.indices,
            material: used.partition_point(|&k| k < material),
            instance,
            ..Primitive::default()
        })
        .collect();
    Scene {
        name: format!("procedural-{seed}"),
        hash: hash(config, seed),
        primitives,
        materials,
        textures,
        ..Scene::default()
    }
}

/// Paints the textures in use, each from its own stream.
fn paint(registry: &Registry, used: &[usize], px: u32, seed: u64) -> Vec<Texture> {
    used.par_iter()
        .map(|&k| {
            let (name, recipe, _) = &registry.entries[k];
            let mut rng = Rng::stream(seed, "procedural texture", &[k as u64]);
            recipe.paint(name, px, &mut rng)
        })
        .collect()
}

/// BLAKE3 of generator version, seed and config.
fn hash(config: &ProceduralConfig, seed: u64) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(VERSION);
    hasher.update(&seed.to_le_bytes());
    // `Debug` of plain numbers is exact and cannot fail.
    hasher.update(format!("{config:?}").as_bytes());
    *hasher.finalize().as_bytes()
}
