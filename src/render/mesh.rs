//! Pipelines of `shaders/mesh.wgsl`: one for each way of shading, alpha and culling.

use std::mem::offset_of;

use super::gpu_data::{MESH_WGSL, MaterialUniforms, Vertex, ViewUniforms};

/// Colour target: bytes as they are.
pub(super) const COLOR: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
/// Depth target: reverse-Z keeps its 24 bits of fraction at every distance.
pub(super) const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

/// Where a triangle's colour comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Shading {
    /// One colour a primitive.
    Flat,
    /// Vertex colours.
    Smooth,
    /// A texture alone.
    Textured,
    /// A texture times a colour.
    Tinted,
}

/// How a fragment meets what is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Coverage {
    /// Replaces it.
    Opaque,
    /// Replaces it where alpha reaches the cutoff.
    Masked,
    /// Laid over it, without depth.
    Blended,
}

/// Bind group layouts that scenes and pipelines share.
#[derive(Debug)]
pub(super) struct Layouts {
    pub view: wgpu::BindGroupLayout,
    pub material: wgpu::BindGroupLayout,
}

impl Layouts {
    pub fn new(device: &wgpu::Device) -> Self {
        let uniform = |has_dynamic_offset, size: usize| wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset,
            min_binding_size: wgpu::BufferSize::new(size as u64),
        };
        let entry = |binding, visibility, ty| wgpu::BindGroupLayoutEntry {
            binding,
            visibility,
            ty,
            count: None,
        };
        let fragment = wgpu::ShaderStages::FRAGMENT;
        Self {
            view: device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("view"),
                entries: &[entry(
                    0,
                    wgpu::ShaderStages::VERTEX,
                    uniform(true, size_of::<ViewUniforms>()),
                )],
            }),
            material: device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("material"),
                entries: &[
                    entry(0, fragment, uniform(false, size_of::<MaterialUniforms>())),
                    entry(
                        1,
                        fragment,
                        wgpu::BindingType::Texture {
                            sample_type: wgpu::TextureSampleType::Float { filterable: true },
                            view_dimension: wgpu::TextureViewDimension::D2,
                            multisampled: false,
                        },
                    ),
                    entry(
                        2,
                        fragment,
                        wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering),
                    ),
                ],
            }),
        }
    }
}

/// The pipelines by shading, coverage and culling.
#[derive(Debug)]
pub(super) struct Pipelines {
    made: Vec<wgpu::RenderPipeline>,
}

const SHADINGS: [Shading; 4] = [Shading::Flat, Shading::Smooth, Shading::Textured, Shading::Tinted];
const COVERAGES: [Coverage; 3] = [Coverage::Opaque, Coverage::Masked, Coverage::Blended];

impl Pipelines {
    /// Builds all of them; drivers compile each when it is first used.
    pub fn new(device: &wgpu::Device, layouts: &Layouts) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("mesh.wgsl"),
            source: wgpu::ShaderSource::Wgsl(MESH_WGSL.into()),
        });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("mesh"),
            bind_group_layouts: &[Some(&layouts.view), Some(&layouts.material)],
            immediate_size: 0,
        });
        let mut made = Vec::with_capacity(SHADINGS.len() * COVERAGES.len() * 2);
        for shading in SHADINGS {
            for coverage in COVERAGES {
                for cull in [false, true] {
                    made.push(pipeline(device, &module, &layout, shading, coverage, cull));
                }
            }
        }
        Self { made }
    }

    pub fn get(&self, shading: Shading, coverage: Coverage, cull: bool) -> &wgpu::RenderPipeline {
        &self.made[(shading as usize * COVERAGES.len() + coverage as usize) * 2 + usize::from(cull)]
    }
}

fn pipeline(
    device: &wgpu::Device,
    module: &wgpu::ShaderModule,
    layout: &wgpu::PipelineLayout,
    shading: Shading,
    coverage: Coverage,
    cull: bool,
) -> wgpu::RenderPipeline {
    const POSITION: wgpu::VertexAttribute = attribute(wgpu::VertexFormat::Float32x3, offset_of!(Vertex, position), 0);
    const UV: wgpu::VertexAttribute = attribute(wgpu::VertexFormat::Float32x2, offset_of!(Vertex, uv), 1);
    const TINT: wgpu::VertexAttribute = attribute(wgpu::VertexFormat::Unorm16x4, offset_of!(Vertex, color), 2);
    let (vertex, fragment, attributes): (&str, &str, &[wgpu::VertexAttribute]) = match (coverage, shading) {
        (Coverage::Masked, _) => ("vs_tinted", "fs_masked", &[POSITION, UV, TINT]),
        (_, Shading::Flat) => ("vs_flat", "fs_flat", &[POSITION, TINT]),
        (_, Shading::Smooth) => ("vs_smooth", "fs_smooth", &[POSITION, TINT]),
        (_, Shading::Textured) => ("vs_textured", "fs_textured", &[POSITION, UV]),
        (_, Shading::Tinted) => ("vs_tinted", "fs_tinted", &[POSITION, UV, TINT]),
    };
    let blended = coverage == Coverage::Blended;
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(fragment),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some(vertex),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[Some(wgpu::VertexBufferLayout {
                array_stride: size_of::<Vertex>() as u64,
                step_mode: wgpu::VertexStepMode::Vertex,
                attributes,
            })],
        },
        primitive: wgpu::PrimitiveState {
            topology: wgpu::PrimitiveTopology::TriangleList,
            front_face: wgpu::FrontFace::Ccw,
            cull_mode: cull.then_some(wgpu::Face::Back),
            ..wgpu::PrimitiveState::default()
        },
        depth_stencil: Some(wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(!blended),
            depth_compare: Some(wgpu::CompareFunction::Greater),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        }),
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some(fragment),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(wgpu::ColorTargetState {
                format: COLOR,
                blend: blended.then_some(wgpu::BlendState::ALPHA_BLENDING),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}

const fn attribute(format: wgpu::VertexFormat, offset: usize, shader_location: u32) -> wgpu::VertexAttribute {
    wgpu::VertexAttribute {
        format,
        offset: offset as u64,
        shader_location,
    }
}
