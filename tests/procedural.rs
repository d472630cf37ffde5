//! The procedural flat: deterministic, well-formed, closed, and walkable from room to room.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use covista::scene::procedural::{FLAT_CLASSES, ProceduralConfig, build, build_with};
use covista::scene::{Primitive, Scene};
use glam::{Vec3, vec3};

/// BLAKE3 over everything that is drawn.
fn fingerprint(scene: &Scene) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for p in &scene.primitives {
        hasher.update(bytemuck::cast_slice(&p.positions));
        hasher.update(bytemuck::cast_slice(&p.uvs));
        hasher.update(bytemuck::cast_slice(&p.colors));
        hasher.update(bytemuck::cast_slice(&p.indices));
        hasher.update(&[p.material as u8, p.instance as u8]);
    }
    for t in &scene.textures {
        hasher.update(&t.rgba().expect("pixels"));
    }
    hasher.finalize()
}

fn small() -> ProceduralConfig {
    ProceduralConfig {
        texture_px: 256,
        ambient_rays: 8,
        ..ProceduralConfig::default()
    }
}

fn small_flat(seed: u64) -> Scene {
    build_with(&small(), seed).expect("the config is valid")
}

fn corners(p: &Primitive) -> impl Iterator<Item = [Vec3; 3]> + '_ {
    p.indices
        .chunks_exact(3)
        .map(|t| [t[0], t[1], t[2]].map(|i| Vec3::from(p.positions[i as usize])))
}

#[test]
fn a_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let one = build(3);
    let alone = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread");
    let other = alone.install(|| build(3));
    assert_eq!(fingerprint(&one), fingerprint(&other));
    assert_eq!(one.hash, other.hash);
    assert_eq!(one.name, "procedural-3");
}

#[test]
fn seeds_and_configs_give_different_flats_and_hashes() {
    let (a, b) = (small_flat(1), small_flat(2));
    assert_ne!(fingerprint(&a), fingerprint(&b));
    assert_ne!(a.hash, b.hash);
    let bare = ProceduralConfig {
        clutter: 0.0,
        ..small()
    };
    let bare = build_with(&bare, 1).expect("the config is valid");
    assert_ne!(a.hash, bare.hash);
    assert!(bare.triangle_count() < a.triangle_count());
}

#[test]
fn the_mesh_is_well_formed() {
    for seed in 0..6 {
        let scene = small_flat(seed);
        let triangles = scene.triangle_count();
        assert!(
            (50_000..500_000).contains(&triangles),
            "seed {seed}: {triangles} triangles"
        );
        for p in &scene.primitives {
            let n = p.positions.len();
            assert_eq!((p.uvs.len(), p.colors.len()), (n, n));
            assert!(p.indices.iter().all(|&i| (i as usize) < n));
            assert!(p.material < scene.materials.len());
            assert!(p.instance > 0, "every triangle belongs to an object");
            let finite = p.positions.iter().flatten().chain(p.uvs.iter().flatten());
            assert!(finite.chain(p.colors.iter().flatten()).all(|c| c.is_finite()));
            assert!(p.colors.iter().flatten().all(|c| (0.0..=1.0).contains(c)));
        }
        for m in &scene.materials {
            let texture = m.texture.expect("every material has a texture").texture;
            let t = &scene.textures[texture];
            assert_eq!(t.rgba().expect("pixels").len(), (t.width * t.height * 4) as usize);
        }
    }
}

/// Sees the nearest triangle along a ray: its distance, and whether its front faces the viewer.
fn nearest(scene: &Scene, origin: Vec3, direction: Vec3) -> Option<(f32, bool)> {
    let mut best: Option<(f32, bool)> = None;
    for p in &scene.primitives {
        let double_sided = scene.materials[p.material].double_sided;
        for [a, b, c] in corners(p) {
            let (e1, e2) = (b - a, c - a);
            let h = direction.cross(e2);
            let det = e1.dot(h);
            if det.abs() < 1e-9 {
                continue;
            }
            let s = origin - a;
            let u = s.dot(h) / det;
            let q = s.cross(e1);
            let (v, t) = (direction.dot(q) / det, e2.dot(q) / det);
            if u >= 0.0 && v >= 0.0 && u + v <= 1.0 && t > 1e-4 && best.is_none_or(|b| t < b.0) {
                best = Some((t, det > 0.0 || double_sided));
            }
        }
    }
    best
}

#[test]
fn from_the_floor_every_ray_meets_the_front_of_something() {
    // A closed room whose boxes are not inside out: whatever is seen first shows its front.
    for seed in [0, 5] {
        let scene = small_flat(seed);
        let grid = FloorGrid::new(&scene);
        let places = grid.spread(6);
        for (k, place) in places.iter().enumerate() {
            for j in 0..40 {
                let angle = 0.1 + j as f32 * 2.4 + k as f32;
                let rise = -0.9 + 1.7 * (j as f32 + 0.5) / 40.0;
                let direction = vec3(angle.cos(), rise, angle.sin()).normalize();
                let hit = nearest(&scene, *place + Vec3::Y * 1.5, direction);
                let (_, front) = hit.unwrap_or_else(|| panic!("seed {seed}: a hole towards {direction} from {place}"));
                assert!(front, "seed {seed}: a back face towards {direction} from {place}");
            }
        }
    }
}

/// The floor in cells of 0.1 m: open where nothing stands between step height and the agent's height.
struct FloorGrid {
    width: usize,
    depth: usize,
    is_open: Vec<bool>,
}

const CELL: f32 = 0.1;

impl FloorGrid {
    fn new(scene: &Scene) -> Self {
        // The world outside is drawn around the flat; the flat itself begins at the origin.
        let floors = scene
            .primitives
            .iter()
            .filter(|p| scene.materials[p.material].name == "floor");
        let far = floors
            .flat_map(|p| p.positions.iter())
            .fold([0.0f32; 2], |m, p| [m[0].max(p[0]), m[1].max(p[2])]);
        let (width, depth) = ((far[0] / CELL) as usize + 2, (far[1] / CELL) as usize + 2);
        let mut grid = Self {
            width,
            depth,
            is_open: vec![false; width * depth],
        };
        for name in ["floor", "wood"] {
            for p in scene
                .primitives
                .iter()
                .filter(|p| scene.materials[p.material].name == name)
            {
                for t in corners(p).filter(|t| t.iter().all(|v| v.y.abs() < 1e-4)) {
                    grid.paint(&t, true);
                }
            }
        }
        for t in scene.primitives.iter().flat_map(corners) {
            let (low, high) = (t[0].y.min(t[1].y).min(t[2].y), t[0].y.max(t[1].y).max(t[2].y));
            if high > 0.2 && low < 1.5 {
                grid.paint(&t, false);
            }
        }
        grid.erode();
        grid
    }

    /// Closes what lies within a cell of something closed: the agent has a radius of 0.1 m.
    fn erode(&mut self) {
        let before = self.is_open.clone();
        let is_open = |i: usize, j: usize| before[j * self.width + i];
        for j in 1..self.depth - 1 {
            for i in 1..self.width - 1 {
                let all = (0..9).all(|k| is_open(i + k % 3 - 1, j + k / 3 - 1));
                self.is_open[j * self.width + i] = all;
            }
        }
    }

    /// Marks the cells whose centres lie within a triangle seen from above, or on its edges.
    fn paint(&mut self, t: &[Vec3; 3], open: bool) {
        for k in 0..3 {
            let (a, b) = (t[k], t[(k + 1) % 3]);
            let n = ((b - a).length() / (0.4 * CELL)) as usize + 1;
            if !open {
                (0..=n).for_each(|i| self.mark(a.lerp(b, i as f32 / n as f32), open));
            }
        }
        let (low, high) = (t[0].min(t[1]).min(t[2]), t[0].max(t[1]).max(t[2]));
        let side = |a: Vec3, b: Vec3, x: f32, z: f32| (b.x - a.x) * (z - a.z) - (b.z - a.z) * (x - a.x);
        let cells = |low: f32, high: f32| ((low / CELL).floor() as i64)..=((high / CELL).ceil() as i64);
        for j in cells(low.z, high.z) {
            for i in cells(low.x, high.x) {
                let (x, z) = ((i as f32 + 0.5) * CELL, (j as f32 + 0.5) * CELL);
                let s = [side(t[0], t[1], x, z), side(t[1], t[2], x, z), side(t[2], t[0], x, z)];
                if s.iter().all(|v| *v >= -1e-6) || s.iter().all(|v| *v <= 1e-6) {
                    self.mark(vec3(x, 0.0, z), open);
                }
            }
        }
    }

    fn mark(&mut self, p: Vec3, open: bool) {
        if p.x < 0.0 || p.z < 0.0 {
            return;
        }
        let (i, j) = ((p.x / CELL) as usize, (p.z / CELL) as usize);
        if i < self.width && j < self.depth {
            self.is_open[j * self.width + i] = open;
        }
    }

    /// Sizes of the connected open areas, in cells, largest first, and the largest area's cells.
    fn areas(&self) -> (Vec<usize>, Vec<usize>) {
        let mut seen = vec![false; self.is_open.len()];
        let mut areas: Vec<Vec<usize>> = Vec::new();
        for start in 0..seen.len() {
            if seen[start] || !self.is_open[start] {
                continue;
            }
            seen[start] = true;
            let mut area = vec![start];
            let mut next = 0;
            while next < area.len() {
                let (i, j) = (area[next] % self.width, area[next] / self.width);
                next += 1;
                let mut visit = |k: usize| {
                    if self.is_open[k] && !seen[k] {
                        seen[k] = true;
                        area.push(k);
                    }
                };
                if i > 0 {
                    visit(j * self.width + i - 1);
                }
                if i + 1 < self.width {
                    visit(j * self.width + i + 1);
                }
                if j > 0 {
                    visit((j - 1) * self.width + i);
                }
                if j + 1 < self.depth {
                    visit((j + 1) * self.width + i);
                }
            }
            areas.push(area);
        }
        areas.sort_by_key(|a| std::cmp::Reverse(a.len()));
        let largest = areas.first().cloned().unwrap_or_default();
        (areas.iter().map(Vec::len).collect(), largest)
    }

    /// `n` places on the largest open area.
    fn spread(&self, n: usize) -> Vec<Vec3> {
        let (_, cells) = self.areas();
        (0..n)
            .map(|k| {
                let cell = cells[(cells.len() - 1) * (2 * k + 1) / (2 * n)];
                let (i, j) = (cell % self.width, cell / self.width);
                vec3((i as f32 + 0.5) * CELL, 0.0, (j as f32 + 0.5) * CELL)
            })
            .collect()
    }
}

#[test]
fn every_room_can_be_walked_to_and_the_flat_is_wide_enough() {
    for seed in 0..12 {
        let scene = small_flat(seed);
        let grid = FloorGrid::new(&scene);
        let (areas, largest) = grid.areas();
        let open: usize = areas.iter().sum();
        // What is cut off lies behind and under furniture, in scraps.
        assert!(
            largest.len() as f32 > 0.93 * open as f32 && areas.get(1).is_none_or(|a| *a < 150),
            "seed {seed}: open areas of {areas:?} cells"
        );
        let floors = scene
            .primitives
            .iter()
            .filter(|p| scene.materials[p.material].name == "floor" && p.positions.iter().all(|v| v[1] == 0.0));
        for floor in floors {
            let inside = |cell: &&usize| {
                let (x, z) = ((**cell % grid.width) as f32 * CELL, (**cell / grid.width) as f32 * CELL);
                let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
                for &p in &floor.positions {
                    (low, high) = (low.min(p.into()), high.max(p.into()));
                }
                x > low.x && x < high.x && z > low.z && z < high.z
            };
            let reached = largest.iter().filter(inside).count() as f32 * CELL * CELL;
            assert!(reached > 1.2, "seed {seed}: only {reached} m2 of a room can be reached");
        }
        let bounds = (grid.width as f32 * CELL, grid.depth as f32 * CELL);
        assert!(bounds.0.hypot(bounds.1) > 12.5, "seed {seed}: {bounds:?}");
    }
}

#[test]
fn every_triangle_has_a_class_and_every_object_one_only() {
    for seed in [0, 5] {
        let scene = small_flat(seed);
        let id_of = |name: &str| FLAT_CLASSES.iter().position(|n| *n == name).unwrap() as u32;
        let mut class_of = std::collections::BTreeMap::new();
        for primitive in &scene.primitives {
            assert_eq!(primitive.semantics.len() * 3, primitive.indices.len());
            for &id in &primitive.semantics {
                assert!(id > 0 && (id as usize) < FLAT_CLASSES.len());
                assert_eq!(*class_of.entry(primitive.instance).or_insert(id), id);
            }
        }
        assert_eq!(scene.semantic_names[&id_of("sofa")], "sofa");
        // Floors face up at floor height, ceilings face down above all eyes.
        let mut seen = [0usize; 2];
        for primitive in &scene.primitives {
            for (corners, &id) in corners(primitive).zip(&primitive.semantics) {
                let normal = (corners[1] - corners[0]).cross(corners[2] - corners[0]).normalize();
                if id == id_of("floor") {
                    assert!(normal.y > 0.999, "a floor that faces {normal}");
                    seen[0] += 1;
                } else if id == id_of("ceiling") {
                    assert!(normal.y < -0.999, "a ceiling that faces {normal}");
                    assert!(corners[0].y > 2.0);
                    seen[1] += 1;
                }
            }
        }
        assert!(seen.iter().all(|&n| n > 0));
        let beds = class_of.values().filter(|&&id| id == id_of("bed")).count();
        assert!(beds > 0, "a flat has a bedroom");
    }
}

#[test]
fn a_config_out_of_range_is_refused_by_name() {
    for (config, field) in [
        (
            ProceduralConfig {
                door_width_m: 0.5,
                ..small()
            },
            "door_width_m",
        ),
        (
            ProceduralConfig {
                rooms: [6, 5],
                ..small()
            },
            "rooms",
        ),
        (
            ProceduralConfig {
                width_m: [5.0, 6.0],
                ..small()
            },
            "width_m",
        ),
        (
            ProceduralConfig {
                texture_px: 300,
                ..small()
            },
            "texture_px",
        ),
        (
            ProceduralConfig {
                clutter: f32::NAN,
                ..small()
            },
            "clutter",
        ),
    ] {
        let message = build_with(&config, 0).expect_err("out of range").to_string();
        assert!(message.contains(field), "{message}");
    }
}
