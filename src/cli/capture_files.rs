//! The files of `covista render`: one a channel and picture, and cameras.json.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use covista::camera::{CameraModel, PosedCamera};
use covista::export::npy;
use covista::flow::{FlowMap, Sight, optical_flow};
use covista::overlap::GeometricOverlapConfig;
use covista::render::Sensors;
use covista::view::{Capture, IdMap, Validity, View};
use image::GrayImage;
use serde_json::json;

use super::exit::Failure;

/// A channel by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Channel {
    /// Picture, 8-bit PNG
    Color,
    /// Metres, float32 [H,W] npy, 0 where nothing is
    Depth,
    /// World unit vectors, float32 [H,W,3] npy, 0 where nothing is
    Normal,
    /// Placed object, uint32 [H,W] npy, 0 where nothing is
    Instance,
    /// Semantic id (HM3D: from X.semantic.glb and .txt beside the scene), uint32 [H,W] npy, 0 where unknown; names in semantic.json
    Semantic,
    /// 8-bit PNG: 255 a surface, 128 a back face first, 0 nothing
    Validity,
    /// Motion to the next picture, float32 [H,W,2] npy, and its state as PNG: 255 seen there, 192 hidden, 128 outside, 64 behind, 0 nothing
    Flow,
}

/// What is to be written.
#[derive(Debug, Clone)]
pub struct Channels(Vec<Channel>);

impl Channels {
    /// The channels of the command line.
    pub fn new(channels: &[Channel]) -> Self {
        Self(channels.to_vec())
    }

    /// True where the channel is to be written.
    pub fn has(&self, channel: Channel) -> bool {
        self.0.contains(&channel)
    }

    /// What the renderer is to draw for them.
    pub fn sensors(&self) -> Sensors {
        Sensors {
            normal: self.has(Channel::Normal),
            instance: self.has(Channel::Instance),
            semantic: self.has(Channel::Semantic),
            validity: self.has(Channel::Validity),
        }
    }
}

/// Writes captures one after the other into a folder.
pub struct CaptureWriter {
    folder: PathBuf,
    channels: Channels,
    written: usize,
    /// The picture before, where flow is wanted.
    previous: Option<View>,
}

impl CaptureWriter {
    /// Begins at picture 0.
    pub fn new(folder: &Path, channels: Channels) -> Self {
        Self {
            folder: folder.to_owned(),
            channels,
            written: 0,
            previous: None,
        }
    }

    /// Writes the channels of the next picture.
    pub fn write(&mut self, capture: Capture) -> anyhow::Result<()> {
        let (width, height) = capture.camera.model.size();
        let shape = [height as usize, width as usize];
        if self.channels.has(Channel::Color) {
            let path = self.path("color.png");
            save(&path, capture.color.save(&path))?;
        }
        if self.channels.has(Channel::Depth) {
            let written = npy::write_f32(&self.path("depth.npy"), &shape, &capture.depth.metres);
            written.map_err(failure).context("the depth was not written")?;
        }
        if let Some(normals) = &capture.normals {
            let path = self.path("normal.npy");
            npy::write_f32(&path, &[shape[0], shape[1], 3], normals.vectors.as_flattened()).map_err(failure)?;
        }
        let ids = |name: &str, map: &Option<IdMap>| match map {
            Some(map) => npy::write_u32(&self.path(name), &shape, &map.ids).map_err(failure),
            None => Ok(()),
        };
        ids("instance.npy", &capture.instances)?;
        ids("semantic.npy", &capture.semantics)?;
        if let Some(validity) = &capture.validity {
            let grey = validity.values.iter().map(|value| match value {
                Validity::Surface => 255,
                Validity::BackFace => 128,
                Validity::Nothing => 0,
            });
            self.save_grey("validity.png", width, height, grey.collect())?;
        }
        if self.channels.has(Channel::Flow) {
            let view = capture.into_view();
            if let (Some(first), Some(second)) = (&self.previous, &view) {
                let flow = optical_flow(first, second, &GeometricOverlapConfig::default());
                self.write_flow(&flow, self.written - 1)?;
            }
            self.previous = view;
        }
        self.written += 1;
        Ok(())
    }

    fn write_flow(&self, flow: &FlowMap, from: usize) -> anyhow::Result<()> {
        let path = self.folder.join(format!("{from:06}.flow.npy"));
        let shape = [flow.height as usize, flow.width as usize, 2];
        npy::write_f32(&path, &shape, flow.motion.as_flattened()).map_err(failure)?;
        let grey = flow.sight.iter().map(|sight| match sight {
            Sight::Visible => 255,
            Sight::Hidden => 192,
            Sight::Outside => 128,
            Sight::Behind => 64,
            Sight::NoSurface => 0,
        });
        let path = self.folder.join(format!("{from:06}.flow_state.png"));
        save_grey(&path, flow.width, flow.height, grey.collect())
    }

    fn save_grey(&self, name: &str, width: u32, height: u32, grey: Vec<u8>) -> anyhow::Result<()> {
        save_grey(&self.path(name), width, height, grey)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{:06}.{name}", self.written))
    }
}

/// Writes cameras.json: projection, what depth means, and poses in the form that `--cameras` reads.
pub fn write_cameras(folder: &Path, cameras: &[PosedCamera]) -> anyhow::Result<()> {
    let Some(first) = cameras.first() else { return Ok(()) };
    let (width, height) = first.model.size();
    let rows: Vec<[f64; 16]> = cameras
        .iter()
        .map(|camera| glam::DMat4::from(camera.world_from_camera).transpose().to_cols_array())
        .collect();
    let mut record = json!({
        "width": width,
        "height": height,
        "depth": first.model.depth_kind(),
        "axes": "camera x right, y down, z forward; world metres, Y up; pixel centres at +0.5",
        "world_from_camera": rows,
    });
    match first.model {
        CameraModel::Pinhole(intrinsics) => {
            record["projection"] = "pinhole".into();
            record["hfov_deg"] = intrinsics.hfov_rad().to_degrees().into();
            record["K"] = json!(intrinsics.matrix_row_major());
        }
        CameraModel::Orthographic(o) => {
            record["projection"] = "orthographic".into();
            record["width_m"] = o.width_m.into();
        }
        CameraModel::Equirectangular(_) => record["projection"] = "equirectangular".into(),
    }
    let path = folder.join("cameras.json");
    let text = serde_json::to_string_pretty(&record)?;
    std::fs::write(&path, text + "\n")
        .map_err(|error| Failure::output(format!("cannot write ({error}): {}", path.display())))
}

/// Writes semantic.json: what the ids of the semantic pictures mean.
pub fn write_semantic_names(folder: &Path, names: &BTreeMap<u32, String>) -> anyhow::Result<()> {
    let path = folder.join("semantic.json");
    let text = serde_json::to_string_pretty(names)?;
    std::fs::write(&path, text + "\n")
        .map_err(|error| Failure::output(format!("cannot write ({error}): {}", path.display())))
}

fn save_grey(path: &Path, width: u32, height: u32, grey: Vec<u8>) -> anyhow::Result<()> {
    let picture = GrayImage::from_raw(width, height, grey).context("a picture of another size")?;
    save(path, picture.save(path))
}

fn save(path: &Path, outcome: image::ImageResult<()>) -> anyhow::Result<()> {
    outcome.map_err(|error| Failure::output(format!("cannot write ({error}): {}", path.display())))
}

fn failure(error: covista::export::ExportError) -> anyhow::Error {
    Failure::output(error.to_string())
}
