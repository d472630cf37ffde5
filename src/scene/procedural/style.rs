//! Which materials a flat is made of, drawn from its seed.

use super::color::{DEEP_WALLS, Rgb, VIVID, WALLS, WOODS, draw, hex, mix, scale, vary};
use super::mesh::Skin;
use super::paint::{Cloth, Paper, Recipe, RugStyle};
use super::plan::RoomKind;
use crate::rng::Rng;

/// Materials in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Registry {
    /// Name, what to paint, and whether both sides are seen.
    pub(super) entries: Vec<(String, Recipe, bool)>,
}

impl Registry {
    /// A skin of the material; equal recipes share one.
    pub(super) fn skin(&mut self, name: &str, recipe: Recipe, double_sided: bool) -> Skin {
        let extent = recipe.extent();
        let has_grain = recipe == Recipe::Wood;
        let found = self.entries.iter().position(|e| e.1 == recipe && e.2 == double_sided);
        let material = found.unwrap_or_else(|| {
            self.entries.push((name.to_owned(), recipe, double_sided));
            self.entries.len() - 1
        });
        Skin {
            material,
            tint: [1.0; 3],
            extent,
            offset: [0.0; 2],
            has_grain,
        }
    }
}

/// What furniture is made of.
#[derive(Debug, Clone)]
pub(super) struct Kit {
    pub(super) wood: Skin,
    /// Tints for `wood`: two species a flat.
    pub(super) species: [Rgb; 2],
    pub(super) paint: Skin,
    pub(super) stone: Skin,
    pub(super) leaf: Skin,
    pub(super) pictures: [Skin; 3],
    pub(super) spines: Skin,
    pub(super) labels: Skin,
    pub(super) cloths: Vec<Skin>,
    pub(super) curtains: Vec<Skin>,
    pub(super) rugs: Vec<Skin>,
    pub(super) outside: Skin,
}

/// What most rooms of a flat have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    floor: Skin,
    plaster: Skin,
    paint: Rgb,
    wood: Rgb,
}

impl Common {
    pub(super) fn draw(registry: &mut Registry, rng: &mut Rng) -> Self {
        let paint = *rng.pick(&WALLS);
        let wood = *rng.pick(&WOODS);
        let wood = vary(rng, wood, 0.03);
        Self {
            floor: wooden_floor(wood, registry, rng),
            plaster: plaster(paint, registry, rng),
            paint,
            wood,
        }
    }
}

/// Surfaces of one room.
#[derive(Debug, Clone)]
pub(super) struct Finish {
    pub(super) floor: Skin,
    /// By side, in the order of [`super::plan::SIDES`].
    pub(super) walls: [Skin; 4],
    /// Lower part of the walls and its height in metres.
    pub(super) dado: Option<(Skin, f32)>,
    pub(super) ceiling: Skin,
    pub(super) beams: bool,
    pub(super) trim: Rgb,
}

fn palette(rng: &mut Rng, ground: Rgb, n: usize) -> Vec<Rgb> {
    let mut inks = vec![ground];
    for _ in 0..n {
        let ink = *rng.pick(&VIVID);
        inks.push(vary(rng, ink, 0.04));
    }
    inks
}

impl Kit {
    pub(super) fn draw(registry: &mut Registry, rng: &mut Rng) -> Self {
        let patterns = [
            Cloth::Weave,
            Cloth::Plaid,
            Cloth::Print,
            Cloth::Bands,
            Cloth::Weave,
            Cloth::Print,
        ];
        let grounds = [
            hex(0x8E979C),
            hex(0xB7A58C),
            hex(0xE9E1D0),
            hex(0x3F5A6B),
            hex(0x7B4B3A),
            hex(0xC9CFC4),
        ];
        let mut cloth = |name: &str, pattern, double_sided| {
            let ground = *rng.pick(&grounds);
            let ground = vary(rng, ground, 0.05);
            let palette = palette(rng, ground, 4);
            registry.skin(name, Recipe::Cloth { pattern, palette }, double_sided)
        };
        let cloths = patterns.iter().map(|&p| cloth("cloth", p, false)).collect();
        let curtains = vec![
            cloth("curtain", Cloth::Print, true),
            cloth("curtain", Cloth::Bands, true),
        ];
        let rugs = [RugStyle::Persian, RugStyle::Kilim, RugStyle::Modern, RugStyle::Persian]
            .iter()
            .map(|&style| {
                let palette = palette(rng, hex(0x7A2E2E), 5);
                registry.skin("rug", Recipe::Rug { style, palette }, false)
            })
            .collect();
        let light_stone = rng.chance(0.5);
        let (body, vein) = if light_stone {
            (hex(0xE8E4DC), hex(0x6E6A66))
        } else {
            (hex(0x3A3D40), hex(0xB9B4A8))
        };
        // Equal recipes share a material; these sheets must not, so they are entered by hand.
        let sheet = registry.skin("pictures", Recipe::Pictures, false);
        let pictures = [0, 1, 2].map(|k| {
            if k > 0 {
                registry.entries.push(("pictures".to_owned(), Recipe::Pictures, false));
            }
            Skin {
                material: registry.entries.len() - 1,
                ..sheet
            }
        });
        Self {
            wood: registry.skin("wood", Recipe::Wood, false),
            species: [*rng.pick(&WOODS[..3]), *rng.pick(&WOODS[2..])],
            paint: registry.skin("paint", Recipe::Metal, false),
            stone: registry.skin("stone", Recipe::Marble { body, vein }, false),
            leaf: registry.skin("leaf", Recipe::Leaf, true),
            pictures,
            spines: registry.skin("book spines", Recipe::Spines, false),
            labels: registry.skin("labels", Recipe::Labels, false),
            cloths,
            curtains,
            rugs,
            outside: registry.skin("outside", Recipe::Outside, false),
        }
    }

    /// Wood of species 0 or 1 from a random place of the texture.
    pub(super) fn board(&self, species: usize, rng: &mut Rng) -> Skin {
        let offset = [draw(rng, 0.0, 1.0), draw(rng, 0.0, 1.0)];
        self.wood.shifted(offset).tinted(self.species[species])
    }

    /// Enamel, metal or painted wood of one colour.
    pub(super) fn enamel(&self, color: Rgb) -> Skin {
        self.paint.tinted(color)
    }
}

impl Finish {
    pub(super) fn draw(kind: RoomKind, common: &Common, registry: &mut Registry, rng: &mut Rng) -> Self {
        let (paint, plain) = if rng.chance(0.45) {
            (common.paint, common.plaster)
        } else {
            let paint = if rng.chance(0.3) {
                *rng.pick(&DEEP_WALLS)
            } else {
                *rng.pick(&WALLS)
            };
            let paint = vary(rng, paint, 0.02);
            (paint, plaster(paint, registry, rng))
        };
        let is_wet = matches!(kind, RoomKind::Bath | RoomKind::Kitchen);
        let is_bedded = kind == RoomKind::Bedroom && rng.chance(0.4);
        let (floor, wood) = if !is_wet && !is_bedded && rng.chance(0.75) {
            (common.floor, common.wood)
        } else {
            let wood = *rng.pick(&WOODS);
            let wood = vary(rng, wood, 0.03);
            (floor(kind, wood, registry, rng), wood)
        };
        let feature = feature_wall(is_wet, paint, registry, rng);
        let mut walls = [plain; 4];
        let is_hall = kind == RoomKind::Hall;
        let first = rng.below(4) as usize;
        match draw(rng, 0.0, 1.0) {
            p if p < 0.14 || (p < 0.4 && is_wet) => walls = [feature; 4],
            p if p < 0.34 => (walls[first], walls[(first + 2) % 4]) = (feature, feature),
            p if p < 0.72 => walls[first] = feature,
            _ => {}
        }
        for wall in &mut walls {
            wall.offset = [draw(rng, 0.0, 1.0), 0.0];
        }
        let dado = if kind == RoomKind::Bath {
            let tile = tiled(registry, rng);
            Some((tile, 2.0))
        } else if rng.chance(if is_hall { 0.4 } else { 0.22 }) {
            let boards = registry.skin(
                "boards",
                Recipe::Boards {
                    wood: mix(wood, hex(0xF0EBE0), draw(rng, 0.0, 0.7)),
                },
                false,
            );
            Some((boards, 0.95))
        } else {
            None
        };
        let white = registry.skin(
            "ceiling",
            Recipe::Plaster {
                color: hex(0xEFECE4),
                rough: 0.2,
            },
            false,
        );
        let beams = !is_wet && rng.chance(0.25);
        let ceiling = if rng.chance(0.1) {
            registry.skin(
                "boards",
                Recipe::Boards {
                    wood: mix(wood, hex(0xF0EBE0), 0.4),
                },
                false,
            )
        } else {
            white
        };
        let trim = if rng.chance(0.6) {
            hex(0xF3F0E8)
        } else {
            scale(wood, 0.85)
        };
        Self {
            floor,
            walls,
            dado,
            ceiling,
            beams,
            trim,
        }
    }
}

fn tiled(registry: &mut Registry, rng: &mut Rng) -> Skin {
    let color = *rng.pick(&[
        hex(0xE9ECE8),
        hex(0xC7DAD8),
        hex(0xDCE4EC),
        hex(0xE8DCC8),
        hex(0x7FA39A),
        hex(0x5C7F96),
        hex(0xC58F6E),
        hex(0xA9B58C),
    ]);
    let grout = *rng.pick(&[hex(0x9A958C), hex(0x6E6A66), hex(0x4C4A49), hex(0xB8AFA0)]);
    let first = *rng.pick(&VIVID);
    let accents = palette(rng, first, 2);
    let tile_m = *rng.pick(&[[0.14, 0.14], [0.2, 0.1], [0.1, 0.1], [0.175, 0.175]]);
    registry.skin(
        "wall tiles",
        Recipe::WallTiles {
            color,
            grout,
            accents,
            tile_m,
        },
        false,
    )
}

fn floor(kind: RoomKind, wood: Rgb, registry: &mut Registry, rng: &mut Rng) -> Skin {
    let recipe = match kind {
        RoomKind::Bath | RoomKind::Kitchen | RoomKind::Hall => match rng.below(3) {
            0 => {
                let palette = palette(rng, hex(0xE6DFD0), 4);
                Recipe::Encaustic { palette }
            }
            1 => Recipe::Terrazzo {
                binder: *rng.pick(&[hex(0xD9D3C7), hex(0xBFC4C2), hex(0x5A5C60)]),
            },
            _ => Recipe::Tiles {
                pair: *rng.pick(&[
                    [hex(0xE6E1D6), hex(0x3B3A3D)],
                    [hex(0xC98F6B), hex(0xB5714F)],
                    [hex(0xDAD6CC), hex(0x8A949A)],
                ]),
                grout: hex(0x8D8880),
                per_side: 13,
            },
        },
        RoomKind::Bedroom if rng.chance(0.35) => Recipe::Carpet {
            color: *rng.pick(&[hex(0xA89B88), hex(0x8E9AA0), hex(0x9A8A94)]),
        },
        _ => return wooden_floor(wood, registry, rng),
    };
    registry.skin("floor", recipe, false)
}

fn wooden_floor(wood: Rgb, registry: &mut Registry, rng: &mut Rng) -> Skin {
    let recipe = if rng.chance(0.3) {
        Recipe::Parquet { wood }
    } else {
        Recipe::Planks {
            wood,
            contrast: draw(rng, 0.1, 0.7),
        }
    };
    registry.skin("floor", recipe, false)
}

fn plaster(color: Rgb, registry: &mut Registry, rng: &mut Rng) -> Skin {
    let rough = draw(rng, 0.1, 0.9);
    registry.skin("plaster", Recipe::Plaster { color, rough }, false)
}

fn feature_wall(is_wet: bool, paint: Rgb, registry: &mut Registry, rng: &mut Rng) -> Skin {
    if is_wet {
        return tiled(registry, rng);
    }
    let ground = mix(paint, *rng.pick(&VIVID), 0.25);
    let dark = scale(ground, 0.6);
    match rng.below(6) {
        0 | 1 => {
            let color = *rng.pick(&[hex(0xB06A4C), hex(0x9A5B45), hex(0xD8CFC2), hex(0xA88468)]);
            let recipe = Recipe::Brick {
                color,
                mortar: hex(0xC9C2B6),
            };
            registry.skin("brick", recipe, false)
        }
        k => {
            let paper = [Paper::Floral, Paper::Stripes, Paper::Geometric, Paper::Dabs][k as usize - 2];
            let palette = palette(rng, dark, 4);
            registry.skin("wallpaper", Recipe::Wallpaper { paper, ground, palette }, false)
        }
    }
}
