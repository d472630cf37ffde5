//! Habitat's `.navmesh` files: versions 1 and 2 in, version 2 out.
//!
//! Little endian: magic "TESM", version, tile count, `dtNavMeshParams` (28 bytes), in version 2 the
//! settings (13 floats and 4 flags), then per tile its reference, its size and Detour's bytes.

use std::path::Path;

use navmesh_rs::detour;

use super::mesh::tiles;
use super::tile_bytes::{Bytes, tile_bytes};
use super::{NavMesh, NavMeshConfig, NavMeshError};

const MAGIC: [u8; 4] = *b"TESM";
/// Largest file that is read, bytes; the largest navmeshes of HM3D have a few megabytes.
const MAX_FILE_BYTES: u64 = 1 << 30;
/// Most tile slots that a file may ask for: each takes memory whether it is used or not.
const MAX_TILES: i32 = 1 << 16;

impl NavMesh {
    /// Reads a Habitat `.navmesh` file, version 1 or 2.
    ///
    /// Every index and count is checked, so a broken file is an error and never a wrong read. A
    /// version 1 file does not say how it was built: its settings read as Habitat's defaults.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, NavMeshError> {
        let path = path.as_ref();
        let read = |reason| NavMeshError::Read {
            path: path.to_owned(),
            reason,
        };
        let format = |reason: String| NavMeshError::Format {
            path: path.to_owned(),
            reason,
        };
        let size = std::fs::metadata(path).map_err(read)?.len();
        if size > MAX_FILE_BYTES {
            return Err(format(format!("{size} bytes, at most {MAX_FILE_BYTES} are read")));
        }
        Self::from_bytes(&std::fs::read(path).map_err(read)?).map_err(format)
    }

    /// Reads the bytes of a `.navmesh` file; the error says what is wrong with them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let mut reader = Reader { bytes, at: 0 };
        if reader.take(4)? != MAGIC {
            return Err("it does not begin with the magic TESM".into());
        }
        let version = reader.i32()?;
        if !(1..=2).contains(&version) {
            return Err(format!("version {version}, known are 1 and 2"));
        }
        let tile_count = reader.i32()?;
        let params = detour::NavMeshParams {
            orig: [reader.f32()?, reader.f32()?, reader.f32()?],
            tile_width: reader.f32()?,
            tile_height: reader.f32()?,
            max_tiles: reader.i32()?,
            max_polys: reader.i32()?,
        };
        if params.max_tiles > MAX_TILES || tile_count < 0 || tile_count > params.max_tiles {
            return Err(format!(
                "{tile_count} tiles in {} slots, at most {MAX_TILES} are read",
                params.max_tiles
            ));
        }
        let config = if version == 2 {
            reader.settings()?
        } else {
            NavMeshConfig::default()
        };
        let mut mesh = detour::NavMesh::new(&params).map_err(|e| e.to_string())?;
        for number in 0..tile_count {
            let (reference, size) = (reader.u32()?, reader.i32()?);
            if reference == 0 || size == 0 {
                break;
            }
            let data = reader.take(usize::try_from(size).map_err(|_| format!("tile {number} has size {size}"))?)?;
            mesh.restore_tile(data.to_vec(), reference)
                .map_err(|e| format!("tile {number}: {e}"))?;
        }
        Ok(Self::from_detour(mesh, config, None))
    }

    /// The bytes of a version 2 file, as habitat-sim writes them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Bytes::default();
        let params = self.detour.params();
        out.u8(&MAGIC);
        out.i32(&[2, self.tile_count() as i32]);
        out.f32(&params.orig);
        out.f32(&[params.tile_width, params.tile_height]);
        out.i32(&[params.max_tiles, params.max_polys]);
        let c = self.config();
        let settings = [
            c.cell_size_m,
            c.cell_height_m,
            c.agent_height_m,
            c.agent_radius_m,
            c.agent_max_climb_m,
            c.agent_max_slope_deg,
            c.region_min_size_cells,
            c.region_merge_size_cells,
            c.edge_max_len_m,
            c.edge_max_error_cells,
            f64::from(c.verts_per_poly),
            c.detail_sample_dist_cells,
            c.detail_sample_max_error_cells,
        ];
        out.f32(&settings.map(|v| v as f32));
        out.u8(&[
            c.filter_low_hanging_obstacles.into(),
            c.filter_ledge_spans.into(),
            c.filter_walkable_low_height_spans.into(),
            0,
        ]);
        for (slot, tile) in tiles(&self.detour) {
            let data = tile_bytes(tile);
            out.u32(&[self.detour.tile_ref(slot)]);
            out.i32(&[data.len() as i32]);
            out.u8(&data);
        }
        out.0
    }

    /// Writes a version 2 `.navmesh` file: to a temporary name first, then renamed.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), NavMeshError> {
        let path = path.as_ref();
        let write = |reason| NavMeshError::Write {
            path: path.to_owned(),
            reason,
        };
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        std::fs::write(&partial, self.to_bytes()).map_err(write)?;
        std::fs::rename(&partial, path).map_err(write)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            return Err(format!(
                "truncated: {count} bytes wanted at offset {}, the file has {}",
                self.at,
                self.bytes.len()
            ));
        };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn i32(&mut self) -> Result<i32, String> {
        Ok(self.u32()? as i32)
    }

    fn f32(&mut self) -> Result<f32, String> {
        Ok(f32::from_bits(self.u32()?))
    }

    /// A 32-bit setting as the decimal that it was meant to be (0.05, not 0.05000000074505806).
    fn setting(&mut self) -> Result<f64, String> {
        let value = self.f32()?;
        if !value.is_finite() {
            return Err(format!("a build setting is {value}"));
        }
        value.to_string().parse().map_err(|e| format!("a build setting: {e}"))
    }

    fn settings(&mut self) -> Result<NavMeshConfig, String> {
        let config = NavMeshConfig {
            cell_size_m: self.setting()?,
            cell_height_m: self.setting()?,
            agent_height_m: self.setting()?,
            agent_radius_m: self.setting()?,
            agent_max_climb_m: self.setting()?,
            agent_max_slope_deg: self.setting()?,
            region_min_size_cells: self.setting()?,
            region_merge_size_cells: self.setting()?,
            edge_max_len_m: self.setting()?,
            edge_max_error_cells: self.setting()?,
            verts_per_poly: self.setting()? as u32,
            detail_sample_dist_cells: self.setting()?,
            detail_sample_max_error_cells: self.setting()?,
            ..Default::default()
        };
        // The fourth is `includeStaticObjects`, or padding in files of older writers.
        let flags = self.take(4)?;
        Ok(NavMeshConfig {
            filter_low_hanging_obstacles: flags[0] != 0,
            filter_ledge_spans: flags[1] != 0,
            filter_walkable_low_height_spans: flags[2] != 0,
            ..config
        })
    }
}
