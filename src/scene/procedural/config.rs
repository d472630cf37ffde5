//! Settings of the procedural flat.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of flat a seed is turned into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProceduralConfig {
    /// Smallest and largest outer length along x, metres, within 9 to 30; default 13 to 15.
    pub width_m: [f32; 2],
    /// Smallest and largest outer length along z, metres, within 7 to 30; default 10 to 11.5.
    pub depth_m: [f32; 2],
    /// Fewest and most rooms, within 2 to 12; default 5 to 6. Two storeys share them and have a hall each.
    pub rooms: [u32; 2],
    /// Share of the flats that have two storeys joined by stairs, 0 to 1; default 0.3. Their storeys are smaller
    /// (0.74 of the width, 0.9 of the depth).
    pub stairs: f32,
    /// Lowest and highest ceiling, metres, within 2.4 to 4; default 2.55 to 2.8.
    pub ceiling_m: [f32; 2],
    /// Clear width of a doorway, metres, 0.9 to 1.4; default 0.96. Archways are wider.
    pub door_width_m: f32,
    /// Clear height of a doorway, metres, 2.0 to 2.3; default 2.08.
    pub door_height_m: f32,
    /// Share of the furniture that a room can do without (bookcases, dressers, armchairs, lamps) that is placed,
    /// 0 to 1; default 1.
    pub furniture: f32,
    /// Share of the small things (pictures, plants, toys, things on shelves) that is placed, 0 to 1; default 1.
    pub clutter: f32,
    /// Share of the flats that are seen in the evening, lit by their lamps alone, 0 to 1; default 0.25.
    pub evening: f32,
    /// Strength of the baked light, 0 (flat textures) to 1; default 1.
    pub shading: f32,
    /// Rays a vertex for ambient occlusion, 8 to 256; default 24.
    pub ambient_rays: u32,
    /// Largest distance between neighbouring vertices of walls, floors and ceilings, metres, 0.1 to 1; default 0.3.
    pub mesh_cell_m: f32,
    /// Side of the largest textures in pixels, a power of two from 256 to 2048; default 1024.
    pub texture_px: u32,
}

impl Default for ProceduralConfig {
    fn default() -> Self {
        Self {
            width_m: [13.0, 15.0],
            depth_m: [10.0, 11.5],
            rooms: [5, 6],
            ceiling_m: [2.55, 2.8],
            door_width_m: 0.96,
            door_height_m: 2.08,
            stairs: 0.3,
            furniture: 1.0,
            clutter: 1.0,
            evening: 0.25,
            shading: 1.0,
            ambient_rays: 24,
            mesh_cell_m: 0.3,
            texture_px: 1024,
        }
    }
}

impl ProceduralConfig {
    /// Checks every field; the message names the field, its value and what is allowed.
    ///
    /// # Errors
    /// The first field that is out of range.
    pub fn validate(&self) -> Result<(), String> {
        let interval = |name: &str, value: [f32; 2], low: f32, high: f32| {
            if value[0] >= low && value[0] <= value[1] && value[1] <= high {
                Ok(())
            } else {
                Err(format!(
                    "{name} = {value:?}: two rising numbers from {low} to {high} are allowed"
                ))
            }
        };
        let number = |name: &str, value: f32, low: f32, high: f32| {
            if value >= low && value <= high {
                Ok(())
            } else {
                Err(format!("{name} = {value}: {low} to {high} is allowed"))
            }
        };
        interval("width_m", self.width_m, 9.0, 30.0)?;
        interval("depth_m", self.depth_m, 7.0, 30.0)?;
        interval("ceiling_m", self.ceiling_m, 2.4, 4.0)?;
        number("door_width_m", self.door_width_m, 0.9, 1.4)?;
        number("door_height_m", self.door_height_m, 2.0, 2.3)?;
        for (name, share) in [
            ("stairs", self.stairs),
            ("furniture", self.furniture),
            ("clutter", self.clutter),
            ("evening", self.evening),
        ] {
            number(name, share, 0.0, 1.0)?;
        }
        number("shading", self.shading, 0.0, 1.0)?;
        number("mesh_cell_m", self.mesh_cell_m, 0.1, 1.0)?;
        if self.rooms[0] < 2 || self.rooms[0] > self.rooms[1] || self.rooms[1] > 12 {
            return Err(format!(
                "rooms = {:?}: two rising numbers from 2 to 12 are allowed",
                self.rooms
            ));
        }
        if !(8..=256).contains(&self.ambient_rays) {
            return Err(format!("ambient_rays = {}: 8 to 256 is allowed", self.ambient_rays));
        }
        if !self.texture_px.is_power_of_two() || !(256..=2048).contains(&self.texture_px) {
            return Err(format!(
                "texture_px = {}: 256, 512, 1024 and 2048 are allowed",
                self.texture_px
            ));
        }
        Ok(())
    }
}
