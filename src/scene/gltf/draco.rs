//! KHR_draco_mesh_compression: a primitive's triangles and attributes in one Draco stream.

use std::collections::BTreeMap;

use draco_core::{DecodeLimits, DecoderBuffer, Mesh, MeshDecoder};

use super::accessor::{Accessors, unit};
use super::json::{Accessor, DracoJson, Text};
use crate::contain::contained;

/// A decoded stream.
pub(super) struct Draco<'a> {
    mesh: Mesh,
    ids: &'a BTreeMap<Text<'a>, u32>,
}

impl<'a> Draco<'a> {
    /// Decodes the stream, which must hold as many vertices and corners as the primitive's accessors say: those were
    /// held against the limits. Errors are sentences.
    pub(super) fn open(
        json: &'a DracoJson<'a>,
        accessors: &Accessors<'_>,
        vertices: usize,
        corners: usize,
    ) -> Result<Self, String> {
        let bytes = accessors.buffers.view(accessors.root, json.buffer_view)?;
        // Sixty-four floats a vertex are more than any set of attributes has.
        let limits = DecodeLimits::default()
            .with_max_points(vertices as u64)
            .with_max_faces(corners as u64 / 3)
            .with_max_decoded_bytes(vertices as u64 * 256 + (1 << 16));
        // The decoder is young and reads untrusted bytes: a panic in it is a broken stream.
        let decoded = contained(|| {
            let mut mesh = Mesh::new();
            let mut buffer = DecoderBuffer::new(bytes).with_limits(limits);
            MeshDecoder::new().decode(&mut buffer, &mut mesh).map(|()| mesh)
        });
        let mesh = decoded
            .map_err(|_| "a Draco stream is broken".to_owned())?
            .map_err(|e| format!("a Draco stream is broken ({e})"))?;
        if mesh.num_points() != vertices || mesh.num_faces() * 3 != corners {
            return Err(format!(
                "a Draco stream holds {} vertices and {} corners where its accessors say {vertices} and {corners}",
                mesh.num_points(),
                mesh.num_faces() * 3
            ));
        }
        Ok(Self {
            mesh,
            ids: &json.attributes,
        })
    }

    /// The triangle list.
    pub(super) fn indices(&self) -> Vec<u32> {
        self.mesh.faces().iter().flatten().map(|point| point.0).collect()
    }

    /// An attribute by its glTF name, or `None` when it is not in the stream.
    pub(super) fn vectors<const N: usize>(
        &self,
        name: &str,
        accessor: &Accessor,
        fill: [f32; N],
    ) -> Option<Vec<[f32; N]>> {
        let attribute = self.mesh.attribute_by_unique_id(*self.ids.get(name)?)?;
        let components = usize::from(attribute.num_components()).min(N);
        let values = attribute.read_f32s(self.mesh.num_points(), components);
        let largest = if accessor.normalized {
            unit(accessor.component_type)
        } else {
            1.0
        };
        let mut out = vec![fill; self.mesh.num_points()];
        for (element, read) in out.iter_mut().zip(values.chunks_exact(components.max(1))) {
            for (slot, value) in element.iter_mut().zip(read) {
                *slot = (value / largest).max(if accessor.normalized { -1.0 } else { f32::MIN });
            }
        }
        Some(out)
    }
}
