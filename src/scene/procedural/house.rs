//! The whole flat: one storey, or two that a staircase in the hall joins.

use super::ProceduralConfig;
use super::color::draw;
use super::plan::{Brief, Plan, Rect, SHORTEST, Side, WALL};
use crate::rng::Rng;

/// Thickness of the floor between two storeys, metres.
pub(super) const SLAB: f32 = 0.25;
/// Clear width of the stairs, metres.
pub(super) const STAIR_WIDTH: f32 = 1.0;
/// Width of the hole above them, metres: the stairs and their banister.
const WELL_WIDTH: f32 = STAIR_WIDTH + 0.06;
/// Highest riser, metres. Habitat's agent climbs one cell of 0.2 m: quantised heights of steps lower than a cell
/// differ by one cell at most.
const RISER: f32 = 0.175;
/// Depth of a tread, metres: five navmesh cells, so that no cell has both a step up and a step down beside it.
const TREAD: f32 = 0.27;
/// Least floor before the foot and behind the head of the stairs, metres.
const LANDING: f32 = 1.15;

/// A straight flight along a wall of the hall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stairs {
    /// The hole in the upper floor, world metres.
    pub(super) well: Rect,
    /// Wall of the hall that they stand at: North or South.
    pub(super) side: Side,
    /// True where they rise towards +x.
    pub(super) rises_to_x: bool,
    /// Risers; there is one tread less.
    pub(super) risers: u32,
    /// Height of a riser, metres.
    pub(super) rise: f32,
}

/// A storey and the height of its floor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Storey {
    pub(super) plan: Plan,
    /// World y of its floor, metres.
    pub(super) base: f32,
}

/// One or two storeys. With stairs, room 0 of each storey is the hall, one above the other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct House {
    pub(super) storeys: Vec<Storey>,
    pub(super) stairs: Option<Stairs>,
}

impl House {
    /// Draws size, storeys and rooms.
    pub(super) fn draw(config: &ProceduralConfig, rng: &mut Rng) -> Self {
        let size = [
            draw(rng, config.width_m[0], config.width_m[1]),
            draw(rng, config.depth_m[0], config.depth_m[1]),
        ];
        let ceiling = draw(rng, config.ceiling_m[0], config.ceiling_m[1]);
        let rooms = config.rooms[0] + rng.below(u64::from(config.rooms[1] - config.rooms[0]) + 1) as u32;
        let outer = Rect {
            x0: 0.0,
            z0: 0.0,
            x1: size[0],
            z1: size[1],
        };
        if rng.chance(f64::from(config.stairs)) {
            return Self::of_two(outer, ceiling, rooms, config, rng);
        }
        let brief = Brief {
            outer,
            ceiling,
            rooms: rooms as usize,
            hall: None,
            stairs: None,
            is_upper: false,
        };
        Self {
            storeys: vec![Storey {
                plan: Plan::draw(&brief, config, rng),
                base: 0.0,
            }],
            stairs: None,
        }
    }

    /// Two storeys of about two thirds of the floor each.
    fn of_two(outer: Rect, ceiling: f32, rooms: u32, config: &ProceduralConfig, rng: &mut Rng) -> Self {
        let hall_width = draw(rng, 2.85, 3.05) + WALL;
        let base = ceiling + SLAB;
        let risers = (base / RISER).ceil().max(2.0);
        let length = (risers - 1.0) * TREAD;
        let outer = Rect {
            x1: (0.74 * outer.x1).max(length + 2.0 * LANDING + WALL + 0.3),
            z1: (0.9 * outer.z1).max(2.0 * SHORTEST + hall_width + 0.2),
            ..outer
        };
        let spare = outer.depth() - hall_width;
        let from = (draw(rng, 0.42, 0.58) * spare).clamp(SHORTEST, spare - SHORTEST);
        let hall = Rect {
            z0: from,
            z1: from + hall_width,
            ..outer
        }
        .grown(-0.5 * WALL);
        let slack = hall.width() - length - 2.0 * LANDING;
        let x0 = hall.x0 + LANDING + draw(rng, 0.0, 1.0) * slack;
        let side = if rng.chance(0.5) { Side::North } else { Side::South };
        let (z0, z1) = match side {
            Side::North => (hall.z0, hall.z0 + WELL_WIDTH),
            _ => (hall.z1 - WELL_WIDTH, hall.z1),
        };
        let stairs = Stairs {
            well: Rect {
                x0,
                z0,
                x1: x0 + length,
                z1,
            },
            side,
            rises_to_x: rng.chance(0.5),
            risers: risers as u32,
            rise: base / risers,
        };
        let storeys = [false, true].map(|is_upper| {
            let brief = Brief {
                outer,
                ceiling,
                // The hall is one more.
                rooms: rooms.div_ceil(2) as usize + 1,
                hall: Some([from, from + hall_width]),
                stairs: Some((side, [x0 - 0.15, x0 + length + 0.15])),
                is_upper,
            };
            Storey {
                plan: Plan::draw(&brief, config, rng),
                base: if is_upper { base } else { 0.0 },
            }
        });
        Self {
            storeys: storeys.into(),
            stairs: Some(stairs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_room_is_reached(plan: &Plan) -> bool {
        let mut reached = vec![false; plan.rooms.len()];
        reached[0] = true;
        for _ in 0..plan.rooms.len() {
            for door in &plan.doors {
                let any = door.rooms.iter().any(|&r| reached[r]);
                door.rooms.iter().for_each(|&r| reached[r] |= any);
            }
        }
        reached.iter().all(|&r| r)
    }

    #[test]
    fn every_room_has_a_door_and_rooms_do_not_overlap() {
        let config = ProceduralConfig::default();
        for seed in 0..200 {
            let house = House::draw(&config, &mut Rng::stream(seed, "plan test", &[]));
            let rooms: usize = house.storeys.iter().map(|s| s.plan.rooms.len()).sum();
            assert!(rooms >= 5, "seed {seed}: {rooms} rooms");
            for Storey { plan, .. } in &house.storeys {
                assert!(every_room_is_reached(plan), "seed {seed}: a room cannot be reached");
                for (i, a) in plan.rooms.iter().enumerate() {
                    assert!(plan.outer.contains(&a.rect));
                    assert!(
                        plan.rooms[i + 1..].iter().all(|b| !a.rect.overlaps(&b.rect)),
                        "seed {seed}"
                    );
                }
                for door in &plan.doors {
                    assert!(door.to - door.from >= 0.95 && door.top >= 2.0);
                }
            }
        }
    }

    #[test]
    fn stairs_stand_in_the_hall_of_both_storeys_clear_of_doors() {
        let config = ProceduralConfig {
            stairs: 1.0,
            ..ProceduralConfig::default()
        };
        for seed in 0..200 {
            let house = House::draw(&config, &mut Rng::stream(seed, "stairs test", &[]));
            let stairs = house.stairs.expect("a share of 1 means always");
            assert!(stairs.rise <= RISER && stairs.rise > 0.15);
            assert!((stairs.rise * stairs.risers as f32 - house.storeys[1].base).abs() < 1e-4);
            for Storey { plan, .. } in &house.storeys {
                let hall = &plan.rooms[0];
                assert!(hall.rect.grown(1e-4).contains(&stairs.well), "seed {seed}");
                let ends = [stairs.well.x0 - hall.rect.x0, hall.rect.x1 - stairs.well.x1];
                assert!(ends.iter().all(|e| *e > LANDING - 1e-3), "seed {seed}: {ends:?}");
                let blocked = hall
                    .openings
                    .iter()
                    .filter(|o| o.side == stairs.side)
                    .any(|o| o.from < stairs.well.x1 && o.to > stairs.well.x0);
                assert!(!blocked, "seed {seed}: a door opens onto the stairs");
            }
        }
    }

    #[test]
    fn about_the_asked_share_of_the_flats_has_two_storeys() {
        let count = |share: f32| {
            let config = ProceduralConfig {
                stairs: share,
                ..ProceduralConfig::default()
            };
            let of_two = |seed: &u64| {
                House::draw(&config, &mut Rng::stream(*seed, "share test", &[]))
                    .stairs
                    .is_some()
            };
            (0..400).filter(of_two).count()
        };
        assert_eq!(count(0.0), 0);
        // 400 draws of 0.3: 120 expected, within 4 standard deviations of 9.2.
        let some = count(0.3);
        assert!((84..=156).contains(&some), "{some} of 400");
    }
}
