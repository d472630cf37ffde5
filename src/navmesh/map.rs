//! The floor seen from above, as a picture.

use glam::{Vec2, Vec3};
use image::{GrayImage, Luma, Rgb, RgbImage};

use super::NavMesh;

/// Most pixels along a side of a map: a larger scene gets larger cells.
const MAX_SIDE: f32 = 4096.0;
const BACKGROUND: Rgb<u8> = Rgb([245, 245, 242]);
/// Fill colours of islands, in turn.
const COLORS: [[u8; 3]; 8] = [
    [86, 140, 196],
    [226, 148, 76],
    [110, 174, 110],
    [190, 110, 170],
    [200, 190, 90],
    [120, 190, 196],
    [214, 112, 108],
    [150, 132, 200],
];

/// The floor on a grid, seen from above: x to the right, -Z (forward at heading 0) up.
#[derive(Debug, Clone)]
pub struct TopDownMap {
    /// Width in cells.
    pub width: u32,
    /// Height in cells.
    pub height: u32,
    /// Side of a cell, metres.
    pub cell_m: f32,
    /// World x and z of the top-left corner, metres.
    pub origin: Vec2,
    /// Island and height (metres) of the highest floor at each cell's centre, row by row.
    pub cells: Vec<Option<(usize, f32)>>,
}

impl TopDownMap {
    /// Pixel coordinates (cell centres at +0.5) of a world position; may lie outside.
    pub fn pixel_of(&self, position: Vec3) -> Vec2 {
        (Vec2::new(position.x, position.z) - self.origin) / self.cell_m
    }

    /// White where the floor is, black elsewhere.
    pub fn mask(&self) -> GrayImage {
        GrayImage::from_fn(self.width, self.height, |x, y| {
            Luma([if self.at(x, y).is_some() { 255 } else { 0 }])
        })
    }

    /// One colour an island, lighter where it is higher, with a dark outline.
    pub fn picture(&self) -> RgbImage {
        let heights = self.cells.iter().flatten().map(|c| c.1);
        let (low, high) = heights.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), h| (a.min(h), b.max(h)));
        let range = (high - low).max(1.0);
        RgbImage::from_fn(self.width, self.height, |x, y| {
            let Some((island, height)) = self.at(x, y) else {
                return BACKGROUND;
            };
            let inside = [(-1, 0), (1, 0), (0, -1), (0, 1)].iter().all(|&(dx, dy)| {
                let (x, y) = (x.wrapping_add_signed(dx), y.wrapping_add_signed(dy));
                self.at(x, y).is_some_and(|c| c.0 == island)
            });
            let color = COLORS[island % COLORS.len()];
            if !inside {
                return Rgb(color.map(|c| c / 2));
            }
            let light = 0.45 * (height - low) / range;
            Rgb(color.map(|c| (f32::from(c) + (255.0 - f32::from(c)) * light) as u8))
        })
    }

    fn at(&self, x: u32, y: u32) -> Option<(usize, f32)> {
        if x >= self.width || y >= self.height {
            return None;
        }
        self.cells[y as usize * self.width as usize + x as usize]
    }
}

impl NavMesh {
    /// The floor from above with cells of `cell_m` metres (larger where a side would pass 4096 cells)
    /// and a margin of four cells around the walkable part.
    pub fn top_down(&self, cell_m: f32) -> TopDownMap {
        self.top_down_between(cell_m, f32::NEG_INFINITY, f32::INFINITY)
    }

    /// The same for the floor between two heights, metres: one level of a house.
    pub fn top_down_between(&self, cell_m: f32, low_m: f32, high_m: f32) -> TopDownMap {
        let (mut min, mut max) = (Vec2::INFINITY, Vec2::NEG_INFINITY);
        for vertex in self.polygons().iter().flat_map(|p| &p.vertices) {
            min = min.min(Vec2::new(vertex.x, vertex.z));
            max = max.max(Vec2::new(vertex.x, vertex.z));
        }
        if min.x > max.x {
            (min, max) = (Vec2::ZERO, Vec2::ZERO);
        }
        let cell_m = cell_m.max((max - min).max_element() / MAX_SIDE).max(1e-3);
        let origin = min - 4.0 * cell_m;
        let size = ((max - min) / cell_m).ceil() + 8.0;
        let (width, height) = (size.x as u32, size.y as u32);
        let mut map = TopDownMap {
            width,
            height,
            cell_m,
            origin,
            cells: vec![None; width as usize * height as usize],
        };
        for polygon in self.polygons() {
            for triangle in &polygon.detail {
                fill(&mut map, *triangle, polygon.island, [low_m, high_m]);
            }
        }
        map
    }
}

/// Marks the cells whose centre lies in the triangle and whose height is within the limits; the highest
/// floor wins.
fn fill(map: &mut TopDownMap, triangle: [Vec3; 3], island: usize, [low_m, high_m]: [f32; 2]) {
    let [a, b, c] = triangle.map(|v| map.pixel_of(v));
    let double_area = (b - a).perp_dot(c - a);
    if double_area == 0.0 {
        return;
    }
    let (min, max) = (a.min(b).min(c).floor(), a.max(b).max(c).ceil());
    let last = Vec2::new(map.width as f32, map.height as f32);
    let (min, max) = (min.max(Vec2::ZERO), max.min(last));
    for y in min.y as u32..max.y as u32 {
        for x in min.x as u32..max.x as u32 {
            let p = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
            let weights = [
                (b - p).perp_dot(c - p),
                (c - p).perp_dot(a - p),
                (a - p).perp_dot(b - p),
            ]
            .map(|w| w / double_area);
            if weights.iter().any(|&w| w < 0.0) {
                continue;
            }
            let height = weights[0] * triangle[0].y + weights[1] * triangle[1].y + weights[2] * triangle[2].y;
            if !(low_m..=high_m).contains(&height) {
                continue;
            }
            let cell = &mut map.cells[y as usize * map.width as usize + x as usize];
            if cell.is_none_or(|(_, other)| other < height) {
                *cell = Some((island, height));
            }
        }
    }
}
