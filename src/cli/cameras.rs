//! CAMS.json: posed cameras from a file.

use std::path::Path;

use covista::camera::{Camera, CameraModel, Equirectangular, Intrinsics, Orthographic, PosedCamera};
use glam::DAffine3;
use serde::Deserialize;

use super::exit::Failure;

/// One picture size and projection, many poses: row-major `world_from_camera`, camera axes RDF,
/// world Y up in metres. A list of `frames` with one pose each is understood too.
#[derive(Debug, Deserialize)]
struct CameraFile {
    width: Option<u32>,
    height: Option<u32>,
    hfov_deg: Option<f64>,
    width_m: Option<f64>,
    #[serde(default)]
    world_from_camera: Vec<Vec<f64>>,
    #[serde(default)]
    frames: Vec<Frame>,
}

#[derive(Debug, Deserialize)]
struct Frame {
    world_from_camera: Vec<f64>,
}

/// How pictures are projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Projection {
    /// Perspective with a horizontal field of view; depth along the axis
    #[default]
    Pinhole,
    /// Parallel rays; depth along the axis
    Orthographic,
    /// The whole sphere; depth is the distance from the camera
    Equirectangular,
}

/// What the command line says about pictures; it wins over the file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Lens {
    /// How pictures are projected
    #[arg(long, value_enum, default_value_t)]
    pub projection: Projection,
    /// Width of the pictures, pixels, instead of the file's
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(1..))]
    pub width: Option<u32>,
    /// Height of the pictures, pixels, instead of the file's
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(1..))]
    pub height: Option<u32>,
    /// Horizontal field of view of a pinhole camera, degrees, instead of the file's
    #[arg(long, value_name = "DEG")]
    pub hfov_deg: Option<f64>,
    /// Width of what an orthographic camera shows, metres, instead of the file's "width_m"
    #[arg(long, value_name = "M")]
    pub width_m: Option<f64>,
}

/// Reads the cameras of a file: pinhole, as the file says.
pub fn read(path: &Path) -> anyhow::Result<Vec<Camera>> {
    let posed = read_with(path, &Lens::default())?;
    Ok(posed.iter().filter_map(PosedCamera::pinhole).collect())
}

/// Reads the cameras of a file, as far as the command line does not say otherwise.
pub fn read_with(path: &Path, lens: &Lens) -> anyhow::Result<Vec<PosedCamera>> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::input(format!("cannot read the cameras ({e}): {}", path.display())))?;
    parse(&text, lens).map_err(|what| Failure::input(format!("{what}: {}", path.display())))
}

fn parse(text: &str, lens: &Lens) -> Result<Vec<PosedCamera>, String> {
    let file: CameraFile = serde_json::from_str(text).map_err(|e| format!("not a camera file ({e})"))?;
    let model = model(&file, lens)?;
    let poses = file
        .world_from_camera
        .into_iter()
        .chain(file.frames.into_iter().map(|f| f.world_from_camera));
    let cameras = poses
        .enumerate()
        .map(|(index, rows)| {
            let rows: [f64; 16] = rows
                .try_into()
                .map_err(|rows: Vec<f64>| format!("world_from_camera {index} has {} numbers, not 16", rows.len()))?;
            Ok(PosedCamera {
                model,
                world_from_camera: rigid(&rows).ok_or_else(|| {
                    format!("world_from_camera {index} is not a rigid motion (row-major, last row 0 0 0 1)")
                })?,
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    if cameras.is_empty() {
        return Err("no cameras: give a list \"world_from_camera\"".to_owned());
    }
    Ok(cameras)
}

fn rigid(rows: &[f64; 16]) -> Option<DAffine3> {
    // The check does not depend on the intrinsics.
    Camera::from_row_major(Intrinsics::from_hfov(1, 1, 1.0), rows).map(|camera| camera.world_from_camera)
}

fn model(file: &CameraFile, lens: &Lens) -> Result<CameraModel, String> {
    let missing = |key: &str, flag: &str| format!("\"{key}\" is missing: give it in the file or with {flag}");
    let width = lens.width.or(file.width).ok_or_else(|| missing("width", "--width"))?;
    let height = lens
        .height
        .or(file.height)
        .ok_or_else(|| missing("height", "--height"))?;
    if width == 0 || height == 0 {
        return Err(format!("width = {width} and height = {height} must be at least 1"));
    }
    Ok(match lens.projection {
        Projection::Pinhole => {
            let hfov_deg = lens
                .hfov_deg
                .or(file.hfov_deg)
                .ok_or_else(|| missing("hfov_deg", "--hfov-deg"))?;
            if !(hfov_deg > 0.0 && hfov_deg < 180.0) {
                return Err(format!("hfov_deg = {hfov_deg} is not between 0 and 180"));
            }
            CameraModel::Pinhole(Intrinsics::from_hfov(width, height, hfov_deg.to_radians()))
        }
        Projection::Orthographic => {
            let width_m = lens
                .width_m
                .or(file.width_m)
                .ok_or_else(|| missing("width_m", "--width-m"))?;
            if !(width_m > 0.0 && width_m.is_finite()) {
                return Err(format!("width_m = {width_m} is not above 0"));
            }
            CameraModel::Orthographic(Orthographic { width_m, width, height })
        }
        Projection::Equirectangular => CameraModel::Equirectangular(Equirectangular { width, height }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSE: &str = "[1,0,0,2, 0,1,0,3, 0,0,1,4, 0,0,0,1]";

    fn as_written(text: &str) -> Result<Vec<PosedCamera>, String> {
        parse(text, &Lens::default())
    }

    #[test]
    fn both_forms_are_understood() {
        let list = format!(r#"{{"width":64,"height":32,"hfov_deg":90,"world_from_camera":[{POSE}]}}"#);
        let frames =
            format!(r#"{{"width":64,"height":32,"hfov_deg":90.0,"frames":[{{"world_from_camera":{POSE},"id":"a"}}]}}"#);
        let (list, frames) = (as_written(&list).expect("read"), as_written(&frames).expect("read"));
        assert_eq!(list, frames);
        let camera = list[0].pinhole().expect("a pinhole");
        assert_eq!(camera.eye().to_array(), [2.0, 3.0, 4.0]);
        assert!((camera.intrinsics.fx - 32.0).abs() < 1e-12);
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let text = format!(r#"{{"width":64,"height":32,"hfov_deg":90,"world_from_camera":[{POSE}]}}"#);
        let wide = Lens {
            width: Some(200),
            hfov_deg: Some(60.0),
            ..Lens::default()
        };
        let model = parse(&text, &wide).expect("read")[0].model;
        let expected = Intrinsics::from_hfov(200, 32, 60f64.to_radians());
        assert_eq!(model, CameraModel::Pinhole(expected));
        let plan = Lens {
            projection: Projection::Orthographic,
            width_m: Some(4.0),
            ..Lens::default()
        };
        let model = parse(&text, &plan).expect("read")[0].model;
        assert!(matches!(model, CameraModel::Orthographic(o) if o.width_m == 4.0 && o.height == 32));
        let sphere = Lens {
            projection: Projection::Equirectangular,
            ..Lens::default()
        };
        assert_eq!(parse(&text, &sphere).expect("read")[0].model.size(), (64, 32));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("{", "not a camera file"),
            (r#"{"width":0,"height":1,"hfov_deg":90}"#, "width = 0"),
            (r#"{"width":1,"height":1,"hfov_deg":180}"#, "hfov_deg = 180"),
            (r#"{"width":1,"height":1}"#, "--hfov-deg"),
            (r#"{"height":1,"hfov_deg":90}"#, "--width"),
            (r#"{"width":1,"height":1,"hfov_deg":90}"#, "no cameras"),
            (
                r#"{"width":1,"height":1,"hfov_deg":90,"world_from_camera":[[1]]}"#,
                "1 numbers",
            ),
            (
                r#"{"width":1,"height":1,"hfov_deg":90,"world_from_camera":[[2,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1]]}"#,
                "rigid",
            ),
        ] {
            let message = as_written(text).expect_err("refused");
            assert!(message.contains(part), "{message}");
        }
        let plan = Lens {
            projection: Projection::Orthographic,
            ..Lens::default()
        };
        let message = parse(r#"{"width":1,"height":1}"#, &plan).expect_err("refused");
        assert!(message.contains("--width-m"), "{message}");
    }
}
