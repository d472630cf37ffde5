//! Islands: the connected components of the walkable polygons.

use glam::{DVec3, Vec3};
use navmesh_rs::detour::{self, DefaultFilter, NULL_LINK, POLYTYPE_GROUND, PolyRef, QueryFilter};
use serde::Serialize;

use super::mesh::{Polygon, tiles};

/// A part of the floor that an agent cannot leave on foot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Island {
    /// Number of polygons.
    pub polygons: usize,
    /// Area of its detail triangles, square metres.
    pub area_m2: f64,
    /// Habitat's `island_radius`: largest distance, in space, of a polygon's corner from the mean of
    /// all polygons' corners (a corner counts once a polygon), metres.
    pub radius_m: f64,
    /// Smallest corner of its box, world metres.
    pub min: [f32; 3],
    /// Largest corner of its box, world metres.
    pub max: [f32; 3],
}

/// Island number of each polygon, by tile slot and polygon index; `None` where it cannot be walked on.
pub(super) fn components(mesh: &detour::NavMesh, filter: &DefaultFilter) -> Vec<Vec<Option<u32>>> {
    let slots = mesh.max_tiles().max(0) as usize;
    let mut island_of: Vec<Vec<Option<u32>>> = (0..slots)
        .map(|slot| vec![None; mesh.tile(slot).map_or(0, |tile| tile.polys.len())])
        .collect();
    let walkable = |reference: PolyRef| {
        mesh.tile_and_poly_by_ref(reference).is_ok_and(|(tile, polygon)| {
            polygon.poly_type() == POLYTYPE_GROUND && filter.pass_filter(reference, tile, polygon)
        })
    };
    let mut count = 0;
    let mut open = Vec::new();
    for (slot, tile) in tiles(mesh) {
        let Some(base) = mesh.poly_ref_base(slot) else { continue };
        for index in 0..tile.polys.len() {
            let start = base | index as PolyRef;
            if island_of[slot][index].is_some() || !walkable(start) {
                continue;
            }
            island_of[slot][index] = Some(count);
            open.push(start);
            while let Some(reference) = open.pop() {
                let Ok((tile, polygon)) = mesh.tile_and_poly_by_ref(reference) else {
                    continue;
                };
                let mut link = polygon.first_link;
                while link != NULL_LINK {
                    let Some(edge) = tile.links.get(link as usize) else {
                        break;
                    };
                    link = edge.next;
                    let (_, slot, index) = mesh.decode_poly_id(edge.r#ref);
                    if walkable(edge.r#ref) && island_of[slot as usize][index as usize].is_none() {
                        island_of[slot as usize][index as usize] = Some(count);
                        open.push(edge.r#ref);
                    }
                }
            }
            count += 1;
        }
    }
    island_of
}

/// Size of each island from its polygons.
pub(super) fn measure(polygons: &[Polygon]) -> Vec<Island> {
    let count = polygons.iter().map(|p| p.island + 1).max().unwrap_or(0);
    let mut corners: Vec<Vec<DVec3>> = vec![Vec::new(); count];
    let mut islands = vec![
        Island {
            polygons: 0,
            area_m2: 0.0,
            radius_m: 0.0,
            min: [f32::INFINITY; 3],
            max: [f32::NEG_INFINITY; 3],
        };
        count
    ];
    for polygon in polygons {
        let island = &mut islands[polygon.island];
        island.polygons += 1;
        island.area_m2 += polygon.area_m2();
        for vertex in polygon.detail.iter().flatten() {
            island.min = Vec3::from(island.min).min(*vertex).into();
            island.max = Vec3::from(island.max).max(*vertex).into();
        }
        corners[polygon.island].extend(polygon.vertices.iter().map(|v| v.as_dvec3()));
    }
    for (island, corners) in islands.iter_mut().zip(corners) {
        let mean = corners.iter().sum::<DVec3>() / corners.len().max(1) as f64;
        island.radius_m = corners.iter().map(|c| c.distance(mean)).fold(0.0, f64::max);
    }
    islands
}
