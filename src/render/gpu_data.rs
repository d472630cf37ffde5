//! Host mirrors of the structs in `shaders/`, same names, same fields, same order.
//!
//! A test in this file parses the WGSL and compares sizes, offsets and names.

use bytemuck::{Pod, Zeroable};

/// `shaders/mesh.wgsl`.
pub const MESH_WGSL: &str = include_str!("../../shaders/mesh.wgsl");

/// `shaders/gray.wgsl`.
pub const GRAY_WGSL: &str = include_str!("../../shaders/gray.wgsl");
/// `shaders/tensor.wgsl`.
pub const TENSOR_WGSL: &str = include_str!("../../shaders/tensor.wgsl");

/// One camera; see the WGSL for the meaning of the rows.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct ViewUniforms {
    pub row_x: [f32; 3],
    pub near_m: f32,
    pub row_y: [f32; 3],
    pub pad_y: f32,
    pub row_w: [f32; 3],
    pub pad_w: f32,
    pub eye: [f32; 3],
    pub far_m: f32,
}

/// One material.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct MaterialUniforms {
    pub alpha_cutoff: f32,
    pub pad_a: f32,
    pub pad_b: f32,
    pub pad_c: f32,
}

/// One vertex: what every pipeline reads.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Vertex {
    /// Metres, relative to the scene's origin.
    pub position: [f32; 3],
    /// Origin at the top left of the image.
    pub uv: [f32; 2],
    /// RGBA as 16-bit fractions: factor times vertex colour.
    pub color: [u16; 4],
}

#[cfg(test)]
mod tests {
    use super::super::gray::GrayWindow;
    use super::super::tensor::TensorWindow;
    use super::*;
    use std::mem::{offset_of, size_of};

    /// Name, span and `(field, offset)` of a struct of the shader.
    fn layout_in_wgsl(source: &str, name: &str) -> (u32, Vec<(String, u32)>) {
        let module = naga::front::wgsl::parse_str(source).expect("the shader parses");
        let found = module.types.iter().find(|(_, t)| t.name.as_deref() == Some(name));
        match found.map(|(_, t)| &t.inner) {
            Some(naga::TypeInner::Struct { members, span }) => (
                *span,
                members
                    .iter()
                    .map(|m| (m.name.clone().unwrap_or_default(), m.offset))
                    .collect(),
            ),
            _ => panic!("{name} is not a struct of the shader"),
        }
    }

    macro_rules! assert_mirrored {
        ($source:ident, $host:ident { $($field:ident),* }) => {
            let (span, members) = layout_in_wgsl($source, stringify!($host));
            let host = vec![$((stringify!($field).to_owned(), offset_of!($host, $field) as u32)),*];
            assert_eq!(span as usize, size_of::<$host>(), "size of {}", stringify!($host));
            assert_eq!(members, host, "fields of {}", stringify!($host));
        };
    }

    #[test]
    fn host_structs_mirror_the_shader() {
        assert_mirrored!(
            MESH_WGSL,
            ViewUniforms {
                row_x,
                near_m,
                row_y,
                pad_y,
                row_w,
                pad_w,
                eye,
                far_m
            }
        );
        assert_mirrored!(
            MESH_WGSL,
            MaterialUniforms {
                alpha_cutoff,
                pad_a,
                pad_b,
                pad_c
            }
        );
        assert_mirrored!(
            GRAY_WGSL,
            GrayWindow {
                left,
                top,
                size,
                row_words,
                layer_words,
                pad_a,
                pad_b,
                pad_c
            }
        );
        assert_mirrored!(
            TENSOR_WGSL,
            TensorWindow {
                first_word,
                row_words,
                left,
                top,
                side,
                image,
                pad_a,
                pad_b
            }
        );
    }
}
