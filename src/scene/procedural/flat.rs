//! From a seed to a scene.

use rayon::prelude::*;

use super::ProceduralConfig;
use super::bake::{RoomLight, bake};
use super::color::Rgb;
use super::furnish::{furnish, lamps};
use super::furniture::Maker;
use super::house::{House, Storey};
use super::mesh::Mesh;
use super::mood::Mood;
use super::openings;
use super::semantics::FLAT_CLASSES;
use super::shell::{self, Well};
use super::space::Space;
use super::stairs;
use super::style::{Common, Finish, Kit, Registry};
use crate::rng::Rng;
use crate::scene::{Material, Primitive, Sampler, Scene, Texture, TextureRef};

/// Changes whenever the same seed would give another flat; part of [`Scene::hash`].
const VERSION: &str = "covista procedural flat 2";

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
    let house = House::draw(config, &mut stream(0));
    let mood = Mood::draw(config.evening, &mut stream(4));
    let mut registry = Registry::default();
    let kit = Kit::draw(&mut registry, &mut stream(1));
    let common = Common::draw(&mut registry, &mut stream(5));
    let mut flat = Flat {
        mesh: Mesh::default(),
        kit,
        lights: Vec::new(),
        pictures: 0,
    };
    let mut rooms = 0;
    for (level, storey) in house.storeys.iter().enumerate() {
        let first = rooms;
        rooms += storey.plan.rooms.len() as u64;
        let finishes: Vec<Finish> = (first..)
            .zip(&storey.plan.rooms)
            .map(|(k, room)| Finish::draw(room.kind, &common, &mut registry, &mut stream(100 + k)))
            .collect();
        flat.furnish(config, &house, level, &finishes, |k| stream(1000 + first + k));
        let trims: Vec<_> = finishes.iter().map(|f| f.trim).collect();
        flat.doors(&house, level, &trims, &mut stream(2 + 10 * level as u64));
    }
    if let Some(stairs) = &house.stairs {
        (flat.mesh.lift, flat.mesh.room) = (0.0, 0);
        let hall = house.storeys[0].plan.rooms[0].rect;
        stairs::build(&mut flat.mesh, stairs, &hall, &flat.kit, &mut stream(3));
    }
    let top_floor = house.storeys.last().map_or(0.0, |s| s.base);
    flat.mesh.lift = 0.0;
    let outer = house.storeys[0].plan.outer;
    openings::outside(&mut flat.mesh, &outer, top_floor, mood.outside, &flat.kit);
    let Flat { mesh, mut lights, .. } = flat;
    for (room, place) in &mesh.small_lamps {
        lights[usize::from(*room)].small_lamps.push(*place);
    }

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
        || bake(&mesh, &lights, &mood, config),
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
    let Mesh { parts, classes, .. } = mesh;
    // Instance 0 is what was built before any object began: nothing.
    let class_of = |instance: u32| {
        classes
            .get((instance as usize).wrapping_sub(1))
            .map_or(0, |&class| class as u32)
    };
    let primitives = parts
        .into_iter()
        .zip(colors)
        .filter(|((_, part), _)| !part.indices.is_empty())
        .map(|(((material, instance), part), colors)| Primitive {
            positions: part.vertices.iter().map(|v| v.position.to_array()).collect(),
            uvs: part.vertices.iter().map(|v| v.uv.to_array()).collect(),
            colors,
            semantics: vec![class_of(instance); part.indices.len() / 3],
            indices: part.indices,
            material: used.partition_point(|&k| k < material),
            instance,
        })
        .collect();
    Scene {
        name: format!("procedural-{seed}"),
        hash: hash(config, seed),
        primitives,
        materials,
        textures,
        semantic_names: (0..).zip(FLAT_CLASSES.map(str::to_owned)).collect(),
        ..Scene::default()
    }
}

/// A flat under construction.
struct Flat {
    mesh: Mesh,
    kit: Kit,
    lights: Vec<RoomLight>,
    /// Pictures hung so far.
    pictures: u32,
}

impl Flat {
    /// Shells, windows, furniture and lamps of one storey; `stream` gives the draws of its room `k`.
    fn furnish(
        &mut self,
        config: &ProceduralConfig,
        house: &House,
        level: usize,
        finishes: &[Finish],
        stream: impl Fn(u64) -> Rng,
    ) {
        let Storey { plan, base } = &house.storeys[level];
        let lights = light_numbers(house, level);
        for (k, (room, finish)) in plan.rooms.iter().zip(finishes).enumerate() {
            let mut rng = stream(k as u64);
            let stairs = house.stairs.as_ref().filter(|_| k == 0);
            (self.mesh.lift, self.mesh.room) = (*base, lights[k]);
            let well = stairs.map(|stairs| {
                let well = stairs.well;
                if level == 0 {
                    Well::InCeiling(well)
                } else {
                    Well::InFloor(well)
                }
            });
            shell::build(
                &mut self.mesh,
                room,
                plan.ceiling,
                well,
                finish,
                &self.kit,
                config.mesh_cell_m,
            );
            let mut space = Space::new(room, plan.ceiling);
            if let Some(stairs) = stairs {
                stairs::reserve(&mut space, stairs, level > 0);
            }
            let mut windows = openings::windows(&mut self.mesh, room, &mut space, finish.trim, &self.kit, &mut rng);
            let mut maker = Maker {
                mesh: &mut self.mesh,
                kit: &self.kit,
                rng: &mut rng,
            };
            furnish(&mut maker, &mut space, room.kind, config, &mut self.pictures);
            let mut lamps = lamps(&mut maker, &space);
            openings::radiators(&mut self.mesh, &mut space, &self.kit, &mut rng);
            let points = windows.iter_mut().flat_map(|w| &mut w.points);
            points.chain(&mut lamps).for_each(|p| p.y += base);
            match self.lights.get_mut(usize::from(lights[k])) {
                Some(shared) => {
                    shared.ceiling = base + plan.ceiling;
                    shared.windows.extend(windows);
                    shared.lamps.extend(lamps);
                }
                None => self.lights.push(RoomLight {
                    rect: room.rect,
                    floor: *base,
                    ceiling: base + plan.ceiling,
                    windows,
                    lamps,
                    small_lamps: Vec::new(),
                }),
            }
        }
    }

    fn doors(&mut self, house: &House, level: usize, trims: &[Rgb], rng: &mut Rng) {
        let Storey { plan, base } = &house.storeys[level];
        self.mesh.lift = *base;
        let lights = light_numbers(house, level);
        openings::doors(&mut self.mesh, plan, &lights, trims, &self.kit, rng);
    }
}

/// The light of each room of a storey: light goes through the well, so the halls of two storeys share one.
fn light_numbers(house: &House, level: usize) -> Vec<u16> {
    let below: usize = house.storeys[..level].iter().map(|s| s.plan.rooms.len()).sum();
    (0..house.storeys[level].plan.rooms.len())
        .map(|k| match (level, k) {
            (0, k) => k as u16,
            (_, 0) => 0,
            (_, k) => (below + k - 1) as u16,
        })
        .collect()
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
