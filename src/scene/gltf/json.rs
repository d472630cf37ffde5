//! The part of glTF 2.0's JSON that a static textured scene needs (Khronos glTF 2.0, section 5).
//!
//! Own types in place of the `gltf` crate's: those panic on an index out of range, know the compression and Basis
//! extensions by name only and read accessors as f32. Unknown members are ignored; every index is checked on use.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

/// A string that is borrowed from the file where it has no escapes: data URIs can be megabytes long.
pub(super) type Text<'a> = Cow<'a, str>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Root<'a> {
    #[serde(borrow)]
    pub(super) asset: Asset<'a>,
    pub(super) scene: Option<usize>,
    #[serde(borrow, default)]
    pub(super) extensions_used: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) extensions_required: Vec<Text<'a>>,
    #[serde(default)]
    pub(super) scenes: Vec<SceneNodes>,
    #[serde(default)]
    pub(super) nodes: Vec<Node>,
    #[serde(borrow, default)]
    pub(super) meshes: Vec<Mesh<'a>>,
    #[serde(default)]
    pub(super) accessors: Vec<Accessor>,
    #[serde(default)]
    pub(super) buffer_views: Vec<BufferView>,
    #[serde(borrow, default)]
    pub(super) buffers: Vec<Buffer<'a>>,
    #[serde(borrow, default)]
    pub(super) materials: Vec<MaterialJson<'a>>,
    #[serde(default)]
    pub(super) textures: Vec<TextureJson>,
    #[serde(borrow, default)]
    pub(super) images: Vec<ImageJson<'a>>,
    #[serde(default)]
    pub(super) samplers: Vec<SamplerJson>,
    #[serde(borrow, default)]
    pub(super) extensions: RootExtensions<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RootExtensions<'a> {
    #[serde(borrow, rename = "KHR_lights_punctual")]
    pub(super) lights: Option<LightsJson<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LightsJson<'a> {
    #[serde(borrow, default)]
    pub(super) lights: Vec<LightJson<'a>>,
}

/// KHR_lights_punctual, Light Shared Properties.
#[derive(Debug, Deserialize)]
pub(super) struct LightJson<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Option<Text<'a>>,
    pub(super) color: Option<[f32; 3]>,
    pub(super) intensity: Option<f32>,
    pub(super) range: Option<f32>,
    #[serde(default)]
    pub(super) spot: SpotJson,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpotJson {
    pub(super) inner_cone_angle: Option<f32>,
    pub(super) outer_cone_angle: Option<f32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NodeLight {
    pub(super) light: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asset<'a> {
    #[serde(borrow)]
    pub(super) version: Text<'a>,
    #[serde(borrow)]
    pub(super) min_version: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SceneNodes {
    #[serde(default)]
    pub(super) nodes: Vec<usize>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Node {
    #[serde(default)]
    pub(super) children: Vec<usize>,
    pub(super) mesh: Option<usize>,
    pub(super) skin: Option<usize>,
    pub(super) matrix: Option<[f32; 16]>,
    pub(super) translation: Option<[f32; 3]>,
    pub(super) rotation: Option<[f32; 4]>,
    pub(super) scale: Option<[f32; 3]>,
    #[serde(default)]
    pub(super) extensions: NodeExtensions,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct NodeExtensions {
    #[serde(rename = "EXT_mesh_gpu_instancing")]
    pub(super) instancing: Option<serde::de::IgnoredAny>,
    #[serde(rename = "KHR_lights_punctual")]
    pub(super) light: Option<NodeLight>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Mesh<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) primitives: Vec<PrimitiveJson<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PrimitiveJson<'a> {
    #[serde(borrow, default)]
    pub(super) attributes: BTreeMap<Text<'a>, usize>,
    pub(super) indices: Option<usize>,
    pub(super) material: Option<usize>,
    pub(super) mode: Option<u32>,
    #[serde(default)]
    pub(super) targets: Vec<serde::de::IgnoredAny>,
    #[serde(borrow, default)]
    pub(super) extensions: PrimitiveExtensions<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PrimitiveExtensions<'a> {
    #[serde(borrow, rename = "KHR_draco_mesh_compression")]
    pub(super) draco: Option<DracoJson<'a>>,
}

/// KHR_draco_mesh_compression: the view with the stream, and its attributes by their glTF names.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DracoJson<'a> {
    pub(super) buffer_view: usize,
    #[serde(borrow, default)]
    pub(super) attributes: BTreeMap<Text<'a>, u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accessor {
    pub(super) buffer_view: Option<usize>,
    #[serde(default)]
    pub(super) byte_offset: usize,
    pub(super) component_type: u32,
    #[serde(default)]
    pub(super) normalized: bool,
    pub(super) count: usize,
    #[serde(rename = "type")]
    pub(super) kind: AccessorKind,
    pub(super) sparse: Option<Sparse>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum AccessorKind {
    Scalar,
    Vec2,
    Vec3,
    Vec4,
    Mat2,
    Mat3,
    Mat4,
}

#[derive(Debug, Deserialize)]
pub(super) struct Sparse {
    pub(super) count: usize,
    pub(super) indices: SparsePart,
    pub(super) values: SparsePart,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SparsePart {
    pub(super) buffer_view: usize,
    #[serde(default)]
    pub(super) byte_offset: usize,
    /// Present on the indices only.
    pub(super) component_type: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BufferView {
    pub(super) buffer: usize,
    #[serde(default)]
    pub(super) byte_offset: usize,
    pub(super) byte_length: usize,
    pub(super) byte_stride: Option<usize>,
    #[serde(default)]
    pub(super) extensions: BufferViewExtensions,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct BufferViewExtensions {
    #[serde(rename = "EXT_meshopt_compression")]
    pub(super) ext_meshopt: Option<Meshopt>,
    #[serde(rename = "KHR_meshopt_compression")]
    pub(super) khr_meshopt: Option<Meshopt>,
}

/// EXT_meshopt_compression and KHR_meshopt_compression: where the compressed bytes lie and what they are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meshopt {
    pub(super) buffer: usize,
    #[serde(default)]
    pub(super) byte_offset: usize,
    pub(super) byte_length: usize,
    pub(super) byte_stride: usize,
    pub(super) count: usize,
    pub(super) mode: MeshoptMode,
    #[serde(default)]
    pub(super) filter: MeshoptFilter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum MeshoptMode {
    Attributes,
    Triangles,
    Indices,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum MeshoptFilter {
    #[default]
    None,
    Octahedral,
    Quaternion,
    Exponential,
    Color,
}

#[derive(Debug, Deserialize)]
pub(super) struct Buffer<'a> {
    #[serde(borrow)]
    pub(super) uri: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageJson<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) uri: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) mime_type: Option<Text<'a>>,
    pub(super) buffer_view: Option<usize>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TextureJson {
    pub(super) sampler: Option<usize>,
    pub(super) source: Option<usize>,
    #[serde(default)]
    pub(super) extensions: TextureExtensions,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct TextureExtensions {
    #[serde(rename = "EXT_texture_webp")]
    pub(super) webp: Option<Source>,
    #[serde(rename = "KHR_texture_basisu")]
    pub(super) basisu: Option<Source>,
    #[serde(rename = "GOOGLE_texture_basis")]
    pub(super) google_basis: Option<Source>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) source: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SamplerJson {
    pub(super) mag_filter: Option<u32>,
    pub(super) min_filter: Option<u32>,
    pub(super) wrap_s: Option<u32>,
    pub(super) wrap_t: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MaterialJson<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(default)]
    pub(super) pbr_metallic_roughness: MetallicRoughness,
    #[serde(borrow)]
    pub(super) alpha_mode: Option<Text<'a>>,
    pub(super) alpha_cutoff: Option<f32>,
    #[serde(default)]
    pub(super) double_sided: bool,
    pub(super) emissive_texture: Option<serde::de::IgnoredAny>,
    pub(super) emissive_factor: Option<[f32; 3]>,
    #[serde(default)]
    pub(super) extensions: MaterialExtensions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetallicRoughness {
    pub(super) base_color_factor: Option<[f32; 4]>,
    pub(super) base_color_texture: Option<TextureInfo>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct MaterialExtensions {
    #[serde(rename = "KHR_materials_unlit")]
    pub(super) unlit: Option<serde::de::IgnoredAny>,
    #[serde(rename = "KHR_materials_pbrSpecularGlossiness")]
    pub(super) specular_glossiness: Option<SpecularGlossiness>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpecularGlossiness {
    pub(super) diffuse_factor: Option<[f32; 4]>,
    pub(super) diffuse_texture: Option<TextureInfo>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextureInfo {
    pub(super) index: usize,
    #[serde(default)]
    pub(super) tex_coord: usize,
    #[serde(default)]
    pub(super) extensions: TextureInfoExtensions,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct TextureInfoExtensions {
    #[serde(rename = "KHR_texture_transform")]
    pub(super) transform: Option<TextureTransform>,
}

/// KHR_texture_transform: scale, then rotation, then offset.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextureTransform {
    #[serde(default)]
    pub(super) offset: [f32; 2],
    #[serde(default)]
    pub(super) rotation: f32,
    #[serde(default = "one")]
    pub(super) scale: [f32; 2],
    pub(super) tex_coord: Option<usize>,
}

fn one() -> [f32; 2] {
    [1.0; 2]
}
