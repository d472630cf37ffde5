//! The navmesh itself: Detour's mesh plus what Habitat derives from it.

use std::sync::Arc;

use glam::Vec3;
use navmesh_rs::detour::{self, DefaultFilter, MeshTile, NavMeshQuery, Poly, PolyRef};

use super::islands::{self, Island};
use super::{NavMeshConfig, NavMeshError, TrueFloor};
use crate::scene::Bounds;

/// Habitat's flag of a polygon that can be walked on.
pub(super) const WALKABLE_FLAG: u16 = 0x01;
/// Habitat's flag of a polygon that is left out (it has no area).
pub(super) const DISABLED_FLAG: u16 = 0x04;
/// Polygons with a smaller detail area, square metres, are disabled.
const MIN_POLYGON_AREA_M2: f64 = 1e-5;

/// A walkable floor. See the module head for frames and units.
#[derive(Debug, Clone)]
pub struct NavMesh {
    pub(super) detour: detour::NavMesh,
    pub(super) filter: DefaultFilter,
    config: NavMeshConfig,
    bounds: Bounds,
    polygons: Vec<Polygon>,
    islands: Vec<Island>,
    /// Island of each polygon by tile slot and polygon index.
    island_of: Vec<Vec<Option<u32>>>,
    floor: Option<Arc<TrueFloor>>,
}

/// A convex, walkable polygon.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// Corners in order, world metres.
    pub vertices: Vec<Vec3>,
    /// Index into [`NavMesh::islands`].
    pub island: usize,
    /// Triangles of its height detail, world metres.
    pub detail: Vec<[Vec3; 3]>,
    pub(super) reference: PolyRef,
}

impl Polygon {
    /// Area of the detail triangles in space, square metres.
    pub fn area_m2(&self) -> f64 {
        self.detail.iter().map(|t| triangle_area(*t)).sum()
    }
}

pub(super) fn triangle_area([a, b, c]: [Vec3; 3]) -> f64 {
    0.5 * (b - a).as_dvec3().cross((c - a).as_dvec3()).length()
}

impl NavMesh {
    /// Takes over a linked Detour mesh; `bounds` default to the box of its tiles (Habitat's answer after a load).
    pub(super) fn from_detour(mut mesh: detour::NavMesh, config: NavMeshConfig, bounds: Option<Bounds>) -> Self {
        let filter = DefaultFilter {
            exclude_flags: DISABLED_FLAG,
            ..Default::default()
        };
        disable_empty_polygons(&mut mesh);
        let island_of = islands::components(&mesh, &filter);
        let polygons = walkable_polygons(&mesh, &island_of);
        let islands = islands::measure(&polygons);
        let bounds = bounds.unwrap_or_else(|| tile_bounds(&mesh));
        Self {
            detour: mesh,
            filter,
            config,
            bounds,
            polygons,
            islands,
            island_of,
            floor: None,
        }
    }

    /// The settings that this was built with (of a version 1 file: Habitat's defaults).
    pub fn config(&self) -> &NavMeshConfig {
        &self.config
    }

    /// The box of the mesh that this was built from; of a file, the box of its tiles, whose top is
    /// higher by the agent's height (so does Habitat).
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The walkable polygons, in file order.
    pub fn polygons(&self) -> &[Polygon] {
        &self.polygons
    }

    /// The connected components, in the order of their first polygon.
    pub fn islands(&self) -> &[Island] {
        &self.islands
    }

    /// The walkable triangles with their heights, world metres.
    pub fn detail_triangles(&self) -> impl Iterator<Item = [Vec3; 3]> + '_ {
        self.polygons.iter().flat_map(|p| p.detail.iter().copied())
    }

    /// Area of the detail triangles of all islands, square metres.
    pub fn navigable_area_m2(&self) -> f64 {
        self.islands.iter().map(|island| island.area_m2).sum()
    }

    /// Number of tiles.
    pub fn tile_count(&self) -> usize {
        tiles(&self.detour).count()
    }

    /// Radius of the largest island, metres; 0 where there is none.
    pub fn largest_island_radius_m(&self) -> f64 {
        self.islands.iter().map(|island| island.radius_m).fold(0.0, f64::max)
    }

    /// Refuses a navmesh none of whose islands reaches `min_radius_m`, naming a value that would admit it.
    pub fn require_island_radius(&self, min_radius_m: f64) -> Result<(), NavMeshError> {
        let largest_m = self.largest_island_radius_m();
        if largest_m >= min_radius_m {
            return Ok(());
        }
        Err(NavMeshError::IslandsTooSmall {
            required_m: min_radius_m,
            largest_m,
            admitting_m: (largest_m * 100.0).floor() / 100.0,
        })
    }

    /// Adds the scene's own floor, for agents that stand on it and not on the navmesh above it.
    pub fn with_true_floor(mut self, floor: TrueFloor) -> Self {
        self.floor = Some(Arc::new(floor));
        self
    }

    /// The scene's own floor, where it was added.
    pub fn true_floor(&self) -> Option<&TrueFloor> {
        self.floor.as_deref()
    }

    /// The island of a polygon reference.
    pub(super) fn island_of_ref(&self, reference: PolyRef) -> Option<usize> {
        let (_, tile, polygon) = self.detour.decode_poly_id(reference);
        let island = *self.island_of.get(tile as usize)?.get(polygon as usize)?;
        island.map(|i| i as usize)
    }

    /// A Detour query; `nodes` bounds its search, 1 is enough for all that do not search paths.
    pub(super) fn query(&self, nodes: usize) -> Option<NavMeshQuery<'_>> {
        NavMeshQuery::new(&self.detour, nodes.clamp(1, 0xffff)).ok()
    }
}

/// The resident tiles with their slots.
pub(super) fn tiles(mesh: &detour::NavMesh) -> impl Iterator<Item = (usize, &MeshTile)> {
    (0..mesh.max_tiles().max(0) as usize).filter_map(|slot| mesh.tile(slot).map(|tile| (slot, tile)))
}

pub(super) fn polygon_vertices(tile: &MeshTile, polygon: &Poly) -> Vec<Vec3> {
    polygon.verts[..polygon.vert_count as usize]
        .iter()
        .map(|&v| Vec3::from_slice(&tile.verts[v as usize * 3..]))
        .collect()
}

/// Triangles of the height detail of polygon `index`.
pub(super) fn detail_of(tile: &MeshTile, index: usize) -> Vec<[Vec3; 3]> {
    let (Some(polygon), Some(detail)) = (tile.polys.get(index), tile.detail_meshes.get(index)) else {
        return Vec::new();
    };
    let corners = polygon_vertices(tile, polygon);
    let first = detail.tri_base as usize;
    tile.detail_tris
        .chunks_exact(4)
        .skip(first)
        .take(detail.tri_count as usize)
        .map(|triangle| {
            [0, 1, 2].map(|k| {
                let k = triangle[k] as usize;
                if k < corners.len() {
                    corners[k]
                } else {
                    let v = detail.vert_base as usize + k - corners.len();
                    Vec3::from_slice(&tile.detail_verts[v * 3..])
                }
            })
        })
        .collect()
}

fn disable_empty_polygons(mesh: &mut detour::NavMesh) {
    let mut empty = Vec::new();
    for (slot, tile) in tiles(mesh) {
        let Some(base) = mesh.poly_ref_base(slot) else { continue };
        for (index, polygon) in tile.polys.iter().enumerate() {
            let area: f64 = detail_of(tile, index).into_iter().map(triangle_area).sum();
            if area < MIN_POLYGON_AREA_M2 {
                empty.push((base | index as PolyRef, polygon.flags | DISABLED_FLAG));
            }
        }
    }
    for (reference, flags) in empty {
        // The references were just read from this mesh, so this cannot fail.
        let _ = mesh.set_poly_flags(reference, flags);
    }
}

fn walkable_polygons(mesh: &detour::NavMesh, island_of: &[Vec<Option<u32>>]) -> Vec<Polygon> {
    let mut polygons = Vec::new();
    for (slot, tile) in tiles(mesh) {
        let Some(base) = mesh.poly_ref_base(slot) else { continue };
        for (index, polygon) in tile.polys.iter().enumerate() {
            if let Some(island) = island_of[slot][index] {
                polygons.push(Polygon {
                    vertices: polygon_vertices(tile, polygon),
                    island: island as usize,
                    detail: detail_of(tile, index),
                    reference: base | index as PolyRef,
                });
            }
        }
    }
    polygons
}

fn tile_bounds(mesh: &detour::NavMesh) -> Bounds {
    let mut bounds: Option<Bounds> = None;
    for (_, tile) in tiles(mesh) {
        let (min, max) = (Vec3::from(tile.header.bmin), Vec3::from(tile.header.bmax));
        bounds = Some(match bounds {
            None => Bounds { min, max },
            Some(b) => Bounds {
                min: b.min.min(min),
                max: b.max.max(max),
            },
        });
    }
    bounds.unwrap_or(Bounds {
        min: Vec3::ZERO,
        max: Vec3::ZERO,
    })
}
