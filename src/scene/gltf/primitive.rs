//! One glTF primitive at one place becomes one primitive of the scene.

use glam::{Affine3A, Vec3};

use super::accessor::Accessors;
use super::draco::Draco;
use super::json::{PrimitiveJson, TextureInfo};
use crate::scene::model::Primitive;

const TRIANGLES: u32 = 4;
const TRIANGLE_STRIP: u32 = 5;
const TRIANGLE_FAN: u32 = 6;

/// A primitive that is to be read, with what it costs.
pub(super) struct Plan<'a> {
    json: &'a PrimitiveJson<'a>,
    positions: usize,
    mode: u32,
    corners: usize,
    /// Vertices that it holds.
    pub(super) vertices: usize,
    /// Triangles that it makes.
    pub(super) triangles: usize,
}

/// Looks a primitive over without reading it; `Ok(None)` for points, lines and what has no positions.
pub(super) fn plan<'a>(json: &'a PrimitiveJson<'a>, accessors: &Accessors<'_>) -> Result<Option<Plan<'a>>, String> {
    let mode = json.mode.unwrap_or(TRIANGLES);
    if mode > TRIANGLE_FAN {
        return Err(format!("a primitive has the unknown mode {mode}"));
    }
    let Some(&positions) = json.attributes.get("POSITION") else {
        return Ok(None);
    };
    if mode < TRIANGLES {
        return Ok(None);
    }
    let vertices = accessors.get(positions)?.count;
    let corners = match json.indices {
        Some(indices) => accessors.get(indices)?.count,
        None => vertices,
    };
    let triangles = match mode {
        TRIANGLES => corners / 3,
        _ => corners.saturating_sub(2),
    };
    Ok(Some(Plan {
        json,
        positions,
        mode,
        corners,
        vertices,
        triangles,
    }))
}

impl Plan<'_> {
    /// Reads it into world coordinates. `texture` is the base colour texture's reference, whose transform is applied
    /// to the coordinates.
    pub(super) fn read(
        &self,
        accessors: &Accessors<'_>,
        texture: Option<&TextureInfo>,
        world_from_mesh: Affine3A,
    ) -> Result<Primitive, String> {
        let source = Source {
            accessors,
            draco: match &self.json.extensions.draco {
                Some(json) => Some(Draco::open(json, accessors, self.vertices, self.corners)?),
                None => None,
            },
        };
        let positions: Vec<[f32; 3]> = source
            .vectors("POSITION", self.positions, [0.0; 3], &[3])?
            .into_iter()
            .map(|p| world_from_mesh.transform_point3(Vec3::from(p)).into())
            .collect();
        let mut indices = match (&source.draco, self.json.indices) {
            (Some(draco), _) => draco.indices(),
            (None, Some(indices)) => triangle_list(self.mode, accessors.indices(indices)?),
            (None, None) => triangle_list(self.mode, (0..self.vertices as u32).collect()),
        };
        // A mirrored placement turns the triangles inside out.
        if world_from_mesh.matrix3.determinant() < 0.0 {
            for triangle in indices.chunks_exact_mut(3) {
                triangle.swap(1, 2);
            }
        }
        let mut primitive = Primitive {
            positions,
            indices,
            ..Primitive::default()
        };
        if let Some(info) = texture {
            let transform = info.extensions.transform.as_ref();
            let set = transform.and_then(|t| t.tex_coord).unwrap_or(info.tex_coord);
            let name = format!("TEXCOORD_{set}");
            if let Some(uvs) = self.attribute(&name, accessors)? {
                primitive.uvs = source.vectors(&name, uvs, [0.0; 2], &[2])?;
            }
            if let Some(t) = transform {
                let (sin, cos) = t.rotation.sin_cos();
                for uv in &mut primitive.uvs {
                    let (u, v) = (uv[0] * t.scale[0], uv[1] * t.scale[1]);
                    *uv = [cos * u + sin * v + t.offset[0], -sin * u + cos * v + t.offset[1]];
                }
            }
        }
        if let Some(colors) = self.attribute("COLOR_0", accessors)? {
            primitive.colors = source.vectors("COLOR_0", colors, [1.0; 4], &[3, 4])?;
        }
        Ok(primitive)
    }

    /// The accessor of an attribute, which must have an entry for each vertex.
    fn attribute(&self, name: &str, accessors: &Accessors<'_>) -> Result<Option<usize>, String> {
        let Some(&accessor) = self.json.attributes.get(name) else {
            return Ok(None);
        };
        let count = accessors.get(accessor)?.count;
        if count != self.vertices {
            return Err(format!(
                "a primitive has {} vertices but {count} of {name}",
                self.vertices
            ));
        }
        Ok(Some(accessor))
    }
}

/// Where attributes come from: the Draco stream where there is one and it has them, else the accessors.
struct Source<'a> {
    accessors: &'a Accessors<'a>,
    draco: Option<Draco<'a>>,
}

impl Source<'_> {
    fn vectors<const N: usize>(
        &self,
        name: &str,
        accessor: usize,
        fill: [f32; N],
        allowed: &[usize],
    ) -> Result<Vec<[f32; N]>, String> {
        let unpacked = match &self.draco {
            Some(draco) => draco.vectors(name, self.accessors.get(accessor)?, fill),
            None => None,
        };
        match unpacked {
            Some(values) => Ok(values),
            None => self.accessors.vectors(accessor, fill, allowed),
        }
    }
}

/// Strips and fans as a list, wound as glTF 2.0 says (section 3.7.2.1).
fn triangle_list(mode: u32, mut corners: Vec<u32>) -> Vec<u32> {
    match mode {
        TRIANGLE_STRIP => corners
            .windows(3)
            .enumerate()
            .flat_map(|(i, w)| [w[0], w[1 + i % 2], w[2 - i % 2]])
            .collect(),
        TRIANGLE_FAN => match corners.split_first() {
            Some((&hub, rim)) => rim.windows(2).flat_map(|w| [w[0], w[1], hub]).collect(),
            None => Vec::new(),
        },
        _ => {
            corners.truncate(corners.len() / 3 * 3);
            corners
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_and_fans_keep_their_winding() {
        assert_eq!(triangle_list(TRIANGLE_STRIP, vec![0, 1, 2, 3]), [0, 1, 2, 1, 3, 2]);
        assert_eq!(triangle_list(TRIANGLE_FAN, vec![0, 1, 2, 3]), [1, 2, 0, 2, 3, 0]);
        assert_eq!(triangle_list(TRIANGLES, vec![0, 1, 2, 3]), [0, 1, 2]);
        assert!(triangle_list(TRIANGLE_FAN, vec![]).is_empty());
        assert!(triangle_list(TRIANGLE_STRIP, vec![0, 1]).is_empty());
    }
}
