//! A scene on the device: one vertex buffer, one index buffer, groups of clusters that share state.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use glam::{DVec3, Vec3};

use super::cluster::{self, Cluster};
use super::config::{Filter, RenderConfig, Shading};
use super::error::RenderError;
use super::fine_cull::HostGeometry;
use super::gpu::Gpu;
use super::gpu_data::{MaterialUniforms, Vertex};
use super::mesh::Paint;
use super::sampler;
use super::sensors::{Sensors, TriangleTable};
use super::texture_upload::{self, Uploaded};
use crate::scene::lighting::light_primitives;
use crate::scene::{AlphaMode, Material, Primitive, Sampler, Scene};

/// An uploaded scene, ready to be drawn from any camera.
#[derive(Debug)]
pub struct GpuScene {
    pub(super) vertices: wgpu::Buffer,
    pub(super) indices: wgpu::Buffer,
    pub(super) groups: Vec<Group>,
    /// For adapters that profit from leaving out single triangles.
    pub(super) host: Option<HostGeometry>,
    /// For normals and ids, where the scene was uploaded for them.
    pub(super) triangle_numbers: Option<TriangleNumbers>,
    /// What the vertices are relative to, world metres.
    pub(super) origin: DVec3,
    triangles: usize,
    bytes: u64,
}

/// The triangles once more, three vertices each in the order of the index buffer, and what each is.
#[derive(Debug)]
pub(super) struct TriangleNumbers {
    pub vertices: wgpu::Buffer,
    pub table: Arc<TriangleTable>,
}

/// Triangles that one pipeline and one material bind group draw.
#[derive(Debug)]
pub(super) struct Group {
    pub paint: Paint,
    pub alpha: AlphaMode,
    pub double_sided: bool,
    /// By [`Filter`].
    pub material: [wgpu::BindGroup; Filter::ALL.len()],
    pub clusters: Vec<Cluster>,
}

/// What must agree for triangles to be drawn together. Factors and vertex colours are in the vertices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct GroupKey {
    paint: Paint,
    /// Alpha mode and the bits of the cutoff.
    alpha: (u8, u32),
    double_sided: bool,
    /// Texture and index into the list of distinct samplers.
    texture: Option<(usize, usize)>,
}

impl GpuScene {
    /// Uploads triangles, materials and textures for colour and depth with flat shading.
    ///
    /// # Errors
    /// [`RenderError::TooLarge`] where a texture or the whole geometry exceeds the adapter's limits,
    /// [`RenderError::Texture`] where the pixels of a texture cannot be had,
    /// [`RenderError::Device`] where the driver refuses.
    pub fn upload(gpu: &Gpu, scene: &Scene) -> Result<Self, RenderError> {
        Self::upload_for(gpu, scene, &RenderConfig::default(), Sensors::default())
    }

    /// As [`GpuScene::upload`], with the shading that `config` asks for (`lit` computes the light here) and
    /// with what the given sensors need: normals and ids take 84 bytes a triangle more.
    ///
    /// # Errors
    /// As [`GpuScene::upload`].
    pub fn upload_for(gpu: &Gpu, scene: &Scene, config: &RenderConfig, sensors: Sensors) -> Result<Self, RenderError> {
        Self::upload_primitives(gpu, scene, &shaded(scene, config), config, sensors)
    }

    /// As [`GpuScene::upload_for`] for colour and depth, once for each device; light is computed once.
    pub(super) fn upload_each<'a>(
        gpus: impl Iterator<Item = &'a Gpu>,
        scene: &Scene,
        config: &RenderConfig,
    ) -> Vec<Result<Self, RenderError>> {
        let primitives = shaded(scene, config);
        gpus.map(|gpu| Self::upload_primitives(gpu, scene, &primitives, config, Sensors::default()))
            .collect()
    }

    fn upload_primitives(
        gpu: &Gpu,
        scene: &Scene,
        primitives: &[Primitive],
        config: &RenderConfig,
        sensors: Sensors,
    ) -> Result<Self, RenderError> {
        // First: their pixels pass through host memory, which the vertices have not taken yet.
        let textures = texture_upload::upload_all(gpu, &scene.textures, config.compressed_textures)?;
        let origin = origin(scene);
        let mut samplers: Vec<Sampler> = Vec::new();
        let mut members: BTreeMap<GroupKey, Vec<usize>> = BTreeMap::new();
        for (index, primitive) in primitives.iter().enumerate() {
            let key = group_key(scene, primitive.material, &primitive.colors, &mut samplers);
            members.entry(key).or_default().push(index);
        }

        let mut vertices = Vec::new();
        let mut indices = Vec::new();
        let mut sources = Vec::new();
        let mut clusters = Vec::with_capacity(members.len());
        for places in members.values() {
            let parts = Parts {
                materials: &scene.materials,
                textures: &textures,
                primitives,
                places,
                origin,
            };
            clusters.push(gather(&parts, &mut vertices, &mut indices, &mut sources));
        }
        let corners: Vec<Vertex> = if sensors.numbers() {
            indices.iter().map(|&i| vertices[i as usize]).collect()
        } else {
            Vec::new()
        };
        let bytes = ((vertices.len() + corners.len()) * size_of::<Vertex>() + indices.len() * 4) as u64;
        for (what, size) in [
            ("the vertex buffer", vertices.len() * size_of::<Vertex>()),
            (
                "the vertex buffer of normals and ids",
                corners.len() * size_of::<Vertex>(),
            ),
            ("the index buffer", indices.len() * 4),
        ] {
            if size as u64 > gpu.adapter().max_buffer_bytes {
                return Err(RenderError::TooLarge {
                    what: format!("{what} of scene \"{}\"", scene.name),
                    size: format!("{size} bytes"),
                    limit: format!("{} bytes", gpu.adapter().max_buffer_bytes),
                });
            }
        }

        let texture_bytes: u64 = textures.iter().map(|t| t.bytes).sum();
        gpu.scoped("uploading a scene", || {
            let white = white(gpu);
            let filtered = |s: &Sampler| Filter::ALL.map(|filter| sampler::sampler(gpu, s, filter));
            let filters: Vec<_> = samplers.iter().map(filtered).collect();
            let any = filtered(&Sampler::default());
            let groups = members
                .keys()
                .zip(clusters)
                .map(|(key, clusters)| {
                    let (view, filter) = match key.texture {
                        Some((texture, sampler)) => (&textures[texture].view, &filters[sampler]),
                        None => (&white, &any),
                    };
                    let uniforms = uniform_buffer(gpu, key);
                    Group {
                        paint: key.paint,
                        alpha: alpha_mode(key),
                        double_sided: key.double_sided,
                        material: Filter::ALL.map(|f| material(gpu, &uniforms, view, &filter[f as usize])),
                        clusters,
                    }
                })
                .collect();
            Self {
                vertices: buffer(
                    gpu,
                    "vertices",
                    bytemuck::cast_slice(&vertices),
                    wgpu::BufferUsages::VERTEX,
                ),
                indices: buffer(
                    gpu,
                    "indices",
                    bytemuck::cast_slice(&indices),
                    wgpu::BufferUsages::INDEX,
                ),
                groups,
                host: gpu
                    .cull_triangles
                    .then(|| HostGeometry::new(vertices.iter().map(|v| v.position), &indices)),
                triangle_numbers: sensors.numbers().then(|| TriangleNumbers {
                    vertices: buffer(
                        gpu,
                        "corners",
                        bytemuck::cast_slice(&corners),
                        wgpu::BufferUsages::VERTEX,
                    ),
                    table: Arc::new(TriangleTable::new(primitives, &sources)),
                }),
                origin,
                triangles: indices.len() / 3,
                bytes: bytes + texture_bytes,
            }
        })
    }

    /// Number of triangles.
    pub fn triangle_count(&self) -> usize {
        self.triangles
    }

    /// Bytes on the device, textures with their mip levels included.
    pub fn device_bytes(&self) -> u64 {
        self.bytes
    }
}

/// The triangles with the colours that `config` gives them.
fn shaded<'a>(scene: &'a Scene, config: &RenderConfig) -> Cow<'a, [Primitive]> {
    match config.shading {
        Shading::Flat => Cow::Borrowed(&scene.primitives),
        Shading::Lit => Cow::Owned(light_primitives(scene)),
    }
}

/// A whole-metre point near the scene where 32-bit coordinates would lose a tenth of a millimetre, else zero.
fn origin(scene: &Scene) -> DVec3 {
    let Some(bounds) = scene.bounds() else {
        return DVec3::ZERO;
    };
    let largest = bounds.min.abs().max(bounds.max.abs()).max_element();
    if largest < 256.0 {
        DVec3::ZERO
    } else {
        (0.5 * (bounds.min.as_dvec3() + bounds.max.as_dvec3())).round()
    }
}

fn group_key(scene: &Scene, material: usize, colors: &[[f32; 4]], samplers: &mut Vec<Sampler>) -> GroupKey {
    let default = Material::default();
    let material = scene.materials.get(material).unwrap_or(&default);
    let texture = material
        .texture
        .filter(|t| t.texture < scene.textures.len())
        .map(|reference| {
            let known = samplers.iter().position(|s| *s == reference.sampler);
            let sampler = known.unwrap_or_else(|| {
                samplers.push(reference.sampler);
                samplers.len() - 1
            });
            (reference.texture, sampler)
        });
    let untinted = colors.is_empty() && material.base_color == [1.0; 4];
    let paint = match (texture.is_some(), colors.is_empty()) {
        (true, _) if untinted => Paint::Textured,
        (true, _) => Paint::Tinted,
        (false, true) => Paint::Flat,
        (false, false) => Paint::Smooth,
    };
    let alpha = match material.alpha {
        AlphaMode::Opaque => (0, 0),
        AlphaMode::Mask(cutoff) => (1, cutoff.to_bits()),
        AlphaMode::Blend => (2, 0),
    };
    GroupKey {
        paint,
        alpha,
        double_sided: material.double_sided,
        texture,
    }
}

fn alpha_mode(key: &GroupKey) -> AlphaMode {
    match key.alpha {
        (1, cutoff) => AlphaMode::Mask(f32::from_bits(cutoff)),
        (2, _) => AlphaMode::Blend,
        _ => AlphaMode::Opaque,
    }
}

/// Primitives that are drawn together.
struct Parts<'a> {
    materials: &'a [Material],
    textures: &'a [Uploaded],
    primitives: &'a [Primitive],
    /// Which of the primitives.
    places: &'a [usize],
    origin: DVec3,
}

/// Clusters of the given primitives; appended are their vertices in order of first use, their indices and
/// the `(primitive, first index)` that each triangle comes from.
fn gather(
    parts: &Parts<'_>,
    vertices: &mut Vec<Vertex>,
    indices: &mut Vec<u32>,
    sources: &mut Vec<(u32, u32)>,
) -> Vec<Cluster> {
    let Parts { primitives, places, .. } = *parts;
    // (place in `places`, first index) of each triangle.
    let mut triangles: Vec<(u32, u32)> = Vec::new();
    let mut centroids: Vec<Vec3> = Vec::new();
    let placed = |position: [f32; 3]| (DVec3::from(position.map(f64::from)) - parts.origin).as_vec3();
    for (place, &index) in places.iter().enumerate() {
        let primitive = &primitives[index];
        for (triangle, corners) in primitive.indices.chunks_exact(3).enumerate() {
            let sum: Vec3 = corners.iter().map(|&i| placed(primitive.positions[i as usize])).sum();
            triangles.push((place as u32, triangle as u32 * 3));
            centroids.push(sum / 3.0);
        }
    }
    let (order, runs) = cluster::split(&centroids);
    // New number of a vertex and the cluster that gave it: each cluster has its own vertices.
    let mut renumbered: Vec<Vec<(u32, u32)>> = places
        .iter()
        .map(|&index| vec![(0, u32::MAX); primitives[index].positions.len()])
        .collect();
    let mut clusters = Vec::with_capacity(runs.len());
    let mut corners = Vec::with_capacity(cluster::TRIANGLES);
    let mut rest = order.as_slice();
    for (number, run) in runs.into_iter().enumerate() {
        let (here, later) = rest.split_at(run as usize);
        rest = later;
        let first_index = indices.len() as u32;
        let first_vertex = vertices.len() as u32;
        corners.clear();
        for &triangle in here {
            let (place, first) = triangles[triangle as usize];
            let index = places[place as usize];
            sources.push((index as u32, first));
            let primitive = &primitives[index];
            let material = parts.materials.get(primitive.material);
            let factor = material.map_or([1.0; 4], |m| m.base_color);
            let from_bottom = material
                .and_then(|m| parts.textures.get(m.texture?.texture))
                .is_some_and(|t| t.rows_from_bottom);
            let corner = [0, 1, 2].map(|k| {
                let old = primitive.indices[first as usize + k] as usize;
                let (new, giver) = &mut renumbered[place as usize][old];
                if *giver != number as u32 {
                    (*new, *giver) = (vertices.len() as u32, number as u32);
                    let tint = primitive.colors.get(old).copied().unwrap_or([1.0; 4]);
                    let [u, v] = primitive.uvs.get(old).copied().unwrap_or_default();
                    vertices.push(Vertex {
                        position: placed(primitive.positions[old]).into(),
                        // Repeated, mirrored or clamped: the image the other way up is the same at 1 - v.
                        uv: if from_bottom { [u, 1.0 - v] } else { [u, v] },
                        color: [0, 1, 2, 3].map(|c| unorm16(factor[c] * tint[c])),
                    });
                }
                indices.push(*new);
                Vec3::from(vertices[*new as usize].position)
            });
            corners.push(corner);
        }
        clusters.push(cluster::bound(
            first_index,
            first_vertex..vertices.len() as u32,
            &corners,
        ));
    }
    clusters
}

fn unorm16(value: f32) -> u16 {
    (value.clamp(0.0, 1.0) * 65535.0 + 0.5) as u16
}

fn buffer(gpu: &Gpu, label: &str, bytes: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    // Never empty, so that a scene without triangles is a scene like any other.
    let size = bytes.len().max(16) as u64;
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size,
        usage: usage | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    if !bytes.is_empty() {
        gpu.queue.write_buffer(&buffer, 0, bytes);
    }
    buffer
}

fn uniform_buffer(gpu: &Gpu, key: &GroupKey) -> wgpu::Buffer {
    let cutoff = match alpha_mode(key) {
        AlphaMode::Mask(cutoff) => cutoff,
        AlphaMode::Opaque | AlphaMode::Blend => 0.0,
    };
    let uniforms = MaterialUniforms {
        alpha_cutoff: cutoff,
        pad_a: 0.0,
        pad_b: 0.0,
        pad_c: 0.0,
    };
    buffer(
        gpu,
        "material",
        bytemuck::bytes_of(&uniforms),
        wgpu::BufferUsages::UNIFORM,
    )
}

fn white(gpu: &Gpu) -> wgpu::TextureView {
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("white"),
        size: wgpu::Extent3d::default(),
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    gpu.queue.write_texture(
        texture.as_image_copy(),
        &[255; 4],
        wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(4),
            rows_per_image: Some(1),
        },
        wgpu::Extent3d::default(),
    );
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

fn material(gpu: &Gpu, uniforms: &wgpu::Buffer, view: &wgpu::TextureView, sampler: &wgpu::Sampler) -> wgpu::BindGroup {
    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("material"),
        layout: &gpu.layouts.material,
        entries: &[
            wgpu::BindGroupEntry {
                binding: 0,
                resource: uniforms.as_entire_binding(),
            },
            wgpu::BindGroupEntry {
                binding: 1,
                resource: wgpu::BindingResource::TextureView(view),
            },
            wgpu::BindGroupEntry {
                binding: 2,
                resource: wgpu::BindingResource::Sampler(sampler),
            },
        ],
    })
}
