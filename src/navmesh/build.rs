//! Triangles to navmesh: the stages of Recast in Habitat's order.

use glam::Vec3;
use navmesh_rs::recast::{self, CompactHeightfield, ContourSet, Heightfield, PolyMesh, PolyMeshDetail};
use navmesh_rs::{Error, Limits, Workspace, bake, detour};

use super::mesh::WALKABLE_FLAG;
use super::{NavMesh, NavMeshConfig, NavMeshError};
use crate::scene::{Bounds, Scene};

/// Most cells of a scene that is built in tiles (1 km x 1 km at Habitat's cell size).
const MAX_CELLS: f64 = 4e8;

impl NavMesh {
    /// Builds the navmesh of a scene, whatever its materials.
    pub fn build(scene: &Scene, config: &NavMeshConfig) -> Result<Self, NavMeshError> {
        let (vertices, triangles) = scene.triangle_soup();
        Self::build_from_triangles(&vertices, &triangles, config)
    }

    /// Builds the navmesh of a triangle soup: positions in world metres (Y up), counter-clockwise
    /// triangles seen from the side that can be walked on.
    pub fn build_from_triangles(
        vertices: &[[f32; 3]],
        triangles: &[[u32; 3]],
        config: &NavMeshConfig,
    ) -> Result<Self, NavMeshError> {
        config.validate().map_err(NavMeshError::Config)?;
        let soup = Soup::new(vertices, triangles)?;
        let grid = soup.grid(config)?;
        let cells = grid.width as u64 * grid.depth as u64;
        let mesh = if cells <= config.single_tile_max_cells {
            match single_tile(&soup, &grid, config) {
                // More vertices or regions than one tile can number: tiles can.
                Err(Error::FormatLimit(_)) => tiles(&soup, config),
                other => other,
            }
        } else {
            tiles(&soup, config)
        };
        match mesh {
            Ok(Some(mesh)) => {
                let navmesh = Self::from_detour(mesh, config.clone(), Some(soup.bounds()));
                if navmesh.polygons().is_empty() {
                    return Err(soup.no_floor(config));
                }
                Ok(navmesh)
            }
            Ok(None) => Err(soup.no_floor(config)),
            Err(error) => Err(NavMeshError::Build(error.to_string())),
        }
    }
}

/// The triangles in the flat form of Recast, checked.
struct Soup {
    vertices: Vec<f32>,
    triangles: Vec<i32>,
    min: [f32; 3],
    max: [f32; 3],
}

/// Cells of a scene.
struct Grid {
    width: i32,
    depth: i32,
}

impl Soup {
    fn new(vertices: &[[f32; 3]], triangles: &[[u32; 3]]) -> Result<Self, NavMeshError> {
        if triangles.is_empty() {
            return Err(NavMeshError::EmptyScene);
        }
        let (mut min, mut max) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        let mut flat = Vec::with_capacity(triangles.len() * 3);
        for (number, triangle) in triangles.iter().enumerate() {
            for &index in triangle {
                let Some(vertex) = vertices.get(index as usize).filter(|_| i32::try_from(index).is_ok()) else {
                    return Err(NavMeshError::BrokenMesh(format!(
                        "triangle {number} names vertex {index} of {}",
                        vertices.len()
                    )));
                };
                if !vertex.iter().all(|v| v.is_finite()) {
                    return Err(NavMeshError::BrokenMesh(format!("vertex {index} is {vertex:?}")));
                }
                min = min.min(Vec3::from(*vertex));
                max = max.max(Vec3::from(*vertex));
                flat.push(index as i32);
            }
        }
        // Vertices that no triangle uses may hold anything; Recast wants them finite.
        let vertices = vertices
            .iter()
            .flat_map(|v| v.map(|x| if x.is_finite() { x } else { min.x }))
            .collect();
        Ok(Self {
            vertices,
            triangles: flat,
            min: min.into(),
            max: max.into(),
        })
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            min: self.min.into(),
            max: self.max.into(),
        }
    }

    fn grid(&self, config: &NavMeshConfig) -> Result<Grid, NavMeshError> {
        let extent: [f64; 3] = std::array::from_fn(|axis| f64::from(self.max[axis]) - f64::from(self.min[axis]));
        let cells = (extent[0] / config.cell_size_m) * (extent[2] / config.cell_size_m);
        let levels = extent[1] / config.cell_height_m;
        let most_levels = f64::from(recast::SPAN_MAX_HEIGHT) - 1.0;
        if cells > MAX_CELLS || levels > most_levels {
            let round_up = |value: f64| (value * 1000.0).ceil() / 1000.0;
            return Err(NavMeshError::TooLarge {
                width_m: extent[0],
                depth_m: extent[2],
                height_m: extent[1],
                cell_size_m: config.cell_size_m,
                cell_height_m: config.cell_height_m,
                fitting_cell_size_m: round_up(config.cell_size_m * (cells / MAX_CELLS).max(1.0).sqrt()),
                fitting_cell_height_m: round_up(config.cell_height_m * (levels / most_levels).max(1.0)),
            });
        }
        let (width, depth) = recast::calc_grid_size(&self.min, &self.max, config.cell_size_m as f32);
        Ok(Grid { width, depth })
    }

    /// The error that says what was there instead of a floor.
    fn no_floor(&self, config: &NavMeshConfig) -> NavMeshError {
        let cosine = config.agent_max_slope_deg.to_radians().cos() as f32;
        let mut facing = [0usize; 3];
        for triangle in self.triangles.chunks_exact(3) {
            let [a, b, c] = [0, 1, 2].map(|k| Vec3::from_slice(&self.vertices[triangle[k] as usize * 3..]));
            let normal = (b - a).cross(c - a).normalize_or_zero();
            facing[0] += usize::from(normal.y > cosine);
            facing[1] += usize::from(normal.y < -cosine);
            facing[2] += usize::from(normal.z > cosine);
        }
        let hint = if facing[2] > facing[0] {
            "more of them face +Z: is the scene Z up (--up z)?"
        } else if facing[1] > facing[0] {
            "more of them face down: is the winding or the up axis wrong (--up y|z)?"
        } else {
            "check the unit (metres) and the up axis, or lower agent_height_m, region_min_size_cells or cell_height_m"
        };
        NavMeshError::NoWalkableFloor {
            triangles: self.triangles.len() / 3,
            facing_up: facing[0],
            max_slope_deg: config.agent_max_slope_deg,
            agent_height_m: config.agent_height_m,
            hint,
        }
    }
}

/// Habitat's settings in the units of Recast; `cs`, `ch` and the conversions are 32-bit as there.
fn recast_config(config: &NavMeshConfig) -> recast::Config {
    let (cs, ch) = (config.cell_size_m as f32, config.cell_height_m as f32);
    let sample_dist = config.detail_sample_dist_cells as f32;
    let squared = |side: f64| (side as f32 * side as f32) as i32;
    recast::Config {
        cs,
        ch,
        walkable_slope_angle: config.agent_max_slope_deg as f32,
        walkable_height: (config.agent_height_m as f32 / ch).ceil() as i32,
        walkable_climb: (config.agent_max_climb_m as f32 / ch).floor() as i32,
        walkable_radius: (config.agent_radius_m as f32 / cs).ceil() as i32,
        max_edge_len: (config.edge_max_len_m as f32 / cs) as i32,
        max_simplification_error: config.edge_max_error_cells as f32,
        min_region_area: squared(config.region_min_size_cells),
        merge_region_area: squared(config.region_merge_size_cells),
        max_verts_per_poly: config.verts_per_poly as i32,
        detail_sample_dist: if sample_dist < 0.9 { 0.0 } else { cs * sample_dist },
        detail_sample_max_error: ch * config.detail_sample_max_error_cells as f32,
        ..Default::default()
    }
}

/// One tile over the whole scene, as Habitat builds it. `None`: nothing to walk on.
fn single_tile(soup: &Soup, grid: &Grid, config: &NavMeshConfig) -> Result<Option<detour::NavMesh>, Error> {
    if grid.width == 0 || grid.depth == 0 {
        return Ok(None);
    }
    let cfg = recast_config(config);
    let mut ws = Workspace::new();
    let ws = &mut ws;
    let mut areas = vec![recast::NULL_AREA; soup.triangles.len() / 3];
    recast::mark_walkable_triangles(
        ws,
        cfg.walkable_slope_angle,
        &soup.vertices,
        &soup.triangles,
        &mut areas,
    )?;
    let mut field = Heightfield::new(ws, grid.width, grid.depth, soup.min, soup.max, cfg.cs, cfg.ch)?;
    field.rasterize_triangles(ws, &soup.vertices, &soup.triangles, &areas, cfg.walkable_climb)?;
    if config.filter_low_hanging_obstacles {
        field.filter_low_hanging_walkable_obstacles(ws, cfg.walkable_climb)?;
    }
    if config.filter_ledge_spans {
        field.filter_ledge_spans(ws, cfg.walkable_height, cfg.walkable_climb)?;
    }
    if config.filter_walkable_low_height_spans {
        field.filter_walkable_low_height_spans(ws, cfg.walkable_height)?;
    }
    let mut compact = CompactHeightfield::build(ws, cfg.walkable_height, cfg.walkable_climb, &field)?;
    drop(field);
    recast::erode_walkable_area(ws, cfg.walkable_radius, &mut compact)?;
    recast::build_distance_field(ws, &mut compact)?;
    recast::build_regions(ws, &mut compact, 0, cfg.min_region_area, cfg.merge_region_area)?;
    let contours = ContourSet::build(
        ws,
        &compact,
        cfg.max_simplification_error,
        cfg.max_edge_len,
        recast::CONTOUR_TESS_WALL_EDGES,
    )?;
    let polygons = PolyMesh::build(ws, &contours, cfg.max_verts_per_poly)?;
    if polygons.npolys == 0 {
        return Ok(None);
    }
    let detail = PolyMeshDetail::build(
        ws,
        &polygons,
        &compact,
        cfg.detail_sample_dist,
        cfg.detail_sample_max_error,
    )?;
    let count = polygons.npolys as usize;
    let tile = detour::create_nav_mesh_data(&detour::NavMeshCreateParams {
        verts: &polygons.verts,
        vert_count: polygons.nverts,
        polys: &polygons.polys,
        // Habitat: every walkable polygon is ground (area 0) with the flag "walk".
        poly_flags: &vec![WALKABLE_FLAG; count],
        poly_areas: &vec![0; count],
        poly_count: polygons.npolys,
        nvp: polygons.nvp,
        detail_meshes: &detail.meshes,
        detail_verts: &detail.verts,
        detail_verts_count: (detail.verts.len() / 3) as i32,
        detail_tris: &detail.tris,
        detail_tri_count: (detail.tris.len() / 4) as i32,
        bmin: polygons.bmin,
        bmax: polygons.bmax,
        walkable_height: config.agent_height_m as f32,
        walkable_radius: config.agent_radius_m as f32,
        walkable_climb: config.agent_max_climb_m as f32,
        cs: cfg.cs,
        ch: cfg.ch,
        build_bv_tree: true,
        ..Default::default()
    })?;
    detour::NavMesh::new_single(tile).map(|(mesh, _)| Some(mesh))
}

/// A grid of tiles, for scenes that one height field cannot hold, built side by side (the order and the
/// bytes do not depend on the threads). `None`: nothing to walk on.
fn tiles(soup: &Soup, config: &NavMeshConfig) -> Result<Option<detour::NavMesh>, Error> {
    let mut settings = bake::BakeConfig::default();
    settings.recast = recast::Config {
        tile_size: config.tile_size_cells as i32,
        ..recast_config(config)
    };
    settings.filter_low_hanging = config.filter_low_hanging_obstacles;
    settings.filter_ledge = config.filter_ledge_spans;
    settings.filter_low_height = config.filter_walkable_low_height_spans;
    settings.walkable_height = config.agent_height_m as f32;
    settings.walkable_radius = config.agent_radius_m as f32;
    settings.walkable_climb = config.agent_max_climb_m as f32;
    let input = bake::Input::new(&soup.vertices, &soup.triangles);
    let baked = bake::tiles_parallel(&input, &settings, &mut Workspace::new()).map_err(|e| e.error)?;
    if baked.tiles.iter().all(|tile| tile.data.is_none()) {
        return Ok(None);
    }
    baked.into_navmesh(Limits::UNLIMITED).map(Some).map_err(|e| e.error)
}
