//! Builds small glTF files in memory, for the tests of the readers.
#![allow(dead_code, reason = "each test binary uses a part of this module")]

use std::path::PathBuf;

use covista::scene::{Scene, SceneConfig, SceneError, load};
use serde_json::{Value, json};

/// A glTF file in the making: JSON and one binary chunk.
pub struct Glb {
    pub json: Value,
    pub bin: Vec<u8>,
}

pub const FLOAT: u32 = 5126;

impl Glb {
    /// An empty file with one scene of no nodes.
    pub fn new() -> Self {
        Self {
            json: json!({
                "asset": {"version": "2.0"},
                "scene": 0,
                "scenes": [{"nodes": []}],
                "nodes": [], "meshes": [], "accessors": [], "bufferViews": [],
                "buffers": [{"byteLength": 0}],
            }),
            bin: Vec::new(),
        }
    }

    /// A file with one node and one primitive: a triangle (0,0,0) (1,0,0) (0,1,0).
    pub fn triangle() -> Self {
        let mut glb = Self::new();
        let positions = glb.floats("VEC3", &[0., 0., 0., 1., 0., 0., 0., 1., 0.]);
        glb.mesh(json!({"attributes": {"POSITION": positions}}));
        glb.node(json!({"mesh": 0}));
        glb
    }

    /// Appends to a top-level list and returns the index.
    pub fn push(&mut self, list: &str, value: Value) -> usize {
        let list = self
            .json
            .as_object_mut()
            .unwrap()
            .entry(list)
            .or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(value);
        list.as_array().unwrap().len() - 1
    }

    /// A buffer view over new bytes, 4-aligned.
    pub fn view(&mut self, bytes: &[u8]) -> usize {
        self.bin.resize(self.bin.len().next_multiple_of(4), 0);
        let view = json!({"buffer": 0, "byteOffset": self.bin.len(), "byteLength": bytes.len()});
        self.bin.extend_from_slice(bytes);
        self.push("bufferViews", view)
    }

    /// An accessor over new bytes.
    pub fn accessor(&mut self, component: u32, kind: &str, normalized: bool, count: usize, bytes: &[u8]) -> usize {
        let view = self.view(bytes);
        self.push(
            "accessors",
            json!({"bufferView": view, "componentType": component, "type": kind, "count": count,
                   "normalized": normalized}),
        )
    }

    /// An accessor of floats.
    pub fn floats(&mut self, kind: &str, values: &[f32]) -> usize {
        let width = ["SCALAR", "VEC2", "VEC3", "VEC4"]
            .iter()
            .position(|k| *k == kind)
            .unwrap()
            + 1;
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.accessor(FLOAT, kind, false, values.len() / width, &bytes)
    }

    /// Indices as u16.
    pub fn indices(&mut self, values: &[u16]) -> usize {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.accessor(5123, "SCALAR", false, values.len(), &bytes)
    }

    /// A mesh of one primitive.
    pub fn mesh(&mut self, primitive: Value) -> usize {
        self.push("meshes", json!({"primitives": [primitive]}))
    }

    /// A root node of the scene.
    pub fn node(&mut self, node: Value) -> usize {
        let index = self.push("nodes", node);
        self.json["scenes"][0]["nodes"]
            .as_array_mut()
            .unwrap()
            .push(json!(index));
        index
    }

    /// Gives the one primitive of mesh 0 another attribute.
    pub fn attribute(&mut self, name: &str, accessor: usize) {
        self.json["meshes"][0]["primitives"][0]["attributes"][name] = json!(accessor);
    }

    /// Gives the one primitive of mesh 0 a material whose base colour is `texture_info`, an image of 2 x 1 pixels,
    /// red and blue.
    pub fn picture(&mut self, texture_info: Value) {
        let view = self.view(&png(2, 1, &[255, 0, 0, 255, 0, 0, 255, 255]));
        let image = self.push("images", json!({"bufferView": view, "mimeType": "image/png"}));
        self.push("textures", json!({"source": image}));
        let material = self.push(
            "materials",
            json!({"pbrMetallicRoughness": {"baseColorTexture": texture_info}}),
        );
        self.json["meshes"][0]["primitives"][0]["material"] = json!(material);
    }

    /// The file as GLB.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut json = self.json.clone();
        json["buffers"][0]["byteLength"] = json!(self.bin.len());
        container(json.to_string().as_bytes(), &self.bin)
    }

    /// Loads the file as it is.
    pub fn load(&self) -> Result<Scene, SceneError> {
        load_bytes("model.glb", &self.to_bytes(), &SceneConfig::default())
    }
}

/// A GLB of a JSON text and a binary chunk.
pub fn container(json: &[u8], bin: &[u8]) -> Vec<u8> {
    let mut json = json.to_vec();
    json.resize(json.len().next_multiple_of(4), b' ');
    let mut bin = bin.to_vec();
    bin.resize(bin.len().next_multiple_of(4), 0);
    let mut out = b"glTF".to_vec();
    out.extend(2u32.to_le_bytes());
    out.extend(((12 + 8 + json.len() + 8 + bin.len()) as u32).to_le_bytes());
    for (kind, chunk) in [(b"JSON", &json), (b"BIN\0", &bin)] {
        out.extend((chunk.len() as u32).to_le_bytes());
        out.extend(kind);
        out.extend(chunk.iter());
    }
    out
}

/// An RGBA picture as PNG.
pub fn png(width: u32, height: u32, rgba: &[u8]) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image::RgbaImage::from_raw(width, height, rgba.to_vec())
        .unwrap()
        .write_to(&mut out, image::ImageFormat::Png)
        .unwrap();
    out.into_inner()
}

/// Writes a file into a folder of its own and loads it.
pub fn load_bytes(name: &str, bytes: &[u8], config: &SceneConfig) -> Result<Scene, SceneError> {
    load_files(&[(name, bytes)], config)
}

/// Writes files into a folder of their own and loads the first.
pub fn load_files(files: &[(&str, &[u8])], config: &SceneConfig) -> Result<Scene, SceneError> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|(name, bytes)| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
            path
        })
        .collect();
    load(&paths[0], config)
}
