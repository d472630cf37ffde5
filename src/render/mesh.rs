//! Pipelines of `shaders/mesh.wgsl` that draw colour and depth: one for each way of paint, alpha and culling.

use std::mem::offset_of;

use super::gpu_data::{MESH_WGSL, MaterialUniforms, Vertex, ViewUniforms};

/// Colour target: bytes as they are.
pub(super) const COLOR: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
/// Depth target: reverse-Z keeps its 24 bits of fraction at every distance.
pub(super) const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

/// Where a triangle's colour comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Paint {
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

/// What all pipelines of a camera model share.
#[derive(Debug)]
pub(super) struct Stage {
    device: wgpu::Device,
    module: wgpu::ShaderModule,
    layout: wgpu::PipelineLayout,
    constants: [(&'static str, f64); 2],
}

impl Stage {
    /// The shader for perspective or parallel rays; `back_face_push` as in the WGSL.
    pub fn new(device: &wgpu::Device, layouts: &Layouts, orthographic: bool, back_face_push: f64) -> Self {
        Self {
            device: device.clone(),
            module: device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some("mesh.wgsl"),
                source: wgpu::ShaderSource::Wgsl(MESH_WGSL.into()),
            }),
            layout: device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("mesh"),
                bind_group_layouts: &[Some(&layouts.view), Some(&layouts.material)],
                immediate_size: 0,
            }),
            constants: [
                ("orthographic", f64::from(u8::from(orthographic))),
                ("back_face_push", back_face_push),
            ],
        }
    }
}

/// What sets one pipeline apart.
#[derive(Debug)]
pub(super) struct Variant<'a> {
    pub vertex: &'a str,
    pub fragment: &'a str,
    pub attributes: &'a [wgpu::VertexAttribute],
    pub cull: Option<wgpu::Face>,
    pub target: wgpu::TextureFormat,
    pub blended: bool,
    pub writes_depth: bool,
}

/// The pipelines by paint, coverage and culling.
#[derive(Debug)]
pub(super) struct Pipelines {
    made: Vec<wgpu::RenderPipeline>,
}

const PAINTS: [Paint; 4] = [Paint::Flat, Paint::Smooth, Paint::Textured, Paint::Tinted];
const COVERAGES: [Coverage; 3] = [Coverage::Opaque, Coverage::Masked, Coverage::Blended];

impl Pipelines {
    /// Builds all of them; drivers compile each when it is first used.
    pub fn new(stage: &Stage) -> Self {
        let mut made = Vec::with_capacity(PAINTS.len() * COVERAGES.len() * 2);
        for paint in PAINTS {
            for coverage in COVERAGES {
                for cull in [false, true] {
                    made.push(color_pipeline(stage, paint, coverage, cull));
                }
            }
        }
        Self { made }
    }

    pub fn get(&self, paint: Paint, coverage: Coverage, cull: bool) -> &wgpu::RenderPipeline {
        &self.made[(paint as usize * COVERAGES.len() + coverage as usize) * 2 + usize::from(cull)]
    }
}

/// Position, texture coordinates and colour of a [`Vertex`].
pub(super) const POSITION: wgpu::VertexAttribute =
    attribute(wgpu::VertexFormat::Float32x3, offset_of!(Vertex, position), 0);
pub(super) const UV: wgpu::VertexAttribute = attribute(wgpu::VertexFormat::Float32x2, offset_of!(Vertex, uv), 1);
pub(super) const TINT: wgpu::VertexAttribute = attribute(wgpu::VertexFormat::Unorm16x4, offset_of!(Vertex, color), 2);

fn color_pipeline(stage: &Stage, paint: Paint, coverage: Coverage, cull: bool) -> wgpu::RenderPipeline {
    let (vertex, fragment, attributes): (&str, &str, &[wgpu::VertexAttribute]) = match (coverage, paint) {
        (Coverage::Masked, _) => ("vs_tinted", "fs_masked", &[POSITION, UV, TINT]),
        (_, Paint::Flat) => ("vs_flat", "fs_flat", &[POSITION, TINT]),
        (_, Paint::Smooth) => ("vs_smooth", "fs_smooth", &[POSITION, TINT]),
        (_, Paint::Textured) => ("vs_textured", "fs_textured", &[POSITION, UV]),
        (_, Paint::Tinted) => ("vs_tinted", "fs_tinted", &[POSITION, UV, TINT]),
    };
    let blended = coverage == Coverage::Blended;
    let variant = Variant {
        vertex,
        fragment,
        attributes,
        cull: cull.then_some(wgpu::Face::Back),
        target: COLOR,
        blended,
        writes_depth: !blended,
    };
    pipeline(stage, &variant)
}

pub(super) fn pipeline(stage: &Stage, variant: &Variant<'_>) -> wgpu::RenderPipeline {
    let compilation_options = wgpu::PipelineCompilationOptions {
        constants: &stage.constants,
        ..wgpu::PipelineCompilationOptions::default()
    };
    stage.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(variant.fragment),
        layout: Some(&stage.layout),
        vertex: wgpu::VertexState {
            module: &stage.module,
            entry_point: Some(variant.vertex),
            compilation_options: compilation_options.clone(),
            buffers: &[Some(wgpu::VertexBufferLayout {
                array_stride: size_of::<Vertex>() as u64,
                step_mode: wgpu::VertexStepMode::Vertex,
                attributes: variant.attributes,
            })],
        },
        primitive: wgpu::PrimitiveState {
            topology: wgpu::PrimitiveTopology::TriangleList,
            front_face: wgpu::FrontFace::Ccw,
            cull_mode: variant.cull,
            ..wgpu::PrimitiveState::default()
        },
        depth_stencil: Some(wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(variant.writes_depth),
            depth_compare: Some(wgpu::CompareFunction::Greater),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        }),
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module: &stage.module,
            entry_point: Some(variant.fragment),
            compilation_options,
            targets: &[Some(wgpu::ColorTargetState {
                format: variant.target,
                blend: variant.blended.then_some(wgpu::BlendState::ALPHA_BLENDING),
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
