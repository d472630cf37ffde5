//! Accessors: typed views of the bytes, strided, normalised, sparse (Khronos glTF 2.0, section 3.6.2).

use super::buffers::Buffers;
use super::json::{Accessor, AccessorKind, Root};

const I8: u32 = 5120;
const U8: u32 = 5121;
const I16: u32 = 5122;
const U16: u32 = 5123;
const U32: u32 = 5125;
const F32: u32 = 5126;

/// Reads accessors of one file. Errors are sentences without the path.
pub(super) struct Accessors<'a> {
    pub(super) root: &'a Root<'a>,
    pub(super) buffers: &'a Buffers<'a>,
}

impl Accessors<'_> {
    /// Looks an accessor up.
    pub(super) fn get(&self, index: usize) -> Result<&Accessor, String> {
        self.root
            .accessors
            .get(index)
            .ok_or_else(|| format!("accessor {index} is named but there are {}", self.root.accessors.len()))
    }

    /// Vectors as floats, whatever they are stored as. Components that the accessor does not have keep their value
    /// in `fill`; `allowed` lists how many components it may have.
    pub(super) fn vectors<const N: usize>(
        &self,
        index: usize,
        fill: [f32; N],
        allowed: &[usize],
    ) -> Result<Vec<[f32; N]>, String> {
        let accessor = self.get(index)?;
        let components = components(accessor.kind);
        if !allowed.contains(&components) {
            return Err(format!(
                "accessor {index} has {components} components where {allowed:?} are expected"
            ));
        }
        let mut out = vec![fill; accessor.count];
        // An accessor without a view is all zeros.
        for element in &mut out {
            element[..components].fill(0.0);
        }
        let normalized = accessor.normalized;
        self.for_each(index, accessor, components, &mut |at, component, bytes| {
            out[at][component] = to_float(accessor.component_type, normalized, bytes);
        })?;
        Ok(out)
    }

    /// Whole numbers: indices.
    pub(super) fn indices(&self, index: usize) -> Result<Vec<u32>, String> {
        let accessor = self.get(index)?;
        if accessor.kind != AccessorKind::Scalar || !matches!(accessor.component_type, U8 | U16 | U32) {
            return Err(format!(
                "accessor {index} holds indices but is not of unsigned whole numbers"
            ));
        }
        let mut out = vec![0u32; accessor.count];
        self.for_each(index, accessor, 1, &mut |at, _, bytes| {
            out[at] = to_index(accessor.component_type, bytes);
        })?;
        Ok(out)
    }

    /// Calls `set(element, component, bytes)` for what the view holds, then for the sparse replacements.
    fn for_each(
        &self,
        index: usize,
        accessor: &Accessor,
        components: usize,
        set: &mut impl FnMut(usize, usize, &[u8]),
    ) -> Result<(), String> {
        let size = component_size(accessor.component_type).ok_or_else(|| {
            format!(
                "accessor {index} has the unknown component type {}",
                accessor.component_type
            )
        })?;
        if let Some(view) = accessor.buffer_view {
            let stride = self.root.buffer_views.get(view).and_then(|v| v.byte_stride);
            let elements = self.strided(view, accessor.byte_offset, stride, size * components, accessor.count)?;
            for (at, element) in elements.enumerate() {
                for (component, bytes) in element.chunks_exact(size).enumerate() {
                    set(at, component, bytes);
                }
            }
        }
        let Some(sparse) = &accessor.sparse else {
            return Ok(());
        };
        let kind = sparse.indices.component_type.unwrap_or(0);
        let index_size = match kind {
            U8 | U16 | U32 => component_size(kind).unwrap_or(4),
            _ => {
                return Err(format!(
                    "accessor {index} has sparse indices of the component type {kind}"
                ));
            }
        };
        let (places, values) = (&sparse.indices, &sparse.values);
        let places = self.strided(places.buffer_view, places.byte_offset, None, index_size, sparse.count)?;
        let values = self.strided(
            values.buffer_view,
            values.byte_offset,
            None,
            size * components,
            sparse.count,
        )?;
        for (place, element) in places.zip(values) {
            let at = to_index(kind, place) as usize;
            if at >= accessor.count {
                return Err(format!("accessor {index} replaces element {at} of {}", accessor.count));
            }
            for (component, bytes) in element.chunks_exact(size).enumerate() {
                set(at, component, bytes);
            }
        }
        Ok(())
    }

    /// `count` elements of `size` bytes each in a view, checked to lie inside.
    fn strided(
        &self,
        view: usize,
        offset: usize,
        stride: Option<usize>,
        size: usize,
        count: usize,
    ) -> Result<impl Iterator<Item = &[u8]>, String> {
        let bytes = self.buffers.view(self.root, view)?;
        let stride = stride.filter(|&s| s > 0).unwrap_or(size);
        if stride < size {
            return Err(format!(
                "buffer view {view} has a stride of {stride} for elements of {size} bytes"
            ));
        }
        let needed = match count {
            0 => Some(0),
            _ => (count - 1)
                .checked_mul(stride)
                .and_then(|b| b.checked_add(size))
                .and_then(|b| b.checked_add(offset)),
        };
        if needed.is_none_or(|needed| needed > bytes.len()) {
            return Err(format!(
                "an accessor wants {count} elements of {size} bytes from byte {offset} of buffer view {view}, \
                 which has {} bytes",
                bytes.len()
            ));
        }
        Ok((0..count).map(move |i| &bytes[offset + i * stride..][..size]))
    }
}

fn components(kind: AccessorKind) -> usize {
    match kind {
        AccessorKind::Scalar => 1,
        AccessorKind::Vec2 => 2,
        AccessorKind::Vec3 => 3,
        AccessorKind::Vec4 | AccessorKind::Mat2 => 4,
        AccessorKind::Mat3 => 9,
        AccessorKind::Mat4 => 16,
    }
}

fn component_size(component_type: u32) -> Option<usize> {
    match component_type {
        I8 | U8 => Some(1),
        I16 | U16 => Some(2),
        U32 | F32 => Some(4),
        _ => None,
    }
}

fn to_index(component_type: u32, bytes: &[u8]) -> u32 {
    match (component_type, bytes) {
        (U8, &[a]) => a.into(),
        (U16, &[a, b]) => u16::from_le_bytes([a, b]).into(),
        (U32, &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}

/// What stands for 1.0 in a normalised component.
pub(super) fn unit(component_type: u32) -> f32 {
    match component_type {
        I8 => 127.0,
        U8 => 255.0,
        I16 => 32_767.0,
        U16 => 65_535.0,
        U32 => u32::MAX as f32,
        _ => 1.0,
    }
}

fn to_float(component_type: u32, normalized: bool, bytes: &[u8]) -> f32 {
    let value = match (component_type, bytes) {
        (F32, &[a, b, c, d]) => return f32::from_le_bytes([a, b, c, d]),
        (U32, &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]) as f32,
        (U16, &[a, b]) => u16::from_le_bytes([a, b]).into(),
        (I16, &[a, b]) => i16::from_le_bytes([a, b]).into(),
        (U8, &[a]) => a.into(),
        (I8, &[a]) => (a as i8).into(),
        _ => 0.0,
    };
    if normalized {
        (value / unit(component_type)).max(-1.0)
    } else {
        value
    }
}
