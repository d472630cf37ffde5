//! CAMS.json: posed cameras from a file.

use std::path::Path;

use covista::camera::{Camera, Intrinsics};
use serde::Deserialize;

use super::exit::Failure;

/// One picture size and projection, many poses: row-major `world_from_camera`, camera axes RDF,
/// world Y up in metres. A list of `frames` with one pose each is understood too.
#[derive(Debug, Deserialize)]
struct CameraFile {
    width: u32,
    height: u32,
    hfov_deg: f64,
    #[serde(default)]
    world_from_camera: Vec<Vec<f64>>,
    #[serde(default)]
    frames: Vec<Frame>,
}

#[derive(Debug, Deserialize)]
struct Frame {
    world_from_camera: Vec<f64>,
}

/// Reads the cameras of a file.
pub fn read(path: &Path) -> anyhow::Result<Vec<Camera>> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::input(format!("cannot read the cameras ({e}): {}", path.display())))?;
    parse(&text).map_err(|what| Failure::input(format!("{what}: {}", path.display())))
}

fn parse(text: &str) -> Result<Vec<Camera>, String> {
    let file: CameraFile = serde_json::from_str(text).map_err(|e| format!("not a camera file ({e})"))?;
    if file.width == 0 || file.height == 0 {
        return Err(format!(
            "width = {} and height = {} must be at least 1",
            file.width, file.height
        ));
    }
    if !(file.hfov_deg > 0.0 && file.hfov_deg < 180.0) {
        return Err(format!("hfov_deg = {} is not between 0 and 180", file.hfov_deg));
    }
    let intrinsics = Intrinsics::from_hfov(file.width, file.height, file.hfov_deg.to_radians());
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
            Camera::from_row_major(intrinsics, &rows)
                .ok_or_else(|| format!("world_from_camera {index} is not a rigid motion (row-major, last row 0 0 0 1)"))
        })
        .collect::<Result<Vec<_>, String>>()?;
    if cameras.is_empty() {
        return Err("no cameras: give a list \"world_from_camera\"".to_owned());
    }
    Ok(cameras)
}

#[cfg(test)]
mod tests {
    use super::parse;

    const POSE: &str = "[1,0,0,2, 0,1,0,3, 0,0,1,4, 0,0,0,1]";

    #[test]
    fn both_forms_are_understood() {
        let list = format!(r#"{{"width":64,"height":32,"hfov_deg":90,"world_from_camera":[{POSE}]}}"#);
        let frames =
            format!(r#"{{"width":64,"height":32,"hfov_deg":90.0,"frames":[{{"world_from_camera":{POSE},"id":"a"}}]}}"#);
        let (list, frames) = (parse(&list).expect("read"), parse(&frames).expect("read"));
        assert_eq!(list, frames);
        assert_eq!(list[0].eye().to_array(), [2.0, 3.0, 4.0]);
        assert!((list[0].intrinsics.fx - 32.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("{", "not a camera file"),
            (r#"{"width":0,"height":1,"hfov_deg":90}"#, "width = 0"),
            (r#"{"width":1,"height":1,"hfov_deg":180}"#, "hfov_deg = 180"),
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
            let message = parse(text).expect_err("refused");
            assert!(message.contains(part), "{message}");
        }
    }
}
