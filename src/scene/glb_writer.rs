//! Writes a scene as one binary glTF file: PNG textures, vertex colours, one node an object.
//!
//! Numbers are stored as the scene holds them, so reading the file back gives the same triangles.
//! Vertex colours are those of this crate (they multiply the texture's bytes without a change of gamma), where
//! the glTF specification calls for linear ones: other viewers show baked shade a little lighter.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::model::{AlphaMode, Material, MipMode, Primitive, Sampler, Scene, Wrap};
use super::texture::{Texture, TextureError};

/// Why a scene could not be written.
#[derive(Debug, thiserror::Error)]
pub enum GlbError {
    /// A texture whose bytes are not `width * height * 4`.
    #[error("texture {name} is {width} x {height} but has {bytes} bytes")]
    TextureSize {
        /// Name of the texture.
        name: String,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Bytes that are there.
        bytes: usize,
    },
    /// A texture that the encoder refuses, such as an empty one.
    #[error("texture {name} cannot be stored as PNG: {source}")]
    Texture {
        /// Name of the texture.
        name: String,
        /// What the encoder said.
        source: image::ImageError,
    },
    /// A texture whose pixels cannot be had.
    #[error(transparent)]
    Unpack(#[from] TextureError),
    /// GLB counts bytes in 32 bits.
    #[error(
        "the scene takes {bytes} bytes, but a GLB file holds at most 4294967295; write it without its textures or in parts"
    )]
    TooLarge {
        /// Bytes that would be needed.
        bytes: u64,
    },
    /// The file could not be written.
    #[error("cannot write ({source}): {}", path.display())]
    Io {
        /// What the system said.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
}

/// The bytes of a GLB file of `scene`.
///
/// # Errors
/// [`GlbError::TextureSize`] or [`GlbError::Texture`] for a texture that is no picture, [`GlbError::TooLarge`] beyond 4 GiB.
pub fn to_glb(scene: &Scene) -> Result<Vec<u8>, GlbError> {
    let images = scene.textures.par_iter().map(png).collect::<Result<Vec<_>, _>>()?;
    let mut file = Glb::default();
    let mut objects: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
    for primitive in scene.primitives.iter().filter(|p| !p.indices.is_empty()) {
        let entry = file.primitive(primitive);
        objects.entry(primitive.instance).or_default().push(entry);
    }
    let image_views: Vec<usize> = images.iter().map(|bytes| file.view(bytes, None)).collect();

    // One entry for each pair of image and sampler that a material uses.
    let mut uses = Vec::new();
    let materials: Vec<Value> = scene.materials.iter().map(|m| material(m, &mut uses)).collect();
    let (meshes, nodes): (Vec<Value>, Vec<Value>) = objects
        .into_iter()
        .enumerate()
        .map(|(k, (instance, primitives))| {
            let name = format!("object-{instance}");
            (
                json!({"name": name, "primitives": primitives}),
                json!({"name": name, "mesh": k}),
            )
        })
        .unzip();
    let mut root = json!({
        "asset": {"version": "2.0", "generator": concat!("covista ", env!("CARGO_PKG_VERSION"))},
        "scene": 0,
        "scenes": [{"name": scene.name, "nodes": (0..nodes.len()).collect::<Vec<_>>()}],
        "buffers": [{"byteLength": file.bytes.len()}],
    });
    if scene.materials.iter().any(|m| m.unlit) {
        root["extensionsUsed"] = json!(["KHR_materials_unlit"]);
    }
    let images = image_views.iter().zip(&scene.textures);
    for (key, list) in [
        ("nodes", nodes),
        ("meshes", meshes),
        ("materials", materials),
        (
            "textures",
            (0..uses.len())
                .map(|k| json!({"source": uses[k].0, "sampler": k}))
                .collect(),
        ),
        ("samplers", uses.iter().map(|(_, s)| sampler(s)).collect()),
        (
            "images",
            images
                .map(|(view, t)| json!({"name": t.name, "mimeType": "image/png", "bufferView": view}))
                .collect(),
        ),
        ("accessors", file.accessors),
        ("bufferViews", file.views),
    ] {
        // The schema forbids empty lists.
        if !list.is_empty() {
            root[key] = Value::Array(list);
        }
    }
    container(root.to_string().into_bytes(), file.bytes)
}

/// Writes `scene` to `path` under a temporary name, then renames it.
///
/// # Errors
/// As [`to_glb`], and [`GlbError::Io`].
pub fn write_glb(scene: &Scene, path: &Path) -> Result<(), GlbError> {
    let bytes = to_glb(scene)?;
    let failed = |source| GlbError::Io {
        source,
        path: path.to_owned(),
    };
    let partial = path.with_extension("glb.partial");
    std::fs::write(&partial, bytes).map_err(failed)?;
    std::fs::rename(&partial, path).map_err(failed)
}

fn png(texture: &Texture) -> Result<Vec<u8>, GlbError> {
    let rgba = texture.rgba()?;
    if rgba.len() as u64 != u64::from(texture.width) * u64::from(texture.height) * 4 {
        return Err(GlbError::TextureSize {
            name: texture.name.clone(),
            width: texture.width,
            height: texture.height,
            bytes: rgba.len(),
        });
    }
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(&rgba, texture.width, texture.height, image::ExtendedColorType::Rgba8)
        .map_err(|source| GlbError::Texture {
            name: texture.name.clone(),
            source,
        })?;
    Ok(bytes)
}

/// The binary part and what describes it.
#[derive(Default)]
struct Glb {
    bytes: Vec<u8>,
    views: Vec<Value>,
    accessors: Vec<Value>,
}

const ARRAY_BUFFER: u32 = 34962;
const ELEMENT_ARRAY_BUFFER: u32 = 34963;
const UNSIGNED_INT: u32 = 5125;
const FLOAT: u32 = 5126;

impl Glb {
    /// Appends bytes on a boundary of four; the number of their view.
    fn view(&mut self, bytes: &[u8], target: Option<u32>) -> usize {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let mut view = json!({"buffer": 0, "byteOffset": self.bytes.len(), "byteLength": bytes.len()});
        if let Some(target) = target {
            view["target"] = json!(target);
        }
        self.bytes.extend_from_slice(bytes);
        self.views.push(view);
        self.views.len() - 1
    }

    fn accessor(&mut self, bytes: &[u8], target: u32, component: u32, kind: &str, count: usize) -> usize {
        let view = self.view(bytes, Some(target));
        self.accessors
            .push(json!({"bufferView": view, "componentType": component, "type": kind, "count": count}));
        self.accessors.len() - 1
    }

    fn primitive(&mut self, p: &Primitive) -> Value {
        let position = self.accessor(
            bytemuck::cast_slice(&p.positions),
            ARRAY_BUFFER,
            FLOAT,
            "VEC3",
            p.positions.len(),
        );
        let bound = |start: f32, pick: fn(f32, f32) -> f32| {
            p.positions
                .iter()
                .fold([start; 3], |b, v| [0, 1, 2].map(|i| pick(b[i], v[i])))
        };
        self.accessors[position]["min"] = json!(bound(f32::INFINITY, f32::min));
        self.accessors[position]["max"] = json!(bound(f32::NEG_INFINITY, f32::max));
        let mut attributes = json!({"POSITION": position});
        if !p.uvs.is_empty() {
            let uv = self.accessor(bytemuck::cast_slice(&p.uvs), ARRAY_BUFFER, FLOAT, "VEC2", p.uvs.len());
            attributes["TEXCOORD_0"] = json!(uv);
        }
        if !p.colors.is_empty() {
            let color = self.accessor(
                bytemuck::cast_slice(&p.colors),
                ARRAY_BUFFER,
                FLOAT,
                "VEC4",
                p.colors.len(),
            );
            attributes["COLOR_0"] = json!(color);
        }
        let indices = self.accessor(
            bytemuck::cast_slice(&p.indices),
            ELEMENT_ARRAY_BUFFER,
            UNSIGNED_INT,
            "SCALAR",
            p.indices.len(),
        );
        json!({"attributes": attributes, "indices": indices, "material": p.material})
    }
}

fn material(m: &Material, uses: &mut Vec<(usize, Sampler)>) -> Value {
    let mut surface = json!({"baseColorFactor": m.base_color, "metallicFactor": 0.0, "roughnessFactor": 1.0});
    if let Some(texture) = m.texture {
        let used = (texture.texture, texture.sampler);
        let index = uses.iter().position(|u| *u == used).unwrap_or_else(|| {
            uses.push(used);
            uses.len() - 1
        });
        surface["baseColorTexture"] = json!({"index": index});
    }
    let mut value = json!({"name": m.name, "pbrMetallicRoughness": surface, "doubleSided": m.double_sided});
    match m.alpha {
        AlphaMode::Opaque => {}
        AlphaMode::Mask(cutoff) => {
            value["alphaMode"] = json!("MASK");
            value["alphaCutoff"] = json!(cutoff);
        }
        AlphaMode::Blend => value["alphaMode"] = json!("BLEND"),
    }
    if m.unlit {
        value["extensions"] = json!({"KHR_materials_unlit": {}});
    }
    value
}

fn sampler(s: &Sampler) -> Value {
    let wrap = |w| match w {
        Wrap::Repeat => 10497,
        Wrap::Mirror => 33648,
        Wrap::Clamp => 33071,
    };
    let nearest_or_linear = |linear: bool| if linear { 9729 } else { 9728 };
    let min = match s.mip {
        MipMode::None => nearest_or_linear(s.min_linear),
        MipMode::Nearest => 9984 + u32::from(s.min_linear),
        MipMode::Linear => 9986 + u32::from(s.min_linear),
    };
    json!({"magFilter": nearest_or_linear(s.mag_linear), "minFilter": min, "wrapS": wrap(s.wrap[0]), "wrapT": wrap(s.wrap[1])})
}

/// Header, JSON chunk, binary chunk.
fn container(mut json: Vec<u8>, mut binary: Vec<u8>) -> Result<Vec<u8>, GlbError> {
    json.resize(json.len().next_multiple_of(4), b' ');
    binary.resize(binary.len().next_multiple_of(4), 0);
    let bytes = 28 + json.len() as u64 + binary.len() as u64;
    let total = u32::try_from(bytes).map_err(|_| GlbError::TooLarge { bytes })?;
    let mut file = Vec::with_capacity(total as usize);
    file.extend_from_slice(b"glTF");
    file.extend([2, total].into_iter().flat_map(u32::to_le_bytes));
    for (chunk, kind) in [(json, b"JSON"), (binary, b"BIN\0")] {
        file.extend((chunk.len() as u32).to_le_bytes());
        file.extend_from_slice(kind);
        file.extend(chunk);
    }
    Ok(file)
}
