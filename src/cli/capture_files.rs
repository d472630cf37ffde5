//! The files of `covista render`: one a channel and picture, and cameras.json.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use covista::camera::{CameraModel, PosedCamera};
use covista::export::npy;
use covista::flow::{FlowMap, Sight, optical_flow};
use covista::overlap::GeometricOverlapConfig;
use covista::render::Sensors;
use covista::view::{Capture, Validity, View};
use image::{GrayImage, ImageFormat};
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

impl Channel {
    /// As the command line names it.
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
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

    /// Those that a set of pairs does not hold anyway, each once.
    pub fn beyond_color_and_depth(&self) -> impl Iterator<Item = Channel> {
        let all = Channel::value_variants().iter().copied();
        all.filter(|channel| !matches!(channel, Channel::Color | Channel::Depth) && self.has(*channel))
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
        for (name, bytes) in encoded(&capture)? {
            write(&self.path(name), &bytes)?;
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
        for (name, bytes) in encoded_flow(flow)? {
            write(&self.folder.join(format!("{from:06}.{name}")), &bytes)?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{:06}.{name}", self.written))
    }
}

/// What cameras.json says: projection, what depth means, and poses in the form that `--cameras` reads. `None` without
/// a camera.
pub fn cameras_record(cameras: &[PosedCamera]) -> Option<serde_json::Value> {
    let first = cameras.first()?;
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
    Some(record)
}

/// Writes cameras.json.
pub fn write_cameras(folder: &Path, cameras: &[PosedCamera]) -> anyhow::Result<()> {
    let Some(record) = cameras_record(cameras) else {
        return Ok(());
    };
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

/// The channels beyond colour and depth that a capture has: name of the file after its number, and its bytes.
pub fn encoded(capture: &Capture) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let (width, height) = capture.camera.model.size();
    let shape = [height as usize, width as usize];
    let mut files = Vec::new();
    if let Some(normals) = &capture.normals {
        let bytes = npy::encode_f32(&[shape[0], shape[1], 3], normals.vectors.as_flattened());
        files.push(("normal.npy", bytes.map_err(failure)?));
    }
    let maps = [
        ("instance.npy", &capture.instances),
        ("semantic.npy", &capture.semantics),
    ];
    for (name, map) in maps {
        if let Some(map) = map {
            files.push((name, npy::encode_u32(&shape, &map.ids).map_err(failure)?));
        }
    }
    if let Some(validity) = &capture.validity {
        let grey = validity.values.iter().map(|value| match value {
            Validity::Surface => 255,
            Validity::BackFace => 128,
            Validity::Nothing => 0,
        });
        files.push(("validity.png", grey_png(width, height, grey.collect())?));
    }
    Ok(files)
}

/// Flow and its state: name of the file after its number, and its bytes.
pub fn encoded_flow(flow: &FlowMap) -> anyhow::Result<[(&'static str, Vec<u8>); 2]> {
    let shape = [flow.height as usize, flow.width as usize, 2];
    let motion = npy::encode_f32(&shape, flow.motion.as_flattened()).map_err(failure)?;
    let grey = flow.sight.iter().map(|sight| match sight {
        Sight::Visible => 255,
        Sight::Hidden => 192,
        Sight::Outside => 128,
        Sight::Behind => 64,
        Sight::NoSurface => 0,
    });
    let state = grey_png(flow.width, flow.height, grey.collect())?;
    Ok([("flow.npy", motion), ("flow_state.png", state)])
}

fn grey_png(width: u32, height: u32, grey: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let picture = GrayImage::from_raw(width, height, grey).context("a picture of another size")?;
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).map_err(|error| Failure::output(format!("cannot write ({error}): {}", path.display())))
}

fn save(path: &Path, outcome: image::ImageResult<()>) -> anyhow::Result<()> {
    outcome.map_err(|error| Failure::output(format!("cannot write ({error}): {}", path.display())))
}

fn failure(error: covista::export::ExportError) -> anyhow::Error {
    Failure::output(error.to_string())
}
