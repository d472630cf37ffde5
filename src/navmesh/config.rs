//! How a navmesh is built: Habitat's `NavMeshSettings`, with its defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of the navmesh build.
///
/// The defaults are those of habitat-sim (`PathFinder.h`), so that the walkable floor of a scene is
/// the one that a Habitat user knows. Lengths are metres unless the name says cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NavMeshConfig {
    /// Side of a cell on the floor, metres, 0.005 to 10. Default 0.05.
    pub cell_size_m: f64,
    /// Height of a cell, metres, 0.005 to 10; the floor of the navmesh is quantised to it. Default 0.2.
    pub cell_height_m: f64,
    /// Clearance that the agent needs, metres, 0.1 to 100. Default 1.5.
    pub agent_height_m: f64,
    /// Distance kept from walls, metres, 0 to 10. Default 0.1.
    pub agent_radius_m: f64,
    /// Highest step, metres, 0 to 10. Default 0.2.
    pub agent_max_climb_m: f64,
    /// Steepest walkable slope, degrees, 0 to 89. Default 45.
    pub agent_max_slope_deg: f64,
    /// Side of the smallest isolated region that is kept, cells, 0 to 1000 (its square is the area). Default 20.
    pub region_min_size_cells: f64,
    /// Regions smaller than the square of this are merged into neighbours, cells, 0 to 1000. Default 20.
    pub region_merge_size_cells: f64,
    /// Longest edge along a wall, metres, 0 (no limit) to 1000. Default 12.
    pub edge_max_len_m: f64,
    /// How far a simplified edge may leave the raw outline, cells, 0 to 100. Default 1.3.
    pub edge_max_error_cells: f64,
    /// Most vertices of a polygon, 3 to 6. Default 6.
    pub verts_per_poly: u32,
    /// Spacing of height samples of the detail mesh, cells, 0 to 1000; below 0.9 none are taken. Default 6.
    pub detail_sample_dist_cells: f64,
    /// Largest height error of the detail mesh, cell heights, 0 to 100. Default 1.
    pub detail_sample_max_error_cells: f64,
    /// Whether low obstacles (kerbs, stairs) that the agent can step on are walkable. Default true.
    pub filter_low_hanging_obstacles: bool,
    /// Whether cells beside a drop are removed. Default true.
    pub filter_ledge_spans: bool,
    /// Whether cells without head room are removed. Default true.
    pub filter_walkable_low_height_spans: bool,
    /// Largest grid, in cells, that is built as one tile as Habitat does; larger scenes are built in
    /// tiles. 1 to 16777216 (habitat-sim fails above). Default 16777216.
    pub single_tile_max_cells: u64,
    /// Side of a tile, cells, 64 to 4096, when the scene is built in tiles. Default 1024.
    pub tile_size_cells: u32,
}

impl Default for NavMeshConfig {
    fn default() -> Self {
        Self {
            cell_size_m: 0.05,
            cell_height_m: 0.2,
            agent_height_m: 1.5,
            agent_radius_m: 0.1,
            agent_max_climb_m: 0.2,
            agent_max_slope_deg: 45.0,
            region_min_size_cells: 20.0,
            region_merge_size_cells: 20.0,
            edge_max_len_m: 12.0,
            edge_max_error_cells: 1.3,
            verts_per_poly: 6,
            detail_sample_dist_cells: 6.0,
            detail_sample_max_error_cells: 1.0,
            filter_low_hanging_obstacles: true,
            filter_ledge_spans: true,
            filter_walkable_low_height_spans: true,
            single_tile_max_cells: 1 << 24,
            tile_size_cells: 1024,
        }
    }
}

impl NavMeshConfig {
    /// Checks every field against its range; the message names the field, the value and the range.
    pub fn validate(&self) -> Result<(), String> {
        for (name, value, low, high) in [
            ("cell_size_m", self.cell_size_m, 0.005, 10.0),
            ("cell_height_m", self.cell_height_m, 0.005, 10.0),
            ("agent_height_m", self.agent_height_m, 0.1, 100.0),
            ("agent_radius_m", self.agent_radius_m, 0.0, 10.0),
            ("agent_max_climb_m", self.agent_max_climb_m, 0.0, 10.0),
            ("agent_max_slope_deg", self.agent_max_slope_deg, 0.0, 89.0),
            ("region_min_size_cells", self.region_min_size_cells, 0.0, 1000.0),
            ("region_merge_size_cells", self.region_merge_size_cells, 0.0, 1000.0),
            ("edge_max_len_m", self.edge_max_len_m, 0.0, 1000.0),
            ("edge_max_error_cells", self.edge_max_error_cells, 0.0, 100.0),
            ("verts_per_poly", f64::from(self.verts_per_poly), 3.0, 6.0),
            ("detail_sample_dist_cells", self.detail_sample_dist_cells, 0.0, 1000.0),
            (
                "detail_sample_max_error_cells",
                self.detail_sample_max_error_cells,
                0.0,
                100.0,
            ),
            (
                "single_tile_max_cells",
                self.single_tile_max_cells as f64,
                1.0,
                16_777_216.0,
            ),
            ("tile_size_cells", f64::from(self.tile_size_cells), 64.0, 4096.0),
        ] {
            if !(low..=high).contains(&value) {
                return Err(format!("{name} is {value}, allowed is {low} to {high}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_a_bad_value_is_named() {
        assert_eq!(NavMeshConfig::default().validate(), Ok(()));
        for bad in [f64::NAN, -1.0, f64::INFINITY] {
            let config = NavMeshConfig {
                cell_size_m: bad,
                ..Default::default()
            };
            let message = config.validate().expect_err("out of range");
            assert!(
                message.contains("cell_size_m") && message.contains("0.005"),
                "{message}"
            );
        }
    }
}
