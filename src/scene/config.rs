//! How a scene is to be read.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a scene file is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SceneConfig {
    /// Which axis of the file points up: `auto`, `y` or `z`. Default `auto`.
    pub up: Up,
    /// Whether a Habitat `.navmesh` of the same stem beside the file is used instead of building one. Default true.
    pub use_navmesh_file: bool,
    /// What a file may cost.
    pub limits: Limits,
}

impl Default for SceneConfig {
    fn default() -> Self {
        Self {
            up: Up::default(),
            use_navmesh_file: true,
            limits: Limits::default(),
        }
    }
}

/// Which axis of the file points up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Up {
    /// Z for files that show that they are Habitat stages, which are Z up unless a config says otherwise
    /// (`reference/habitat.md` 3.2): `X.basis.glb`, or `X.stage_config.json` or `X.navmesh` beside `X.glb`. An `up` in
    /// the stage config is believed, and a navmesh that starts where the file as it is does, and the turned one does
    /// not, shows that the file is Y up. Z too for a Replica scan (`mesh.ply` beside a `habitat` folder) and a ScanNet
    /// scan (`*_vh_clean*.ply`). Y for everything else, as glTF says.
    #[default]
    Auto,
    /// +Y, as glTF says: positions are taken as they are.
    Y,
    /// +Z with +Y in front, as Habitat takes a stage without a config: (x, y, z) becomes (x, z, -y).
    Z,
}

impl FromStr for Up {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "y" | "Y" => Ok(Self::Y),
            "z" | "Z" => Ok(Self::Z),
            _ => Err(format!("up = {text:?}: expected auto, y or z")),
        }
    }
}

/// What a scene file may cost. A file that would pass a limit is refused before the memory is taken.
///
/// With the defaults a scene holds at most 1.7 GB of geometry and 4 GiB of pixels, whatever the file says; while it is
/// read, add the files themselves, as much geometry again, 2 GiB for the decoders of pictures, and under 1 GB for the
/// JSON of a glTF file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of the file and all the files that it refers to, together. 1 or more. Default 4 GiB.
    pub max_file_bytes: u64,
    /// Triangles in the scene, instances counted each time. 1 or more. Default 20,000,000.
    pub max_triangles: u64,
    /// Vertices in the scene, instances counted each time. 3 or more. Default 40,000,000.
    pub max_vertices: u64,
    /// Nodes that are placed. 1 or more. Default 1,000,000.
    pub max_nodes: u64,
    /// Pixels across or down of any texture. 1 to 65,535. Default 16,384.
    pub max_texture_side: u32,
    /// Pixels of all textures together (4 bytes each). 1 or more. Default 2^30.
    pub max_texture_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_file_bytes: 4 << 30,
            max_triangles: 20_000_000,
            max_vertices: 40_000_000,
            max_nodes: 1_000_000,
            max_texture_side: 16_384,
            max_texture_pixels: 1 << 30,
        }
    }
}

impl SceneConfig {
    /// Checks the ranges; the message names the field, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        let limits = &self.limits;
        for (name, value, least) in [
            ("max_file_bytes", limits.max_file_bytes, 1),
            ("max_triangles", limits.max_triangles, 1),
            ("max_vertices", limits.max_vertices, 3),
            ("max_nodes", limits.max_nodes, 1),
            ("max_texture_pixels", limits.max_texture_pixels, 1),
        ] {
            if value < least {
                return Err(format!("limits.{name} = {value}: must be at least {least}"));
            }
        }
        if !(1..=65_535).contains(&limits.max_texture_side) {
            return Err(format!(
                "limits.max_texture_side = {}: must be from 1 to 65535",
                limits.max_texture_side
            ));
        }
        // Indices are 32 bits.
        if limits.max_vertices > u64::from(u32::MAX) {
            return Err(format!(
                "limits.max_vertices = {}: must be at most {}",
                limits.max_vertices,
                u32::MAX
            ));
        }
        Ok(())
    }
}
