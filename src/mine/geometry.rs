//! Depth and poses beside frames, as `covista render` and `covista walk` write them.

use std::path::{Path, PathBuf};

use image::RgbImage;
use serde::Deserialize;

use super::error::MineError;
use super::picture::PictureError;
use crate::camera::{Camera, Intrinsics};
use crate::export::npy;
use crate::overlap::working_picture;
use crate::view::{DepthMap, View};

/// Name of the file with the cameras.
pub(super) const CAMERAS: &str = "cameras.json";

/// What is needed of `cameras.json`.
#[derive(Debug, Deserialize)]
struct File {
    width: u32,
    height: u32,
    #[serde(rename = "K")]
    k: Option<[[f64; 3]; 3]>,
    fps: Option<f64>,
    world_from_camera: Vec<[f64; 16]>,
}

/// The cameras of a folder of frames.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Geometry {
    cameras: Vec<Camera>,
    /// Frames a second, where the file says so.
    pub fps: Option<f64>,
}

impl Geometry {
    /// The cameras beside frames; `None` where there are none, or not of pinholes.
    pub fn beside(folder: &Path) -> Result<Option<Self>, MineError> {
        let path = folder.join(CAMERAS);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(MineError::read(&path, error)),
        };
        let bad = |why: String| MineError::Cameras {
            path: path.clone(),
            why,
        };
        let file: File = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let Some(k) = file.k else { return Ok(None) };
        let intrinsics = Intrinsics {
            fx: k[0][0],
            fy: k[1][1],
            cx: k[0][2],
            cy: k[1][2],
            width: file.width,
            height: file.height,
        };
        let cameras = file.world_from_camera.iter().enumerate().map(|(place, rows)| {
            let camera = Camera::from_row_major(intrinsics, rows);
            camera.ok_or_else(|| bad(format!("camera {place} is no rigid motion")))
        });
        Ok(Some(Self {
            fps: file.fps.filter(|fps| *fps > 0.0),
            cameras: cameras.collect::<Result<_, _>>()?,
        }))
    }

    /// The depth file and the camera of a frame; `None` where either is missing.
    pub fn of(&self, frame: &Path) -> Option<(PathBuf, Camera)> {
        let name = frame.file_name()?.to_str()?;
        let number = name.split('.').next()?;
        let depth = frame.with_file_name(format!("{number}.depth.npy"));
        let camera = self.cameras.get(number.parse::<usize>().ok()?)?;
        depth.is_file().then_some((depth, *camera))
    }
}

/// The view of a frame at the size at which pictures are compared: depth is taken at the nearest pixel, the camera
/// is scaled along.
pub(super) fn view(color: RgbImage, depth: &Path, camera: Camera) -> Result<View, PictureError> {
    let bad = |why: String| PictureError::new(depth, &why);
    let (shape, metres) = npy::read_f32(depth).map_err(|error| bad(error.to_string()))?;
    let k = camera.intrinsics;
    if color.dimensions() != (k.width, k.height) || shape != [k.height as usize, k.width as usize] {
        return Err(bad(format!(
            "picture {:?}, depth {shape:?} and camera {} x {} differ in size",
            color.dimensions(),
            k.width,
            k.height
        )));
    }
    let color = working_picture(&color).into_owned();
    let (width, height) = color.dimensions();
    let (sx, sy) = (
        f64::from(width) / f64::from(k.width),
        f64::from(height) / f64::from(k.height),
    );
    let nearest = |place: u32, scale: f64, side: u32| (((f64::from(place) + 0.5) / scale) as u32).min(side - 1);
    let mut scaled = Vec::with_capacity(width as usize * height as usize);
    for y in 0..height {
        let row = nearest(y, sy, k.height) as usize * k.width as usize;
        scaled.extend((0..width).map(|x| metres[row + nearest(x, sx, k.width) as usize]));
    }
    Ok(View {
        camera: Camera {
            intrinsics: Intrinsics {
                fx: k.fx * sx,
                fy: k.fy * sy,
                cx: k.cx * sx,
                cy: k.cy * sy,
                width,
                height,
            },
            ..camera
        },
        color,
        depth: DepthMap {
            width,
            height,
            metres: scaled,
        },
    })
}
